"""What a line is judged by: the figures of a window, each with the bound that it should keep."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from streams.monitoring.window import Window


class Counted(NamedTuple):
    """A share that was counted: of so many `trials` so many were `successes`."""

    successes: int
    trials: int


@dataclass(frozen=True)
class Rule:
    """A figure and its bound."""

    name: str
    title: str
    measure: Callable[[Window], float | Counted | None]
    """The figure of a window, in the unit of its name (a share from 0 to 1, dollars, ms); None where the window does
    not tell. `Counted` where it stands for more events than were looked at, so that it has an interval."""
    at_least: float | None = None
    at_most: float | None = None
    higher_is_better: bool = True
    stands_in_for: str | None = None
    """It is judged only where that figure is not known."""
    has_trend: bool = True


RULES: Final = (
    # The article's thresholds are these: 0.80, 0.85, 0.01 dollars, 150 ms.
    Rule("edge_share", "edge share", lambda window: _of(window.routes["edge"], window.events), at_least=0.80),
    Rule(
        "agreement",
        "agreement on the random sample",
        lambda window: Counted(window.sampled_agreed, window.sampled) if window.sampled else None,
        at_least=0.85,
    ),
    Rule(
        "estimated_accuracy",
        "accuracy estimated from confidence",
        lambda window: _of(window.confidence_sum / 1e6, round(window.confidence.count)),
        at_least=0.85,
        stands_in_for="agreement",
    ),
    Rule(
        "vendor_agreement",
        "agreement with the vendor's labels",
        lambda window: Counted(window.vendor_agreed, window.vendor_compared) if window.vendor_compared else None,
    ),
    Rule(
        "cost_per_event_usd",
        "dollars an event",
        lambda window: _of(window.cost_nanos / 1e9, window.events),
        at_most=0.01,
        higher_is_better=False,
    ),
    Rule(
        "latency_p95_ms",
        "latency p95, ms",
        lambda window: window.end_to_end_ms.get_quantile_value(0.95),
        at_most=150,
        higher_is_better=False,
    ),
    # A fifth of the events goes to the cloud where the edge's share is as above; one in twenty of these.
    Rule(
        "degraded_share",
        "degraded share",
        lambda window: _of(window.degraded, window.events),
        at_most=0.01,
        higher_is_better=False,
    ),
    # It rises until its hour, day or month is over, whatever the line does: that is no trend.
    Rule(
        "budget_used",
        "budget used, at its highest",
        lambda window: max(map(int, window.budget_used)) / 100 if window.budget_used else None,
        at_most=0.90,
        higher_is_better=False,
        has_trend=False,
    ),
)
"""Figures without a bound are told and not judged: a vendor's labels may be worse than ours."""


def _of(part: float, whole: int) -> float | None:
    return part / whole if whole else None
