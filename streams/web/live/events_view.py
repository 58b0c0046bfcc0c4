"""Audit events: those that a figure is made of, and one of them, with why it went where it went."""

from collections.abc import Mapping, Sequence
from typing import Final

from schemas.records import Reason, RoutingEvent
from streams.kafka.client import Cluster
from streams.monitoring.window import published_confidence, published_label
from streams.operate.audit_trail import SLACK_MS, Recorded, events_of, find_events, texts_of
from streams.system.clock import iso
from streams.web.document import Link, Section, Table
from streams.web.live.event_filter import CONDITIONS, EventFilter
from streams.web.live.layout import View, form, links, path
from streams.web.written import NONE, figure, milliseconds, percent, usd

_A_PAGE: Final = 100

WHY: Final[Mapping[Reason, str]] = {
    "optimal_edge": "The edge model was sure enough of a text that is simple enough, and its answer was kept.",
    "high_complexity": "The text is more complex than the policy leaves to the edge.",
    "low_confidence": "The edge model was less sure than the policy asks for.",
    "random_cloud": "The edge's answer would have been kept: the event was drawn at random to be asked of the cloud "
    "too, for the sample that agreement is counted on.",
    "cloud_error": "The cloud gave no answer in time, or a wrong one, and the edge's went out instead.",
    "sensitive_local": "A rule keeps such an event on the worker: nothing of it was sent to the cloud.",
    "unsupported_language": "No model that may be asked reads the text's language.",
    "budget_exhausted": "The budget did not pay for another call of the cloud, and the edge's answer went out.",
    "cloud_unavailable": "The cloud had failed again and again and was not asked, and the edge's answer went out.",
    "unknown": "It was written by a later version, for a reason that this one does not know.",
    "not_scored": "The settings do not score such an event, by its role or its language: no model was asked.",
}
"""What a reason means for the event."""

_FIELDS: Final = (
    *("turn", "role", "channel", "language", "source", "last", "route", "reason", "degraded", "scored", "edge_label"),
    *("edge_confidence", "cloud_label", "cloud_confidence", "vendor_label", "model", "router", "pii", "text_chars"),
    *("inference_ms", "end_to_end_ms", "tokens_in", "tokens_out", "tokens_cached", "calls", "cost_basis"),
    "budget_used",
)
"""Those of an audit event that are told as they are."""


def events_view(cluster: Cluster, wanted: EventFilter, given: Mapping[str, str], now_ms: int) -> View:
    """The list of the events that are `wanted`; `given`: what the form is to hold. Raises what `find_events` raises."""
    found = find_events(cluster, wanted.matches, wanted.since_ms, wanted.until_ms, _A_PAGE, wanted.skip)
    time = f"recorded from {iso(wanted.since_ms)} to {iso(min(wanted.until_ms, now_ms))}"
    if found.is_whole:
        said = f"{figure(found.matched)} audit events {time}; they cost {usd(found.cost_nanos)} USD."
    else:
        said = (
            f"There are too many records to look at all of them at once. From {iso(found.reached_ms)} on there are "
            f"{figure(found.matched)} audit events, which cost {usd(found.cost_nanos)} USD; asked for are those {time}."
        )
    shown: list[str | Table] = [event_table("The latest first", found.events)] if found.events else []
    if (older := _older(wanted, found.events, found.reached_ms, is_whole=found.is_whole)) is not None:
        shown.append(links("More", [("Older events", older, False)]))
    fields = {name: (each.label, given.get(name, ""), each.choices) for name, each in CONDITIONS.items()} | {
        "since": ("from (-1h, or a time)", given.get("since", ""), ()),
        "until": ("to", given.get("until", ""), ()),
        "slower": ("not quicker than, ms", given.get("slower", ""), ()),
    }
    return View("Events", "/events", [said, *shown], [Section("Look for others", [form("/events", fields, "Look")])])


def _older(wanted: EventFilter, shown: Sequence[Recorded], reached_ms: int, *, is_whole: bool) -> str | None:
    """Where the list goes on; None: it is at its end. Several events may be recorded in one millisecond."""
    if len(shown) < _A_PAGE:
        return None if is_whole else wanted.href(reached_ms, 0)
    last = shown[-1].recorded_at
    same = sum(each.recorded_at == last for each in shown)
    before = wanted.skip if last + 1 == wanted.until_ms else 0
    return wanted.href(last + 1, same + before)


