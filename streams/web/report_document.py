"""A report as a document: its sections, in the order in which people ask."""

from collections.abc import Mapping

from schemas.records import LABELS
from streams.monitoring.share import Share
from streams.monitoring.window import Window
from streams.system.clock import iso
from streams.web.alerts_section import alerts_section
from streams.web.cost_section import cost_section
from streams.web.days import by_day
from streams.web.document import Chart, Document, Section, Series, Table
from streams.web.latency_section import latency_section
from streams.web.quality_section import quality_section
from streams.web.report import Report, agreement, edge_share, labels_by, quantiles, saved_share
from streams.web.written import NONE, figure, limits, milliseconds, percent, usd

_MOST_ROWS = 30
"""Of a table by names; the rest are added up in its last row."""


def report_document(report: Report) -> Document:
    """The document. Where the period has no window it says so, and has the conversations alone."""
    total = report.period.total()
    made = f"Made at {iso(report.made_at)} from the topics monitoring, conversations, alerts and labels"
    if not report.period.days:
        nothing = f"{made}. No window of monitoring starts at {iso(report.period.since_ms)} or later."
        return Document("Edgewise report", [nothing], [_conversations(report)])
    return Document(
        "Edgewise report",
        [
            f"{made}: windows from {iso(total.start)} to {iso(total.end)}. Days and months are those of UTC.",
            *_missing(report.period.unreadable),
            _glance(report, total),
        ],
        [
            cost_section(report, total),
            quality_section(report, total),
            latency_section(report, total),
            alerts_section(report),
            _routes(report, total),
            Section("Labels", [_labels("role", total.role_labels), _labels("channel", total.channel_labels)]),
            Section(
                "Languages and personal data",
                [
                    _counted("Events by language", "language", total.languages, total.events),
                    _counted("Events by kind of personal data in their texts", "kind", total.kinds, total.events),
                ],
            ),
            _in_force(report, total),
            _conversations(report),
        ],
    )


def _missing(windows: int) -> list[str]:
    if not windows:
        return []
    return [f"{figure(windows)} windows could not be read and are missing from it: `edgewise verify` names them."]


def _glance(report: Report, total: Window) -> Table:
    at_risk = report.at_risk.at_risk
    rows = [
        ("events scored", figure(total.events)),
        ("not scored", figure(total.skipped)),
        ("answered on the edge", percent(edge_share(total))),
        ("cost, USD", usd(total.cost_nanos)),
        ("with the cloud alone, USD", usd(total.cloud_only_cost_nanos)),
        ("saved", percent(saved_share(total))),
        *_accuracy(report),
        ("agreement of edge and cloud", f"{percent(agreement(total).value)} ({limits(agreement(total))})"),
        ("latency p95, ms", milliseconds(quantiles(total.end_to_end_ms)["p95"])),
        ("conversations at risk", figure(at_risk.total())),
        ("of these open", figure(at_risk["open"])),
    ]
    return Table("At a glance", ("figure", "value"), rows)


def _accuracy(report: Report) -> list[tuple[str, str]]:
    found = report.accuracy.total
    return [("accuracy by people's labels", f"{percent(found.value)} ({limits(found)})")] if found.trials else []


def _routes(report: Report, total: Window) -> Section:
    shares = by_day(report.period, edge_share)
    return Section(
        "Routes and reasons",
        [
            Chart(
                "Share of events that the edge answered",
                f"A point a day; in the whole period {percent(edge_share(total))}.",
                list(shares),
                [Series("edge share", list(shares.values()))],
                written=lambda share: f"{share:.0%}",
                top=1.0,
            ),
            _counted("Events by reason", "reason", total.reasons, total.events),
            (
                f"The edge answered {figure(total.degraded)} events because the cloud could not, or was not to be "
                f"asked (degraded); {figure(total.skipped)} were not scored."
            ),
        ],
    )


def _labels(what: str, counts: Mapping[str, int]) -> Table:
    rows = []
    for of, labels in labels_by(counts):
        events = sum(labels.values())
        cells = [f"{figure(labels.get(label, 0))} ({percent(labels.get(label, 0) / events)})" for label in LABELS]
        rows.append((of, *cells, figure(events)))
    return Table(f"Labels published, by {what}", (what, *LABELS, "events"), rows)


def _counted(caption: str, what: str, counts: Mapping[str, int], events: int) -> Table:
    """The most frequent first."""
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    shown, rest = ordered[:_MOST_ROWS], ordered[_MOST_ROWS:]
    if rest:
        shown.append((f"{len(rest)} more", sum(count for _, count in rest)))
    return Table(
        caption, (what, "events", "share"), [(name, figure(n), percent(Share(n, events).value)) for name, n in shown]
    )


def _in_force(report: Report, total: Window) -> Section:
    last = report.in_force or total
    in_force = {
        "model": ", ".join(sorted(last.models)) or NONE,
        "policy": ", ".join(sorted(last.routers)) or NONE,
    }
    day = iso(last.start)[:10]
    return Section(
        "Models and policies",
        [
            f"In force on {day}, the last day with events: models {in_force['model']}; policies {in_force['policy']}.",
            _counted("Events by the model that answered", "model", total.models, total.events),
            _counted("Events by routing policy", "policy", total.routers, total.events),
        ],
    )


def _conversations(report: Report) -> Section:
    found = report.at_risk
    highest = found.highest()
    said = (
        f"{figure(found.at_risk.total())} of {figure(found.conversations.total())} conversations have a risk of "
        f"escalation of {found.threshold:g} or more; {figure(found.at_risk['open'])} of them are open."
    )
    if not highest:
        return Section("Conversations at risk", [said])
    rows = [
        (
            each.conversation_id,
            f"{each.risk:.2f}",
            each.status,
            each.channel,
            figure(each.turns),
            iso(each.last_turn_at),
            ", ".join(each.reasons),
        )
        for each in highest
    ]
    header = ("conversation", "risk", "status", "channel", "turns", "last turn", "reasons")
    shown = "All of them" if len(highest) == found.at_risk.total() else f"The {len(highest)} of the highest risk"
    return Section("Conversations at risk", [said, Table(shown, header, rows, frozenset((2, 3, 5, 6)))])
