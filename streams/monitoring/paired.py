"""Whether one of two models that answered the same events is right more often than the other."""

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

from streams.monitoring.binomial import tail

_CLOSE: Final = 1e-7  # of a limit


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
    """The interval of `gain` with this confidence, where few events are known and where no two answers differ, too.

    Of each stratum it is Tango's, by the score test (1998, Statistics in Medicine 17, 891); how far its limits are from
    the strata's gains adds up as variances do (Zou and Donner 2008, ibid. 27, 1693). It is -1 to 1 where nothing is
    known of a stratum.
    """
    filled = [each for each in strata if each.events]
    if not filled or not all(each.pairs.known for each in filled):
        return -1.0, 1.0
    events, z = sum(each.events for each in filled), NormalDist().inv_cdf((1 + confidence) / 2)
    below = above = 0.0
    for each in filled:
        weight, found = each.events / events, each.pairs.gain
        low, high = _lower_limit(each.pairs, z), -_lower_limit(_turned(each.pairs), z)
        below += (weight * (found - low)) ** 2
        above += (weight * (high - found)) ** 2
    return gain(filled) - sqrt(below), gain(filled) + sqrt(above)


def _lower_limit(pairs: Pairs, z: float) -> float:
    """The least gain that the score test does not reject: the observed one is up to `z` standard errors above it."""
    low, high = -1.0, pairs.gain
    while high - low > _CLOSE:
        middle = (low + high) / 2
        if pairs.gain - middle > z * _standard_error(pairs, middle):
            low = middle
        else:
            high = middle
    return low


def _standard_error(pairs: Pairs, true: float) -> float:
    """Of the observed gain, were `true` the true one and all else as likely as can be."""
    # The share that the former model alone has right is then the greater root of 2 n x^2 + b x - c = 0.
    b = (2 * pairs.known - pairs.candidate + pairs.former) * true - pairs.candidate - pairs.former
    c = pairs.former * true * (1 - true)
    former = (sqrt(max(0.0, b * b + 8 * pairs.known * c)) - b) / (4 * pairs.known)
    return sqrt(max(0.0, 2 * former + true * (1 - true)) / pairs.known)


def _turned(pairs: Pairs) -> Pairs:
    return pairs._replace(former=pairs.candidate, candidate=pairs.former)
