"""What a report tells of a period, and the same as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ddsketch import DDSketch

from schemas.records import Alert
from streams.monitoring.at_risk import AtRisk
from streams.monitoring.forecast import Forecast
from streams.monitoring.people import BY, PeopleAccuracy, PeopleLabels
from streams.monitoring.period import Period, day_name
from streams.monitoring.share import CONFIDENCE, Share
from streams.monitoring.window import Window
from streams.system.clock import iso

QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True)
class Report:
    """A period, as of `made_at` (UTC ms)."""

    period: Period
    at_risk: AtRisk
    forecast: Forecast | None
    made_at: int
    people: PeopleLabels = field(default_factory=PeopleLabels)
    alerts: Sequence[Alert] = ()  # of rules, the earliest first

    @property
    def accuracy(self) -> PeopleAccuracy:
        """How often the published label is a person's, of the labelled events that were answered in the period."""
        return self.people.accuracy(self.period.since_ms)

    @property
    def in_force(self) -> Window | None:
        """The last day that has a window: whose models and policies are in force."""
        return next(reversed(self.period.days.values()), None)


def labels_by(counts: Mapping[str, int]) -> list[tuple[str, dict[str, int]]]:
    """Of `counts` by `role/label` or `channel/label` each role's or channel's labels, the most frequent first."""
    found: dict[str, dict[str, int]] = {}
    for name, count in counts.items():
        of, _, label = name.rpartition("/")
        found.setdefault(of, {})[label] = count
    return sorted(found.items(), key=lambda each: (-sum(each[1].values()), each[0]))


def firing_ms(alert: Alert, report: Report) -> int:
    """For how long `alert` was firing in the report's period, in milliseconds."""
    return max(0, (alert.resolved_at or report.made_at) - max(alert.started_at, report.period.since_ms))


def agreement(window: Window) -> Share:
    """How often the edge's answers, drawn at random from those that it would have kept, were the cloud's."""
    return Share(window.sampled_agreed, window.sampled)


def vendor_agreement(window: Window) -> Share:
    """How often the label published was the vendor's own."""
    return Share(window.vendor_agreed, window.vendor_compared)


def edge_share(window: Window) -> float | None:
    """The share of events that the edge answered; None of none."""
    return Share(window.routes["edge"], window.events).value


def saved_share(window: Window) -> float | None:
    """What is saved of the cost of the cloud alone; None where that is nothing."""
    return 1 - window.cost_nanos / window.cloud_only_cost_nanos if window.cloud_only_cost_nanos else None


def mean_confidence(window: Window) -> float | None:
    """The mean confidence in the label published; None where nobody said it."""
    return window.confidence_sum / 1e6 / window.confidence.count if window.confidence.count else None


def budget_used(window: Window) -> int | None:
    """How close the tightest budget came to its end, in whole percent; None without a budget."""
    return max(map(int, window.budget_used), default=None)


def quantiles(sketch: DDSketch) -> dict[str, float | None]:
    """Of merged durations, in milliseconds, within 1 %; None of none."""
    return {name: sketch.get_quantile_value(share) for name, share in QUANTILES.items()}


def report_json(report: Report) -> dict[str, Any]:
    """The report for machines. Costs are in dollars, and as whole nano-dollars, which are exact."""
    period, at_risk = report.period, report.at_risk
    total, last = period.total(), report.in_force
    return {
        "made_at": iso(report.made_at),
        "since": iso(period.since_ms),
        "first_window_at": iso(total.start) if period.days else None,
        "last_window_until": iso(total.end) if period.days else None,
        "unreadable_windows": period.unreadable,
        "total": _figures(total),
        "days": [{"day": day_name(number), **_figures(window)} for number, window in period.days.items()],
        "months": [{"month": month, **_figures(window)} for month, window in period.months().items()],
        "accuracy": {
            "by_people": _share(report.accuracy.total),
            "mean_confidence": report.accuracy.mean_confidence,
            **{f"by_{by}": {name: _share(each) for name, each in report.accuracy.by[by].items()} for by in BY},
        },
        "forecast": _forecast(report.forecast),
        "in_force": {"models": dict(last.models), "policies": dict(last.routers)} if last else None,
        "alerts": [
            {
                "rule": alert.rule,
                "severity": alert.severity,
                "state": alert.state,
                "silenced": alert.silenced,
                "metric": alert.metric,
                "value": alert.value,
                "bound": alert.bound,
                "started_at": iso(alert.started_at),
                "resolved_at": None if alert.resolved_at is None else iso(alert.resolved_at),
                "seconds_in_period": firing_ms(alert, report) / 1000,
            }
            for alert in report.alerts
        ],
        "conversations": {
            "risk_threshold": at_risk.threshold,
            "by_status": dict(at_risk.conversations),
            "at_risk_by_status": dict(at_risk.at_risk),
            "highest_risk": [
                {
                    "conversation_id": each.conversation_id,
                    "risk": each.risk,
                    "reasons": list(each.reasons),
                    "status": each.status,
                    "channel": each.channel,
                    "turns": each.turns,
                    "last_turn_at": iso(each.last_turn_at),
                }
                for each in at_risk.highest()
            ],
        },
    }


def _figures(window: Window) -> dict[str, Any]:
    return {
        "events": window.events,
        "skipped": window.skipped,
        "decided": window.decided,
        "degraded": window.degraded,
        "edge_share": edge_share(window),
        "cost_usd": window.cost_nanos / 1e9,
        "cost_nanodollars": window.cost_nanos,
        "measured_cost_nanodollars": window.measured_cost_nanos,
        "cloud_only_cost_nanodollars": window.cloud_only_cost_nanos,
        "saved_share": saved_share(window),
        "cost_nanodollars_by_role": dict(window.role_cost_nanos),
        "budget_used_percent": budget_used(window),
        "tokens": {"in": window.tokens_in, "out": window.tokens_out, "cached": window.tokens_cached},
        "agreement": _share(agreement(window)),
        "vendor_agreement": _share(vendor_agreement(window)),
        "mean_confidence": mean_confidence(window),
        "end_to_end_ms": quantiles(window.end_to_end_ms),
        "inference_ms": quantiles(window.inference_ms),
        **{
            name: dict(sorted(getattr(window, name).items()))
            for name in ("routes", "reasons", "labels", "roles", "role_labels", "channel_labels", "languages", "kinds")
        },
        "models": dict(sorted(window.models.items())),
        "policies": dict(sorted(window.routers.items())),
    }


def _share(share: Share) -> dict[str, Any] | None:
    if not share.trials:
        return None
    low, high = share.limits
    return {
        "share": share.value,
        "agreed": share.successes,
        "compared": share.trials,
        "interval": [low, high],
        "confidence": CONFIDENCE,
    }


def _forecast(found: Forecast | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "month_usd": found.month_nanos / 1e9,
        "spent_usd": found.spent_nanos / 1e9,
        "rest_usd": found.rest_nanos / 1e9,
        "from_whole_days": found.days,
        "by_weekday": found.by_weekday,
        "is_of_whole_month": found.is_of_whole_month,
    }
