"""How well a line is: each figure against its bound with its trend, and all of them as one score and its word."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final, Literal

from streams.monitoring.health_metrics import (
    FIGURES,
    NOTHING,
    Beside,
    Measured,
    Metric,
    limits,
    measure,
    value_of,
)
from streams.monitoring.health_rules import HealthRule
from streams.monitoring.people import PeopleAccuracy
from streams.monitoring.share import Share
from streams.monitoring.trend import Trend, trend
from streams.monitoring.window import Window

WORDS: Final = ((95, "excellent"), (90, "good"), (75, "fair"), (50, "poor"), (0, "critical"))
"""The word of a score from so much on."""

_HOUR_MS: Final = 3_600_000

Standing = Literal["kept", "unclear", "missed", "not judged", "unknown"]
Course = Literal["improving", "worsening", "steady", "unknown"]


@dataclass(frozen=True)
class Figure:
    """One figure of a line."""

    metric: Metric
    rule: HealthRule | None  # with its bound; None: it is told and not judged
    measured: Measured
    trend: Trend | None  # by hour
    is_judged: bool

    @property
    def value(self) -> float | None:
        """What was measured as one number."""
        return value_of(self.measured)

    @property
    def counted(self) -> Share | None:
        """What it was counted on, where that is a part of the events."""
        return self.measured if isinstance(self.measured, Share) else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The interval of a figure that was counted, or estimated."""
        return limits(self.measured)

    @property
    def bound(self) -> float | None:
        """What it should keep."""
        return None if self.rule is None else self.rule.bound

    @property
    def standing(self) -> Standing:
        """How it stands to its bound; `unclear`: it misses it, and its interval does not rule out that it keeps it."""
        if self.value is None:
            return "unknown"
        if self.bound is None or not self.is_judged:
            return "not judged"
        if self._misses(self.value):
            return "missed" if self._misses(self._best) else "unclear"
        return "kept"

    @property
    def share(self) -> float | None:
        """The part of its bound that it reaches, from 0 to 1; None where it is not judged, and of drift.

        Of an interval the better end counts: what is not shown to be missed is not held against the line. Traffic that
        has changed is no fault of the line; what it costs in accuracy has a figure of its own.
        """
        best, rule = self._best, self.rule
        if best is None or rule is None or not self.is_judged or self.metric.aspect is not None:
            return None
        if not rule.misses(best):
            return 1.0
        return max(0.0, best / rule.bound if rule.at_least is not None else rule.bound / best)

    @property
    def course(self) -> Course:
        """Where it goes. `improving` is said of what improves: a rising share, a falling latency."""
        if self.trend is None:
            return "unknown"
        if not self.trend.is_significant:
            return "steady"
        return "improving" if (self.trend.slope > 0) == self.metric.higher_is_better else "worsening"

    @property
    def _best(self) -> float | None:
        found = self.interval
        if found is None:
            return self.value
        return found[1] if self.metric.higher_is_better else found[0]

    def _misses(self, value: float | None) -> bool:
        return value is not None and self.rule is not None and self.rule.misses(value)


@dataclass(frozen=True)
class Health:
    """The judgement of a stretch of time."""

    start_ms: int
    end_ms: int
    events: int  # scored and answered
    figures: tuple[Figure, ...]
    people: PeopleAccuracy | None = None  # where people have labelled any
    strangers: tuple[str, ...] = ()  # models and policies that the reference of drift does not know

    @property
    def score(self) -> int | None:
        """From 0 to 100, rounded down; None where no figure is known.

        It is the geometric mean of the shares that the judged figures reach of their bounds, as in the Human
        Development Index since 2010 (UNDP 2010, p. 216): all weigh the same, and what one lacks the others do not make
        up for as in a sum.
        """
        shares = [each.share for each in self.figures if each.share is not None]
        return int(100 * prod(shares) ** (1 / len(shares)) + 1e-9) if shares else None

    @property
    def word(self) -> str:
        """What the score means; `unknown` without one."""
        score = self.score
        return "unknown" if score is None else next(word for least, word in WORDS if score >= least)


def assess(
    total: Window, spans: Sequence[Window], bounds: Mapping[str, HealthRule], beside: Beside = NOTHING
) -> Health:
    """The health of the time that `total` counts; `spans` are its parts, in their order, for trends.

    `bounds` has the rule that a metric is judged by, under the metric's name. Accuracy by people's labels is a figure
    where there are any, drift where there is a reference.
    """
    measured = {metric.name: measure(metric, total, beside) for metric in FIGURES}
    known = {name for name, found in measured.items() if found is not None}
    figures = [
        Figure(
            metric,
            bounds.get(metric.name),
            measured[metric.name],
            _trend(metric, spans, beside),
            is_judged=not known.intersection(metric.stands_in_for),
        )
        for metric in FIGURES
        if (metric.source != "labels" or metric.name in known)
        and (metric.aspect is None or beside.reference is not None)
    ]
    reference = beside.reference
    return Health(
        total.start,
        total.end,
        total.events,
        tuple(figures),
        beside.people.accuracy(total.start, total.end) if beside.people and "accuracy" in known else None,
        () if reference is None else tuple(reference.strangers(total)),
    )


def _trend(metric: Metric, spans: Sequence[Window], beside: Beside) -> Trend | None:
    if not metric.has_trend:
        return None
    values = [(span.start / _HOUR_MS, value_of(measure(metric, span, beside))) for span in spans]
    points = [(hour, value) for hour, value in values if value is not None]
    return trend(*zip(*points, strict=True)) if points else None
