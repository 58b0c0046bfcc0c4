"""The report of the last thirty days, whose rows and points lead to their events."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from streams.config.settings import Settings
from streams.monitoring.at_risk import AtRisk
from streams.monitoring.forecast import forecast
from streams.monitoring.period import DAY_MS
from streams.monitoring.window import OTHER
from streams.system.clock import iso
from streams.web.document import Chart, Link, Section, Table
from streams.web.live.board import DAYS, Board
from streams.web.live.event_filter import events_path
from streams.web.live.layout import View
from streams.web.report import Report
from streams.web.report_document import report_document

_MOST: Final = 50
_PARAMETERS: Final = frozenset(("role", "channel", "reason", "language", "kind", "model", "policy"))
"""What the first column of a table may name: the parameter of the list of events that asks for it."""


def report_view(board: Board, settings: Settings, now_ms: int) -> View:
    """The view as of `now_ms` (UTC)."""
    since_ms = (now_ms // DAY_MS - DAYS + 1) * DAY_MS
    period = board.period(since_ms)
    at_risk = AtRisk(settings.escalation_risk, _MOST)
    at_risk.conversations.update(board.risks.by_status())
    at_risk.at_risk.update(board.risks.at_risk(settings.escalation_risk))
    alerts = [alert for alert in reversed(board.alerts()) if not alert.subject]
    document = report_document(Report(period, at_risk, forecast(period, now_ms), now_ms, board.people, alerts))
    return View(
        "Thirty days",
        "/report",
        [_linked(part, since_ms) for part in document.lead],
        [Section(section.title, [_linked(part, since_ms) for part in section.parts]) for section in document.sections],
        is_live=True,
    )


def _linked(part: str | Table | Chart, since_ms: int) -> str | Table | Chart:
    """A table's rows, and a chart's days, each with a way to the events that it is made of."""
    if isinstance(part, Chart):
        days = [_link("day", place, since_ms) for place in part.places]
        return replace(part, leads_to=[day.href if isinstance(day, Link) else None for day in days])
    if not isinstance(part, Table):
        return part
    rows = [(_link(part.header[0], row[0], since_ms), *row[1:]) for row in part.rows]
    return replace(part, rows=rows)


def _link(what: str, name: str, since_ms: int) -> str:
    if what == "day":
        begin = _midnight(name)
        return Link(name, events_path(begin, begin + DAY_MS, scored="yes"))
    if what == "month":
        begin = _midnight(f"{name}-01")
        after = _midnight(f"{iso(begin + 31 * DAY_MS)[:7]}-01")
        return Link(name, events_path(max(begin, since_ms), after, scored="yes"))
    if what not in _PARAMETERS or name == OTHER or name.endswith(" more"):
        return name
    return Link(name, events_path(since_ms, None, stage="completed", scored="yes", **{what: name}))


def _midnight(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1000
