"""Whether one of two models that answered the same events is right more often than the other."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from streams.monitoring.binomial import tail

RESAMPLES: Final = 10_000
"""Another seed then moves an end by some 1 % of the interval's width."""

_SEED: Final = 1


class Pairs(NamedTuple):
    """So many events of which the truth is known, by which of the two models is right."""

    both: int = 0
    former: int = 0  # the one in force alone
    candidate: int = 0  # the candidate alone
    neither: int = 0

    @property
    def known(self) -> int:
        """All of them."""
        return self.both + self.former + self.candidate + self.neither

    @property
    def gain(self) -> float:
        """The candidate's accuracy less that of the model in force; 0 of no events."""
        return (self.candidate - self.former) / self.known if self.known else 0.0


class Stratum(NamedTuple):
    """`pairs` are those events of a group of `events` of which the truth is known."""

    events: int
    pairs: Pairs


def p_value(pairs: Pairs) -> float:
    """The exact two-sided probability of events that differ so much in favour of one model, were both as good.

    McNemar's test in its exact form (McNemar 1947, Psychometrika 12, 153): of the events that one model alone gets
    right, each is the candidate's with probability a half.
    """
    return min(1.0, 2 * tail(max(pairs.former, pairs.candidate), pairs.former + pairs.candidate, 0.5))


def gain(strata: Sequence[Stratum]) -> float:
    """The candidate's gain in accuracy over all events of `strata`: their gains, weighted by their sizes."""
    events = sum(each.events for each in strata)
    return sum(each.events / events * each.pairs.gain for each in strata) if events else 0.0


def gain_interval(strata: Sequence[Stratum], confidence: float) -> tuple[float, float]:
    """The interval of `gain` with this confidence: paired bootstrap, the percentiles, drawn anew within each stratum.

    Efron 1979; paired, for what is hard for both models cancels out. An event's part in a draw depends on its cell of
    `Pairs` alone, so a draw of the events is a multinomial draw of the cells. It is -1 to 1 where nothing is known of a
    stratum.
    """
    rng, events = np.random.default_rng(_SEED), sum(each.events for each in strata)
    drawn = np.zeros(RESAMPLES)
    filled = [each for each in strata if each.events]
    if not filled or not all(each.pairs.known for each in filled):
        return -1.0, 1.0
    for each in filled:
        cells = rng.multinomial(each.pairs.known, np.array(each.pairs) / each.pairs.known, size=RESAMPLES)
        drawn += each.events / events * (cells[:, 2] - cells[:, 1]) / each.pairs.known
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
