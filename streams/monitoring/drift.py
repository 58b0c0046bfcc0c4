"""What comes in and what goes out, against a reference frozen at a release: in what it differs, and how far."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from ddsketch import DDSketch

from streams.monitoring.distance import Distance, contributions, distance
from streams.monitoring.share import CONFIDENCE
from streams.monitoring.sketch import bin_counts
from streams.monitoring.window import OTHER, Window

Aspect = Literal["labels", "confidence", "length", "languages", "roles", "kinds"]
ASPECTS: Final[tuple[Aspect, ...]] = ("labels", "confidence", "length", "languages", "roles", "kinds")

OF_ANSWERS: Final = frozenset({"labels", "confidence"})
"""They depend on who answers: a new model or policy moves them, though what customers write has not changed."""

LEAST_EVENTS: Final = 200
"""Of fewer events nothing is said: the law of the distance's noise is one of many events."""

_BINS: Final = 10  # of confidence and length: each holds a tenth of the reference


@dataclass(frozen=True, slots=True)
class Reference:
    """What a line's events were like in a stretch of time: counts by category."""

    since_ms: int
    until_ms: int
    events: int
    models: frozenset[str]  # that answered, name@version
    policies: frozenset[str]
    counts: Mapping[Aspect, Mapping[str, int]]
    edges: Mapping[Aspect, Sequence[float]]  # of the bins of numbers: bin i holds what is <= edge i, the last one all

    @classmethod
    def of(cls, window: Window) -> "Reference":
        """What `window` counts."""
        edges: dict[Aspect, Sequence[float]] = {
            "confidence": _quantile_edges(window.confidence),
            "length": _quantile_edges(window.text_chars),
        }
        return cls(
            window.start,
            window.end,
            window.events,
            _named(window.models),
            _named(window.routers),
            {aspect: _counts(window, aspect, edges) for aspect in ASPECTS},
            edges,
        )

    def strangers(self, window: Window) -> list[str]:
        """Models and policies that answered in `window` and did not in the reference: then labels do not compare."""
        return sorted((_named(window.models) - self.models) | (_named(window.routers) - self.policies))


class Moved(NamedTuple):
    """A category, with its share of the reference and of now."""

    name: str
    before: float
    now: float


def drift(reference: Reference, window: Window, aspect: Aspect) -> Distance | None:
    """How far `window` is from `reference` in one aspect; None of too few events, or where answers do not compare.

    Of the kinds of personal data, of which an event may have several, it is the distance of the kind that has moved
    most, with limits that hold for all kinds together (Bonferroni).
    """
    if window.events < LEAST_EVENTS or (aspect in OF_ANSWERS and reference.strangers(window)):
        return None
    before, now = reference.counts[aspect], _counts(window, aspect, reference.edges)
    if aspect == "kinds":
        return _of_kinds(before, now, reference.events, window.events)
    if not sum(before.values()) or not sum(now.values()):
        return None
    return distance(before, now)


def moved(reference: Reference, window: Window, aspect: Aspect) -> list[Moved]:
    """The categories, that which has moved most first; of confidence and length the bins in words."""
    before, now = reference.counts[aspect], _counts(window, aspect, reference.edges)
    if aspect == "kinds":
        events, later = max(1, reference.events), max(1, window.events)
        shares = [
            Moved(name, before.get(name, 0) / events, now.get(name, 0) / later) for name in sorted({*before, *now})
        ]
        return sorted(shares, key=lambda each: -abs(each.now - each.before))
    if not sum(before.values()) or not sum(now.values()):
        return []
    return [Moved(*each) for each in contributions(before, now)]


def _of_kinds(before: Mapping[str, int], now: Mapping[str, int], events: int, later: int) -> Distance:
    kinds = sorted({*before, *now})
    confidence = 1 - (1 - CONFIDENCE) / max(1, len(kinds))
    found = [
        distance(_with_and_without(before.get(kind, 0), events), _with_and_without(now.get(kind, 0), later), confidence)
        for kind in kinds
    ]
    return max(found, default=Distance(0.0, 0.0, 0.0))


def _with_and_without(count: int, events: int) -> dict[str, int]:
    return {"with": count, "without": events - count}


def _counts(window: Window, aspect: Aspect, edges: Mapping[Aspect, Sequence[float]]) -> dict[str, int]:
    if aspect == "confidence":
        return _binned(window.confidence, edges[aspect])
    if aspect == "length":
        return _binned(window.text_chars, edges[aspect])
    counts: dict[str, int] = dict(getattr(window, aspect))
    return counts


def _binned(sketch: DDSketch, edges: Sequence[float]) -> dict[str, int]:
    names = [*(f"<= {edge:g}" for edge in edges), f"> {edges[-1]:g}" if edges else "all"]
    counts = Counter[str]()
    for value, count in bin_counts(sketch):
        counts[names[bisect_left(edges, value)]] += count
    return dict(counts)


def _quantile_edges(sketch: DDSketch) -> list[float]:
    """Where a tenth of the values ends, and the next; fewer where many values are the same.

    An edge lies between two bins of the sketch, so that whatever is counted in bins falls on one side of it.
    """
    bins = bin_counts(sketch)
    whole, below, edges = sum(count for _, count in bins), 0, list[float]()
    for (value, count), (following, _) in pairwise(bins):
        passed = below * _BINS // whole
        below += count
        if below * _BINS // whole > passed:
            edges.append(float(f"{(value + min(following, value * 1.02)) / 2:.6g}"))
    return edges


def _named(counts: Mapping[str, int]) -> frozenset[str]:
    return frozenset(name for name, count in counts.items() if count and name != OTHER)