def event_table(caption: str, events: Sequence[Recorded]) -> Table:
    """A row an audit event, which leads to it."""
    rows = [
        (
            Link(iso(each.recorded_at), event_path(each.event, each.recorded_at)),
            Link(each.event.conversation_id, path("/conversation", id=each.event.conversation_id, at=each.recorded_at)),
            figure(each.event.turn),
            each.event.role,
            each.event.channel,
            each.event.stage,
            each.event.route,
            each.event.reason.replace("_", " "),
            published_label(each.event) if each.event.scored else NONE,
            percent(published_confidence(each.event)) if each.event.scored else NONE,
            milliseconds(each.event.end_to_end_ms),
            usd_of(each.event.cost_usd),
        )
        for each in events
    ]
    header = ("recorded at", "conversation", "turn", "role", "channel", "stage", "route", "reason", "label",
              "confidence", "latency, ms", "cost, USD")  # fmt: skip
    return Table(caption, header, rows, frozenset((1, 3, 4, 5, 6, 7, 8)))


def event_path(event: RoutingEvent, recorded_at: int) -> str:
    """The address of one event."""
    return path("/event", conversation=event.conversation_id, id=event.event_id, at=recorded_at)


def event_view(cluster: Cluster, conversation_id: str, event_id: str, at_ms: int) -> View:
    """One event: its audit events around `at_ms` (UTC), and, where they may be shown, its text.

    Raises what `find_events` raises.
    """
    around = SLACK_MS + cluster.settings.cloud_deadline_ms
    found = events_of(cluster, conversation_id, max(0, at_ms - around), at_ms + around)
    trail = sorted(each for each in found.events if each.event.event_id == event_id)
    if not trail:
        return View("Event", "/events", ["No audit event of it was found at that time."], status=404)
    last = trail[-1].event
    whole = path("/conversation", id=conversation_id, at=trail[-1].recorded_at)
    sections = [Section("Why it went where it went", [*_why(last), _factors(last)])]
    if cluster.settings.page_texts == "shown":
        taken = int(trail[-1].recorded_at - last.end_to_end_ms)
        texts = texts_of(cluster, conversation_id, max(0, taken - around), taken + around)
        text = texts[event_id].text if event_id in texts else "It is not in `transcripts` any more."
        sections.append(Section("What was said", [text]))
    sections.append(Section("Audit trail", [_fields(trail)]))
    lead = [links("Conversation", [(f"Conversation {conversation_id}", whole, False)])]
    return View(f"Event {event_id}", "/events", lead, sections)


def _why(event: RoutingEvent) -> list[str]:
    said = [WHY[event.reason]]
    if not event.scored:
        return said
    if event.stage == "decided":
        said.append("It was sent to the cloud; no answer was recorded within the time that was looked at.")
    elif event.route == "cloud":
        said.append(f"The cloud ({event.model}) says {event.cloud_label}; the edge had said {event.edge_label}.")
    else:
        degraded = " It is marked as degraded: the cloud should have answered." if event.degraded else ""
        said.append(f"The edge ({event.model}) says {event.edge_label}.{degraded}")
    return said


def _factors(event: RoutingEvent) -> Table:
    """What the router saw; the formula is the article's, see docs/routing.md."""
    factors = (("length", 0.3), ("syntax", 0.3), ("uncertainty", 0.2), ("emotion", 0.2))
    rows = [(name, f"{getattr(event, name):.3f}", f"{weight:g}") for name, weight in factors]
    rows += [
        ("complexity, their weighted sum", f"{event.complexity:.3f}", NONE),
        ("the edge's confidence", percent(event.edge_confidence), NONE),
    ]
    return Table(f"What the policy {event.router} went by", ("factor", "value", "weight"), rows)


def _fields(trail: Sequence[Recorded]) -> Table:
    """Every field, a column an audit event."""
    events = [each.event for each in trail]
    rows: list[tuple[str, ...]] = [
        ("recorded at", *(iso(each.recorded_at) for each in trail)),
        ("occurred at", *(iso(event.occurred_at) for event in events)),
        ("place in routing-events", *(f"{each.partition}:{each.offset}" for each in trail)),
        *((name.replace("_", " "), *(_written(getattr(event, name)) for event in events)) for name in _FIELDS),
        ("cost, USD", *(usd_of(event.cost_usd) for event in events)),
        ("with the cloud alone, USD", *(usd_of(event.cloud_only_cost_usd) for event in events)),
    ]
    header = ("field", *(event.stage for event in events))
    return Table("Its audit events, the first one first", header, rows, frozenset(range(1, len(header))))


def usd_of(dollars: float) -> str:
    """The cost of one event: to the millionth of a dollar."""
    return f"{dollars:.6f}"


def _written(value: object) -> str:
    if value in {None, (), ""}:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
