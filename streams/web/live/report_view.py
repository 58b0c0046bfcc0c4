"""The report of the last thirty days, whose rows and points lead to their events."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from streams.config.settings import Settings
from streams.monitoring.at_risk import AtRisk
from streams.monitoring.forecast import forecast
from streams.monitoring.people import BY
from streams.monitoring.period import DAY_MS
from streams.monitoring.window import OTHER
from streams.system.clock import iso
from streams.web.document import Chart, Link, Section, Table
from streams.web.live.board import DAYS, Board
from streams.web.live.conversations_view import risk_table
from streams.web.live.event_filter import events_path
from streams.web.live.layout import View, path
from streams.web.report import Report
from streams.web.report_document import report_document

_MOST: Final = 50
_PARAMETERS: Final = frozenset(("role", "channel", "reason", "language", "kind", "model", "policy"))
"""What the first column of a table may name: the parameter of the list of events that asks for it."""
_SCORED: Final = {"scored": "yes"}
_ANSWERED: Final = {"stage": "completed", "scored": "yes"}
_CLOUD: Final = {**_ANSWERED, "route": "cloud"}
_SAMPLE: Final = {**_CLOUD, "reason": "random_cloud"}
_ROWS: Final[Mapping[str, Mapping[str, str]]] = {
    **dict.fromkeys(("cost, USD", "with the cloud alone, USD", "saved", "model time"), _SCORED),
    **dict.fromkeys(("events scored", "accuracy by people's labels", "all labelled events"), _ANSWERED),
    **dict.fromkeys(("latency p95, ms", "end to end", "published with the vendor's own label"), _ANSWERED),
    **dict.fromkeys(("agreement of edge and cloud", "edge with cloud, on the random sample"), _SAMPLE),
    **dict.fromkeys(("read", "of these from its cache", "written"), _CLOUD),
    "answered on the edge": {**_ANSWERED, "route": "edge"},
    "not scored": {"scored": "no"},
}
"""The events that a row is made of, by its name, where the first column names no parameter."""
_VIEWS: Final = {
    "conversations at risk": path("/conversations"),
    "of these open": path("/conversations", status="open"),
    "rule": path("/alerts"),
}
"""What leads to another view, by its own or by its column's name."""


def report_view(board: Board, settings: Settings, now_ms: int) -> View:
    """The view as of `now_ms` (UTC)."""
    since_ms = (now_ms // DAY_MS - DAYS + 1) * DAY_MS
    period = board.period(since_ms)
    at_risk = AtRisk(settings.escalation_risk, _MOST)
    at_risk.conversations.update(board.risks.by_status())
    at_risk.at_risk.update(board.risks.at_risk(settings.escalation_risk))
    document = report_document(Report(period, at_risk, forecast(period, now_ms), now_ms, board.people, board.firings()))
    sections = [
        Section(section.title, [_linked(part, since_ms) for part in section.parts]) for section in document.sections
    ]
    lead = [_linked(part, since_ms) for part in document.lead]
    highest = [each for each in board.risks.highest(_MOST) if each.risk >= settings.escalation_risk]
    if highest:
        sections.append(Section("Who they are", [risk_table("The highest risks", highest, settings.escalation_risk)]))
    return View("Thirty days", "/report", lead, sections, is_live=True)


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
    href = _VIEWS.get(what) or _VIEWS.get(name)
    if (wanted := _wanted(what, name)) is not None:
        href = events_path(since_ms, None, **wanted)
    return name if href is None else Link(name, href)


def _wanted(what: str, name: str) -> Mapping[str, str] | None:
    """What is asked of the events that the row called `name` is made of; None: there are none to ask for."""
    by, _, named = name.partition(" ")
    if what == "events" and by in BY:  # of accuracy by people's labels
        return {**_ANSWERED, by: named}
    if what in _PARAMETERS:
        return None if name == OTHER or name.endswith(" more") else {**_ANSWERED, what: name}
    return _ROWS.get(name)


def _midnight(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1000
