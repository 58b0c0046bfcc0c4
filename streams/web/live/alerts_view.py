"""Alerts: what fires, and what has resolved."""

from collections.abc import Sequence

from schemas.records import Alert
from streams.monitoring.health_metrics import number_text
from streams.system.clock import iso
from streams.web.document import Link, Section, Table
from streams.web.live.board import Board
from streams.web.live.event_filter import figure_path
from streams.web.live.layout import View, path
from streams.web.written import NONE, figure, lasted

_MOST = 200


def alerts_view(board: Board, now_ms: int) -> View:
    """The view as of `now_ms` (UTC)."""
    found = board.alerts()
    firing = [alert for alert in found if alert.state == "firing"]
    resolved = [alert for alert in found if alert.state != "firing"]
    return View(
        "Alerts",
        "/alerts",
        [f"Firing now: {figure(len(firing))}. The rules are those of `edgewise health`; docs/health.md tells of them."],
        [
            *([Section("Firing", [alert_table(firing[:_MOST], now_ms)])] if firing else []),
            *([Section("Resolved", [alert_table(resolved[:_MOST], now_ms)])] if resolved else []),
        ],
        is_live=True,
    )


def alert_table(alerts: Sequence[Alert], now_ms: int) -> Table:
    """A row an alert; its rule leads to the conversation that it is about, where it is about one, else to health."""
    rows = [
        (
            Link(alert.rule, path("/conversation", id=alert.subject) if alert.subject else "/health"),
            alert.severity,
            f"{alert.state}, silenced" if alert.silenced else alert.state,
            f"{alert.metric}, {lasted(alert.window_ms)}" if alert.window_ms else alert.metric,
            _value(alert),
            _number(alert.bound),
            iso(alert.started_at),
            lasted((alert.resolved_at or now_ms) - alert.started_at),
            alert.summary,
        )
        for alert in alerts
    ]
    header = ("rule", "severity", "state", "of", "value", "bound", "since", "for", "what")
    return Table("Alerts: the rules' first, by severity", header, rows, frozenset((1, 2, 3, 6, 7, 8)))


def _value(alert: Alert) -> str:
    """It leads to the events that it was measured on, where these have audit events: lag and dead letters have none."""
    said = _number(alert.value)
    if alert.value is None or not alert.window_ms or alert.metric == "dead_letters":
        return said
    since_ms = alert.updated_at - alert.window_ms
    return Link(said, figure_path(alert.metric, alert.value, since_ms, alert.updated_at))


def _number(value: float | None) -> str:
    return NONE if value is None else number_text(value)
