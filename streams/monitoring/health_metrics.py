"""What a line is judged by: the figures of a window, of a window beside a reference, and what stands in no window."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from streams.monitoring.distance import Distance
from streams.monitoring.drift import Aspect, Reference, drift
from streams.monitoring.people import PeopleLabels
from streams.monitoring.share import Share
from streams.monitoring.window import Window

Source = Literal["windows", "labels", "dead letters", "lag"]


Measured = float | Share | Distance | None


@dataclass(frozen=True)
class Beside:
    """What a stretch of time is judged by beside its windows."""

    reference: Reference | None = None  # of drift
    people: PeopleLabels | None = None


NOTHING: Final = Beside()


@dataclass(frozen=True)
class Prometheus:
    """How Prometheus computes a metric from the workers' own; `{over}` stands for the stretch of time, as in `15m`.

    It has a series for each value of `by`.
    """

    expression: str
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metric:
    """A figure: of a window, of people's labels, of `dead-letters`, or of the groups' lag."""

    name: str
    title: str
    of_window: Callable[[Window], float | Share | None] = lambda _window: None
    """The figure of a window, in the unit of its name (a share from 0 to 1, dollars, ms); None where the window does
    not tell. A `Share` where it stands for more events than were looked at, so that it has an interval."""
    source: Source = "windows"
    higher_is_better: bool = True
    is_share: bool = False
    """Whether it cannot be but from 0 to 1."""
    stands_in_for: tuple[str, ...] = ()
    """It is judged only where none of these figures is known."""
    aspect: Aspect | None = None
    """Of drift, what drifts: it is told and judged, and no part of the score."""
    has_trend: bool = True
    is_figure: bool = True
    """Whether it is told and judged by `edgewise health`."""
    prometheus: Prometheus | None = None
    """None where only the health agent knows it: then its gauge `edgewise_rule_value` has it."""


_COMPLETED: Final = 'sum(increase(edgewise_events_total{stage="completed"}[{over}]))'
# The edge's answer to what the cloud, or no model of it, could answer.
_DEGRADED: Final = (
    'sum(increase(edgewise_events_total{stage="completed", route="edge", '
    'reason=~"cloud_error|cloud_unavailable|budget_exhausted|unsupported_language"}[{over}]))'
)
# A reason's first dead letter starts its series: `increase` sees no rise in that.
_LETTERS: Final = (
    "sum by (agent, reason) ((edgewise_dead_letters_total unless edgewise_dead_letters_total offset {over}) "
    "or increase(edgewise_dead_letters_total[{over}]))"
)

_METRICS: Final = (
    Metric(
        "edge_share",
        "edge share",
        lambda window: _of(window.routes["edge"], window.events),
        is_share=True,
        prometheus=Prometheus(
            f'sum(increase(edgewise_events_total{{stage="completed", route="edge"}}[{{over}}])) / {_COMPLETED}'
        ),
    ),
    Metric("accuracy", "accuracy by people's labels", source="labels", is_share=True),
    Metric(
        "agreement",
        "agreement on the random sample",
        lambda window: Share(window.sampled_agreed, window.sampled) if window.sampled else None,
        is_share=True,
        stands_in_for=("accuracy",),
    ),
    Metric(
        "estimated_accuracy",
        "accuracy estimated from confidence",
        lambda window: _of(window.confidence_sum / 1e6, round(window.confidence.count)),
        is_share=True,
        stands_in_for=("accuracy", "agreement"),
    ),
    Metric(
        "vendor_agreement",
        "agreement with the vendor's labels",
        lambda window: Share(window.vendor_agreed, window.vendor_compared) if window.vendor_compared else None,
        is_share=True,
    ),
    Metric(
        "cost_per_event_usd",
        "dollars an event",
        lambda window: _of(window.cost_nanos / 1e9, window.events),
        higher_is_better=False,
        prometheus=Prometheus(f"sum(increase(edgewise_cost_usd_total[{{over}}])) / {_COMPLETED}"),
    ),
    Metric(
        "latency_p95_ms",
        "latency p95, ms",
        lambda window: window.end_to_end_ms.get_quantile_value(0.95),
        higher_is_better=False,
        prometheus=Prometheus(
            "1000 * histogram_quantile(0.95, sum by (le) (increase(edgewise_latency_seconds_bucket[{over}])))"
        ),
    ),
    Metric(
        "degraded_share",
        "degraded share",
        lambda window: _of(window.degraded, window.events),
        higher_is_better=False,
        is_share=True,
        prometheus=Prometheus(f"{_DEGRADED} / {_COMPLETED}"),
    ),
    # It rises until its hour, day or month is over, whatever the line does: that is no trend.
    Metric(
        "budget_used",
        "budget used, at its highest",
        lambda window: max(map(int, window.budget_used)) / 100 if window.budget_used else None,
        higher_is_better=False,
        has_trend=False,
        prometheus=Prometheus("max by (period) (max_over_time(edgewise_budget_used_ratio[{over}]))", ("period",)),
    ),
    Metric(
        "events",
        "events answered",
        lambda window: window.events,
        is_figure=False,
        prometheus=Prometheus(_COMPLETED),
    ),
    Metric(
        "dead_letters",
        "dead letters",
        source="dead letters",
        higher_is_better=False,
        is_figure=False,
        prometheus=Prometheus(_LETTERS, ("agent", "reason")),
    ),
    Metric(
        "lag_records",
        "records that an agent has yet to do",
        source="lag",
        higher_is_better=False,
        is_figure=False,
        prometheus=Prometheus("sum by (agent) (edgewise_lag_records)", ("agent",)),
    ),
)

_WORDS: Final[Mapping[Aspect, str]] = {
    "labels": "labels", "confidence": "confidence", "length": "the texts' length", "languages": "languages",
    "roles": "who speaks", "kinds": "personal data",
}  # fmt: skip
_DRIFT: Final = tuple(
    Metric(f"drift_{aspect}", f"drift of {what}", higher_is_better=False, is_share=True, has_trend=False, aspect=aspect)
    for aspect, what in _WORDS.items()
)

METRICS: Final[Mapping[str, Metric]] = {metric.name: metric for metric in (*_METRICS, *_DRIFT)}
"""Every metric that a rule may name. Those without a rule are told and not judged: a vendor's labels may be worse than
ours."""

FIGURES: Final = tuple(metric for metric in METRICS.values() if metric.is_figure)
"""What `edgewise health` tells."""


def measure(metric: Metric, window: Window, beside: Beside) -> Measured:
    """What `metric` was in the time of `window`; None where nobody can tell."""
    if metric.aspect is not None:
        return None if beside.reference is None else drift(beside.reference, window, metric.aspect)
    if metric.source == "labels":
        return None if beside.people is None else by_people(beside.people, window.start, window.end)
    return metric.of_window(window)


def by_people(people: PeopleLabels, since_ms: int, until_ms: int) -> Share | None:
    """How many of the labelled events that were answered in this time have the person's label; None of none."""
    found = people.accuracy(since_ms, until_ms).total
    return found if found.trials else None


def limits(measured: Measured) -> tuple[float, float] | None:
    """Between which the true figure is, with `CONFIDENCE`; None where it was not estimated.

    Of a share that was counted they are exact (Clopper and Pearson).
    """
    if isinstance(measured, Share):
        return measured.limits
    return (measured.low, measured.high) if isinstance(measured, Distance) else None


def value_of(measured: Measured) -> float | None:
    """What was measured as one number."""
    return measured.value if isinstance(measured, Share | Distance) else measured


def number_text(value: float) -> str:
    """A figure as people read it: to four digits, from a thousand on to the whole number; never with an exponent."""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{Decimal(f'{value:.4g}'):f}"


def _of(part: float, whole: int) -> float | None:
    return part / whole if whole else None
