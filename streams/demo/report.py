"""What a demo says in the end, for people and for machines."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from streams.monitoring.window import Window
from streams.verify.verdict import Verdict
from streams.verify.verdict_text import verdict_json, verdict_lines


class Accuracy(NamedTuple):
    """Shares of the `labelled` texts that were labelled the same; None where there is no label to compare with."""

    labelled: int
    edge: float | None  # the edge model, on all of them
    cloud: float | None  # the cloud model, on all of them
    line: float | None  # what was published


@dataclass(frozen=True)
class Report:
    """What a demo ends with: the judgement, the monitor's totals, accuracy, seconds from first event to last."""

    verdict: Verdict
    total: Window
    accuracy: Accuracy
    redacted: int  # events in whose texts personal data was found
    seconds: float

    @property
    def redacted_share(self) -> float:
        """The share of events that had personal data in their texts."""
        return self.redacted / self.total.events if self.total.events else 0.0

    @property
    def edge_share(self) -> float:
        """The share of events that the edge answered."""
        return self.total.routes["edge"] / self.total.events if self.total.events else 0.0

    @property
    def latency_ms(self) -> dict[str, float | None]:
        """End-to-end latency at three quantiles, within 1 %; None without events."""
        sketch = self.total.end_to_end_ms
        return {f"p{percent}": sketch.get_quantile_value(percent / 100) for percent in (50, 95, 99)}

    @property
    def cost_usd(self) -> float:
        """What was spent, by the prices in force."""
        return self.total.cost_nanos / 1e9

    @property
    def cloud_only_cost_usd(self) -> float:
        """What it would have been with no edge."""
        return self.total.cloud_only_cost_nanos / 1e9


def report_json(report: Report) -> dict[str, Any]:
    """The report for machines: the verdict's counts, and the demo's figures."""
    return {
        **verdict_json(report.verdict),
        "edge_share": report.edge_share,
        "redacted_share": report.redacted_share,
        "redacted_kinds": dict(report.total.kinds),
        "degraded": report.total.degraded,
        "reasons": dict(report.total.reasons),
        "accuracy": {"edge": report.accuracy.edge, "cloud": report.accuracy.cloud, "line": report.accuracy.line},
        "labelled": report.accuracy.labelled,
        "latency_ms": report.latency_ms,
        "cost_usd": report.cost_usd,
        "cloud_only_cost_usd": report.cloud_only_cost_usd,
        "measured_cost_usd": report.total.measured_cost_nanos / 1e9,
        "tokens": {
            "in": report.total.tokens_in,
            "out": report.total.tokens_out,
            "cached": report.total.tokens_cached,
        },
        "roles": {
            role: {"events": count, "cost_usd": report.total.role_cost_nanos[role] / 1e9}
            for role, count in sorted(report.total.roles.items())
        },
        "seconds": report.seconds,
    }


def report_lines(report: Report) -> list[str]:
    """The report for people."""
    cost, cloud_only = report.cost_usd, report.cloud_only_cost_usd
    saved = 1 - cost / cloud_only if cloud_only else 0.0
    latency = " / ".join("-" if ms is None else f"{ms:.0f}" for ms in report.latency_ms.values())
    return [
        f"{report.verdict.events:,} events in {report.seconds:.0f} s",
        f"  answered on the edge      {report.edge_share:.1%}",
        f"  personal data             in {report.redacted_share:.1%} of the texts{_most(report)}",
        f"  latency p50 / p95 / p99   {latency} ms, from Kafka's taking the event to its result",
        f"  cost                      ${cost:.2f}; with the cloud alone ${cloud_only:.2f}: {saved:.1%} saved",
        *_bill_lines(report.total),
        *_accuracy_lines(report.accuracy),
        "",
        *verdict_lines(report.verdict),
    ]


def _most(report: Report) -> str:
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in report.total.kinds.most_common(3))
    return f": {kinds}" if kinds else ""


def _bill_lines(total: Window) -> list[str]:
    """The cost by role, what of it was measured, the tokens, and what no budget paid for, where there are any."""
    lines = []
    if len(total.roles) > 1:
        roles = (f"{role} ${total.role_cost_nanos[role] / 1e9:.2f}" for role, _ in total.roles.most_common())
        lines.append(f"    by who spoke            {', '.join(roles)}")
    if total.measured_cost_nanos:
        lines.append(f"    of this measured        ${total.measured_cost_nanos / 1e9:.6f}; the rest is assumed")
    if total.tokens_in:
        read, cached, written = total.tokens_in, total.tokens_cached, total.tokens_out
        lines.append(
            f"    the cloud's tokens      {read:,} read, {cached:,} of them from its cache; {written:,} written"
        )
    if unpaid := total.reasons["budget_exhausted"]:
        lines.append(f"    the budget is spent     {unpaid:,} events kept the edge's answer")
    return lines


def _accuracy_lines(accuracy: Accuracy) -> list[str]:
    if accuracy.edge is None or accuracy.cloud is None or accuracy.line is None:
        return ["  accuracy                  none of the events was labelled"]
    return [
        f"  accuracy                  {accuracy.line:.1%} of {accuracy.labelled:,} labelled events as published",
        f"    the edge model alone    {accuracy.edge:.1%}",
        f"    the cloud model alone   {accuracy.cloud:.1%}, had it been asked about every one of them",
    ]
