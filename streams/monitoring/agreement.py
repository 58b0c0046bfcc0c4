"""How often the edge's answers that a threshold keeps agree with the cloud: estimate and exact limits.

Of what the recording policy kept, only the random sample was also seen by the cloud; of what it deferred, all was. So a
threshold below the recording's keeps events of two strata, whose agreement is weighted by their sizes: the inverse of
the share of each that is known.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.monitoring.binomial import lower_limit
from streams.monitoring.decisions import DEFERRED, KEPT, SAMPLED, UNANSWERED, Decisions

DEFERRED_RISK: Final = 0.1
"""The share of the risk that goes to the deferred stratum's limit, where there is one. So many more of its events are
known that its limit is close even so; the sample's is then at 0.9 of the risk."""


class Stratum(NamedTuple):
    """So many events of the recording, of which it is known of `known` whether they agree, and `agreed` do."""

    events: int
    known: int
    agreed: int


class Kept(NamedTuple):
    """What a threshold keeps."""

    left_on_edge: Stratum  # by the recording policy too
    deferred: Stratum  # by the recording policy
    unanswered: int  # of which nothing is known

    @property
    def events(self) -> int:
        """All of it."""
        return self.left_on_edge.events + self.deferred.events + self.unanswered

    @property
    def known(self) -> int:
        """The answers that agreement is estimated from."""
        return self.left_on_edge.known + self.deferred.known

    def agreement(self) -> float | None:
        """The estimated share that agrees; None where nothing is known of a stratum."""
        return _weighted(self._strata(), [_share(each) for each in self._strata()])

    def at_least(self, confidence: float) -> float:
        """A limit below the true share with `confidence`; 0 where nothing is known.

        With two strata each has an exact limit at a part of the risk: by the union bound both hold with `confidence`,
        and then so does their weighted sum.
        """
        strata, risk = self._strata(), 1 - confidence
        parts = (risk,) if len(strata) == 1 else (risk * (1 - DEFERRED_RISK), risk * DEFERRED_RISK)
        limits = [lower_limit(each.agreed, each.known, 1 - part) for each, part in zip(strata, parts, strict=False)]
        return _weighted(strata, limits) or 0.0

    def interval(self, confidence: float) -> tuple[float, float]:
        """The two-sided interval, the limits of both sides at half of the risk each."""
        risk = (1 - confidence) / 2
        turned = Kept(_turned(self.left_on_edge), _turned(self.deferred), self.unanswered)
        return self.at_least(1 - risk), 1 - turned.at_least(1 - risk)

    def _strata(self) -> list[Stratum]:
        return [each for each in (self.left_on_edge, self.deferred) if each.events]


def kept_of(decisions: Decisions, flags: NDArray[np.bool_]) -> Kept:
    """What `flags`, set for each event that is kept, say of them."""
    counts = [int((flags & each).sum()) for each in _strata_flags(decisions.group, decisions.agrees)]
    return Kept(Stratum(*counts[:3]), Stratum(*counts[3:6]), counts[6])


class Curve:
    """What every threshold on the edge's confidence would keep, at one threshold on complexity."""

    def __init__(self, decisions: Decisions, complexity_threshold: float) -> None:
        simple = (decisions.complexity <= complexity_threshold) & decisions.routed
        order = np.argsort(-decisions.confidence[simple], kind="stable")
        chosen = np.flatnonzero(simple)[order]  # the events that some threshold keeps, the surest first
        self._falling = -decisions.confidence[chosen]
        self.routed = int(decisions.routed.sum())
        """The events that a policy decides."""
        flags = _strata_flags(decisions.group[chosen], decisions.agrees[chosen])
        self._counts = np.stack([_running(each) for each in flags], axis=1)

    def kept_count(self, threshold: float) -> int:
        """How many events `threshold` keeps: the surest so many."""
        return int(np.searchsorted(self._falling, -threshold, side="right"))

    def kept(self, threshold: float) -> Kept:
        """What `threshold` keeps."""
        counts = [int(each) for each in self._counts[self.kept_count(threshold)]]
        return Kept(Stratum(*counts[:3]), Stratum(*counts[3:6]), counts[6])

    def cloud_share(self, threshold: float, random_rate: float) -> float:
        """The share of the events that a policy decides which goes to the cloud, the random sample with them."""
        return 1 - self.kept_count(threshold) * (1 - random_rate) / self.routed if self.routed else 0.0

    def thresholds(self, steps: int = 100) -> list[float]:
        """Thresholds from high to low, each keeping some 1 / `steps` more events; the last keeps all. To four decimals.

        They depend on confidences alone, not on what agrees.
        """
        if not len(self._falling):
            return []
        at = np.ceil(np.arange(1, steps + 1) * len(self._falling) / steps).astype(int) - 1
        rounded = np.floor(-self._falling[at] * 1e4) / 1e4
        return [float(each) for each in np.unique(rounded)[::-1]]


def _strata_flags(group: NDArray[np.int8], agrees: NDArray[np.int8]) -> list[NDArray[np.bool_]]:
    """Left on the edge, of these known, of these agreed; the same of what was deferred; unanswered."""
    left, deferred = (group == KEPT) | (group == SAMPLED), group == DEFERRED
    known, agreed = agrees >= 0, agrees == 1
    return [left, left & known, left & agreed, deferred, deferred & known, deferred & agreed, group == UNANSWERED]


def _running(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many of the first 0, 1, 2, … are set."""
    return np.concatenate([[0], np.cumsum(flags, dtype=np.int64)])


def _turned(stratum: Stratum) -> Stratum:
    return stratum._replace(agreed=stratum.known - stratum.agreed)


def _share(stratum: Stratum) -> float | None:
    return stratum.agreed / stratum.known if stratum.known else None


def _weighted(strata: Sequence[Stratum], shares: Sequence[float | None]) -> float | None:
    events = sum(each.events for each in strata)
    if not events:
        return None
    total = 0.0
    for each, share in zip(strata, shares, strict=True):
        if share is None:
            return None
        total += each.events / events * share
    return total
