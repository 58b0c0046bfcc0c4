"""The first view: is it well, what does it cost, which conversations need a person."""

from collections.abc import Iterator, Mapping

from schemas.records import LABELS
from streams.config.settings import Settings
from streams.monitoring.health import Health
from streams.monitoring.health_metrics import number_text
from streams.monitoring.health_rules import HealthRule
from streams.monitoring.period import DAY_MS
from streams.monitoring.share import Share
from streams.monitoring.window import OTHER, Window
from streams.system.clock import iso
from streams.web.document import Chart, Link, Section, Series, Table
from streams.web.live.alerts_view import alert_table
from streams.web.live.board import Board
from streams.web.live.conversations_view import risk_table
from streams.web.live.event_filter import events_path
from streams.web.live.health_view import WORD_STANDING
from streams.web.live.layout import Card, View, cards
from streams.web.live.span import Span, SpanName, span_links, span_of
from streams.web.report import agreement, budget_used, edge_share, labels_by, quantiles, saved_share
from streams.web.written import figure, limits, milliseconds, percent, usd

_MOST = 10


def overview(board: Board, settings: Settings, bounds: Mapping[str, HealthRule], name: SpanName, now_ms: int) -> View:
    """The view of the span called `name`; `bounds` has the rule by which a metric is judged."""
    span = span_of(board, name, now_ms)
    total = span.total
    health = board.health(total, span.known, bounds)
    alerts = [alert for alert in board.alerts() if alert.state == "firing"]
    return View(
        "Edgewise",
        "/",
        [
            span_links("/", name),
            f"From {iso(span.since_ms)} to {iso(now_ms)}. Days are those of UTC.",
            cards(_cards(board, settings, span, health, len(alerts), now_ms)),
        ],
        [
            *([Section("Alerts that fire", [alert_table(alerts[:_MOST], now_ms)])] if alerts else []),
            Section("Conversations by risk", _conversations(board, settings)),
            Section("Over time", [_events(span), _costs(span), _latency(span)] if total.events else [_NOTHING]),
            Section(
                "Why, and by whom",
                [
                    _counted("Events by reason", "reason", total.reasons, total.events, span),
                    _labels("role", total.role_labels, span),
                    _labels("channel", total.channel_labels, span),
                ],
            ),
            Section("Models and policies in force", list(_in_force(span, total))),
        ],
        is_live=True,
    )


_NOTHING = "Nothing was recorded in this time."


def _cards(board: Board, settings: Settings, span: Span, found: Health, firing: int, now_ms: int) -> Iterator[Card]:
    total = span.total
    standing = {each.metric.name: each.standing for each in found.figures}
    since = span.since_ms
    yield Card(
        "health",
        "unknown" if found.score is None else f"{found.score} {found.word}",
        f"/health?span={span.name}",
        "of 100" if found.score is not None else "no event was scored",
        WORD_STANDING.get(found.word, ""),
    )
    yield Card("alerts that fire", figure(firing), "/alerts", "", "missed" if firing else "kept")
    at_risk = board.risks.at_risk(settings.escalation_risk)
    yield Card(
        "conversations at risk",
        figure(sum(at_risk.values())),
        "/conversations",
        f"{figure(at_risk.get('open', 0))} of them open; risk of {settings.escalation_risk:g} or more",
    )
    rate, begin = board.rate()
    yield Card(
        "events a second", f"{rate:,.3g}", events_path(begin, None, stage="completed", scored="yes"), "last minutes"
    )
    scored = {"stage": "completed", "scored": "yes"}
    yield Card(
        "events scored", figure(total.events), events_path(since, None, **scored), f"{figure(total.skipped)} not scored"
    )
    share = edge_share(total)
    yield Card(
        "edge share",
        percent(share),
        events_path(since, None, route="edge", **scored),
        "answered on the worker",
        standing.get("edge_share", ""),
    )
    p95 = quantiles(total.end_to_end_ms)["p95"]
    slower = None if p95 is None else f"{p95:.6g}"
    yield Card(
        "latency p95, ms",
        milliseconds(p95),
        events_path(since, None, slower=slower, **scored),
        "leads to those that took longer",
        standing.get("latency_p95_ms", ""),
    )
    yield from _money(board, span, total, now_ms, standing)
    found_agreement = agreement(total)
    yield Card(
        "agreement with the cloud",
        percent(found_agreement.value),
        events_path(since, None, reason="random_cloud", route="cloud", **scored),
        f"{limits(found_agreement)}, of {figure(found_agreement.trials)} drawn",
        standing.get("agreement", ""),
    )
    yield Card(
        "degraded",
        percent(Share(total.degraded, total.events).value),
        events_path(since, None, degraded="yes", **scored),
        f"{figure(total.degraded)} events",
        standing.get("degraded_share", ""),
    )


