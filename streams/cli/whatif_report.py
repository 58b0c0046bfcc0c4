"""What `edgewise whatif` prints."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from models.router import Policy
from streams.cli.plot import Axes, Mark, text_plot
from streams.cli.route_report import left_out
from streams.cli.table import aligned
from streams.monitoring.what_if import Outcome, WhatIf

_COLUMNS = (
    "threshold", "edge", "$ a day", "$ a month", "saved", "kept agree", "interval", "known", "line agrees", "",
)  # fmt: skip


@dataclass(frozen=True)
class Report:
    """The outcomes of the policies that were tried, that of the settings among them, and the best if one was asked."""

    what_if: WhatIf
    outcomes: list[Outcome]
    base: Policy
    best: Outcome | None

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        decisions = self.what_if.decisions
        return {
            "recorded": {
                "decisions": len(decisions),
                "policy": decisions.decider.policy,
                "edge_model": decisions.decider.edge_model,
                "cloud_models": list(decisions.cloud_models),
                "since": decisions.since,
                "until": decisions.until,
                "unanswered": decisions.unanswered,
                "not_scored": decisions.not_scored,
                "left_out": decisions.left_out,
            },
            "events_per_day": self.what_if.events_a_day,
            "edge_usd": self.what_if.edge_usd,
            "mean_cloud_usd": float(self.what_if.call_usd.mean()),
            "confidence": self.what_if.confidence,
            "outcomes": [_outcome(each) for each in self.outcomes],
            "best": None if self.best is None else _outcome(self.best),
        }


def as_text(report: Report) -> str:
    """The table, the plot, the best, and what is unknown."""
    what_if, decisions = report.what_if, report.what_if.decisions
    decider = decisions.decider
    lines = [
        f"{len(decisions):,} decisions by {decider.policy} on {decider.edge_model}",
        f"recorded from {decisions.since} to {decisions.until}",
        f"a day: {what_if.events_a_day:,.0f} events{_rate(report)}",
        f"an event costs {what_if.edge_usd:.6f} dollars on the edge, a call of the cloud {what_if.call_usd.mean():.6f}",
        "",
        *aligned(_COLUMNS, *(_row(each, report) for each in report.outcomes)),
        "",
        text_plot(axes(report)),
        "",
    ]
    if report.best is not None:
        lines += [*_best(report.best, what_if.confidence), ""]
    return "\n".join([*lines, *_unknown(report)])


def axes(report: Report) -> Axes:
    """The outcomes as a curve."""
    marks = [
        Mark(1 - each.edge_share, each.agreement, *each.interval)
        for each in report.outcomes
        if each.agreement is not None
    ]
    title = "share of the edge's answers that agree with the cloud (o) and its interval (|)"
    return Axes(title, "share that goes to the cloud", marks or [Mark(0.0, 0.0, 0.0, 1.0)])


def _row(outcome: Outcome, report: Report) -> tuple[str, ...]:
    notes = [outcome.policy.id if outcome.policy == report.base else outcome.policy.name]
    if outcome.exhausted_share:
        notes.append(f"budget spent for {outcome.exhausted_share:.1%}")
    if outcome.policy.name == report.base.name and outcome.policy != report.base:
        notes.pop(0)
    return (
        f"{outcome.policy.confidence_threshold:.4f}",
        f"{outcome.edge_share:.1%}",
        f"{outcome.usd_a_day:,.2f}",
        f"{outcome.usd_a_month:,.2f}",
        f"{outcome.saved:.1%}",
        _share(outcome.agreement),
        f"{outcome.interval[0]:.4f}-{outcome.interval[1]:.4f}",
        f"{outcome.kept.known:,}",
        _share(outcome.line_agreement),
        "; ".join(notes),
    )


def _best(best: Outcome, confidence: float) -> Iterator[str]:
    policy = best.policy
    yield (
        f"best: confidence_threshold {policy.confidence_threshold:g}: {best.edge_share:.1%} on the edge, "
        f"{best.usd_a_day:,.2f} dollars a day, {best.usd_a_month:,.2f} a month"
    )
    yield (
        f"there kept answers agree {_share(best.agreement)} ({best.interval[0]:.4f} to {best.interval[1]:.4f} with "
        f"confidence {confidence:g}), all answers {_share(best.line_agreement)}"
    )


def _unknown(report: Report) -> Iterator[str]:
    decisions = report.what_if.decisions
    outcome = report.what_if.outcome(report.base)
    kept = outcome.kept
    yield (
        f"known: of {kept.events:,} answers that {report.base.id} keeps, {kept.known:,} have the cloud's beside them; "
        "of the rest agreement is an estimate"
    )
    yield (
        f"by its own calibrated confidence the edge is right in {_share(outcome.expected_right)} of these, if the "
        "calibration holds for this traffic"
    )
    yield "agreement is with the cloud, not with people; the cloud's own answers count as agreeing"
    yield from left_out(decisions)


def _rate(report: Report) -> str:
    seconds = report.what_if.decisions.span_ms / 1000
    hours = seconds / 3600
    recorded = (
        f"{hours / 24:,.1f} days" if hours >= 24 else f"{hours:,.1f} hours" if hours >= 1 else f"{seconds:,.0f} s"
    )
    return f", as asked ({recorded} are recorded)" if report.what_if.scale != 1 else f", as in the {recorded} recorded"


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"


def _outcome(outcome: Outcome) -> dict[str, Any]:
    policy = outcome.policy
    return {
        "policy": policy.id,
        "confidence_threshold": policy.confidence_threshold,
        "complexity_threshold": policy.complexity_threshold,
        "random_cloud_rate": policy.random_cloud_rate,
        "edge_share": outcome.edge_share,
        "budget_exhausted_share": outcome.exhausted_share,
        "usd_per_day": outcome.usd_a_day,
        "usd_per_month": outcome.usd_a_month,
        "saved": outcome.saved,
        "kept_agreement": outcome.agreement,
        "kept_agreement_interval": list(outcome.interval),
        "known": outcome.kept.known,
        "expected_right": outcome.expected_right,
        "line_agreement": outcome.line_agreement,
    }