def _money(board: Board, span: Span, total: Window, now_ms: int, standing: Mapping[str, str]) -> Iterator[Card]:
    today_ms = now_ms // DAY_MS * DAY_MS
    today = board.period(today_ms).total()
    yield Card(
        "cost today, USD",
        usd(today.cost_nanos),
        events_path(today_ms, None, scored="yes"),
        f"{usd(today.cloud_only_cost_nanos)} with the cloud alone: {percent(saved_share(today))} saved",
        standing.get("cost_per_event_usd", ""),
    )
    yield Card(
        f"cost, last {span.name}, USD",
        usd(total.cost_nanos),
        events_path(span.since_ms, None, scored="yes"),
        f"{usd(total.cloud_only_cost_nanos)} with the cloud alone",
    )
    used = budget_used(today)
    if used is not None:
        unpaid = today.reasons["budget_exhausted"]
        yield Card(
            "budget used today",
            f"{used} %",
            events_path(today_ms, None, reason="budget_exhausted"),
            f"at its highest; {figure(unpaid)} events unpaid",
            "missed" if used >= 100 else "kept",
        )


def _events(span: Span) -> Chart:
    counts = [None if window is None else float(window.events) for window in span.windows]
    return Chart(
        f"Events by {span.unit}",
        f"A bar for each {span.unit}; {figure(span.total.events)} events in all.",
        span.places,
        [Series("events", counts)],
        written=lambda count: f"{count:,.0f}",
        bars=True,
        leads_to=span.events(),
    )


def _costs(span: Span) -> Chart:
    def dollars(nanos: str) -> list[float | None]:
        return [None if window is None else getattr(window, nanos) / 1e9 for window in span.windows]

    total = span.total
    return Chart(
        f"Cost by {span.unit}, USD",
        f"{usd(total.cost_nanos)} USD in all, as a bar for each {span.unit}; "
        f"{usd(total.cloud_only_cost_nanos)} with the cloud alone, as a line.",
        span.places,
        [Series("cost", dollars("cost_nanos")), Series("with the cloud alone", dollars("cloud_only_cost_nanos"))],
        written=number_text,
        bars=True,
        leads_to=span.events(),
    )


def _latency(span: Span) -> Chart:
    found = [None if window is None else quantiles(window.end_to_end_ms) for window in span.windows]
    return Chart(
        "Latency from end to end, ms",
        f"A point for each {span.unit}; p95 of the whole time is "
        f"{milliseconds(quantiles(span.total.end_to_end_ms)['p95'])} ms.",
        span.places,
        [Series(name, [None if each is None else each[name] for each in found]) for name in ("p50", "p95", "p99")],
        written=milliseconds,
        leads_to=span.events(),
    )


def _conversations(board: Board, settings: Settings) -> list[str | Table]:
    highest = board.risks.highest(_MOST)
    by_status = ", ".join(
        f"{figure(count)} {status.replace('_', ' ')}" for status, count in board.risks.by_status().items()
    )
    said = f"Of all that were heard of in 30 days: {by_status or 'none'}."
    return [said, risk_table("The highest risks", highest, settings.escalation_risk)] if highest else [said]


def _counted(caption: str, what: str, counts: Mapping[str, int], events: int, span: Span) -> Table:
    rows = [
        (name, _count(count, span, **{what: name}), percent(Share(count, events).value))
        for name, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    ]
    return Table(caption, (what, "events", "share"), rows)


def _labels(what: str, counts: Mapping[str, int], span: Span) -> Table:
    rows = []
    for of, labels in labels_by(counts):
        cells = [_count(labels.get(label, 0), span, label=label, **{what: of}) for label in LABELS]
        rows.append((of, *cells, _count(sum(labels.values()), span, **{what: of})))
    return Table(f"Labels published, by {what}", (what, *LABELS, "events"), rows)


def _in_force(span: Span, total: Window) -> Iterator[str | Table]:
    if not span.known:
        yield _NOTHING
        return
    last = span.known[-1]
    named = {"models": last.models, "policies": last.routers}
    said = "; ".join(f"{what} {', '.join(sorted(counts)) or 'none'}" for what, counts in named.items())
    yield f"In the last {span.unit} with events, from {iso(last.start)}: {said}."
    yield _counted("Events by the model that answered", "model", total.models, total.events, span)
    yield _counted("Events by routing policy", "policy", total.routers, total.events, span)


def _count(count: int, span: Span, **wanted: str) -> str:
    """A count that leads to the events that it is of."""
    if not count or OTHER in wanted.values():
        return figure(count)
    return Link(figure(count), events_path(span.since_ms, None, stage="completed", scored="yes", **wanted))
