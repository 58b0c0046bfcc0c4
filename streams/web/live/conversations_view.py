"""Conversations by risk, and one of them: its parties, its turns, and why each turn went where it went."""

from collections.abc import Mapping, Sequence
from typing import Final

from schemas.records import ConversationState, TranscriptEvent
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.operate.audit_trail import SLACK_MS, Found, Recorded, events_of, state_at, texts_of
from streams.operate.risk_index import Listed
from streams.system.clock import iso
from streams.web.document import Chart, Link, Section, Series, Table
from streams.web.live.board import Board
from streams.web.live.event_filter import events_path
from streams.web.live.events_view import event_path, event_table
from streams.web.live.layout import Card, View, cards, links, path
from streams.web.written import NONE, figure

STATUSES: Final = ("open", "ended", "timed_out")

_A_PAGE: Final = 50
_MOST_EVENTS: Final = 1_000


def conversations_view(board: Board, settings: Settings, status: str | None, skip: int) -> View:
    """The list, from the highest risk on; with `status` of those that have it."""
    found = board.risks.highest(_A_PAGE + 1, status, skip)
    at_risk = board.risks.at_risk(settings.escalation_risk)
    counts = board.risks.by_status()
    chosen = [("All", path("/conversations"), status is None)]
    chosen += [(name.replace("_", " "), path("/conversations", status=name), status == name) for name in STATUSES]
    more = [("Lower risks", path("/conversations", status=status, skip=skip + _A_PAGE), False)] * (len(found) > _A_PAGE)
    before = [("Higher risks", path("/conversations", status=status, skip=max(0, skip - _A_PAGE)), False)] * bool(skip)
    return View(
        "Conversations",
        "/conversations",
        [
            (
                f"{figure(sum(at_risk.values()))} of {figure(sum(counts.values()))} conversations of the last 30 days "
                f"have a risk of escalation of {settings.escalation_risk:g} or more, {figure(at_risk.get('open', 0))} "
                "of them open."
            ),
            links("Status", chosen),
            risk_table("From the highest risk on", found[:_A_PAGE], settings.escalation_risk),
            *([links("More", before + more)] if before or more else []),
        ],
        is_live=True,
    )


def risk_table(caption: str, found: Sequence[Listed], threshold: float) -> Table:
    """A row a conversation, which leads to it."""
    rows = [
        (
            Link(each.conversation_id, path("/conversation", id=each.conversation_id)),
            f"{each.risk:.2f}{' at risk' if each.risk >= threshold else ''}",
            each.status.replace("_", " "),
            each.channel,
            figure(each.turns),
            iso(each.last_turn_at),
            ", ".join(each.reasons).replace("_", " ") or NONE,
        )
        for each in found
    ]
    header = ("conversation", "risk", "status", "channel", "turns", "last turn", "why")
    return Table(caption, header, rows, frozenset((2, 3, 5, 6)))


def conversation_view(cluster: Cluster, board: Board, conversation_id: str, at_ms: int | None, now_ms: int) -> View:
    """One conversation; `at_ms` (UTC): when an event of it was recorded, in case no state is known.

    Raises what `find_events` raises.
    """
    place = board.risks.place(conversation_id)
    state = None if place is None else state_at(cluster, place)
    times = [*(state.turn_times if state is not None else ()), *([] if at_ms is None else [at_ms])]
    if not times:
        said = "Nothing is known of it: it had no scored turn in 30 days, or the conversations are still being read."
        return View(conversation_id, "/conversations", [said], status=404)
    # The results were scored at those times; what was decided before came from the same batch.
    found = events_of(cluster, conversation_id, min(times) - SLACK_MS, min(max(times) + SLACK_MS, now_ms + SLACK_MS))
    texts = _texts(cluster, conversation_id, found) if cluster.settings.page_texts == "shown" else None
    lead: list[str | Table | Chart] = []
    sections = []
    if state is not None:
        lead = [cards(_cards(state)), _parties(state)]
        audited = _audited(found)
        sections.append(Section("Turns", [_scores(state, audited), _turns(state, audited, texts)]))
    elif texts:
        sections.append(Section("Texts", [_said(texts)]))
    cut = [] if found.is_whole else ["There were too many records in that time to look at all of them."]
    trail = event_table("Its audit events, the latest first", found.events[:_MOST_EVENTS])
    sections.append(Section("Audit trail", [*cut, trail if found.events else "None was found."]))
    return View(conversation_id, "/conversations", lead, sections)


def _cards(state: ConversationState) -> list[Card]:
    here = path("/conversation", id=state.conversation_id)
    return [
        Card("risk", f"{state.risk:.2f}", here, ", ".join(state.risk_reasons).replace("_", " ") or "nothing unusual"),
        Card("status", state.status.replace("_", " "), path("/conversations", status=state.status)),
        Card("turns scored", figure(state.turns.get("overall", 0)), f"{here}#part-0", f"over {state.channel}"),
        Card(
            "last turn",
            iso(state.last_turn_at)[11:19],
            f"{here}#part-0",
            f"{iso(state.last_turn_at)[:10]}, {state.source}",
        ),
    ]


def _parties(state: ConversationState) -> Table:
    rows = []
    conversation, scored = state.conversation_id, {"stage": "completed", "scored": "yes"}
    since, until = min(state.turn_times, default=0) - SLACK_MS, max(state.turn_times, default=0) + SLACK_MS
    for role, turns in sorted(state.turns.items()):
        quarters = state.quarters.get(role, ())
        whose = None if role == "overall" else role
        rows.append(
            (
                Link(role, events_path(since, until, conversation=conversation, role=whose, **scored)),
                figure(turns),
                f"{state.mean_score.get(role, 0):+.2f}",
                *(
                    NONE if quarter is None else f"{quarter:+.1f}"
                    for quarter in (*quarters, None, None, None, None)[:4]
                ),
                f"{state.slope.get(role, 0):+.3f}",
                figure(state.negative_run.get(role, 0)),
                state.last_label.get(role, NONE),
            )
        )
    header = ("party", "turns", "mean, -1 to 1", *(f"quarter {at}" for at in range(1, 5)),
              "slope a turn", "longest negative run", "last label")  # fmt: skip
    return Table("By party; quarters of the conversation from -5 to 5", header, rows, frozenset((9,)))


def _audited(found: Found) -> dict[tuple[int, str], Recorded]:
    """By turn and role the audit event that tells of the answer: of an event's two the later one."""
    return {(each.event.turn, each.event.role): each for each in reversed(found.events)}


def _scores(state: ConversationState, audited: Mapping[tuple[int, str], Recorded]) -> Chart:
    roles = sorted(set(state.turn_roles))
    events = [audited.get(turn) for turn in zip(state.turn_numbers, state.turn_roles, strict=True)]
    scores = list(zip(state.turn_roles, state.turn_scores, strict=True))
    return Chart(
        "Score by turn, -1 to 1",
        "A point for each scored turn, by who spoke; the table below has them.",
        [str(number) for number in state.turn_numbers],
        [Series(role, [score / 1000 if whose == role else None for whose, score in scores]) for role in roles[:3]],
        written=lambda score: f"{score:+.1f}",
        bottom=-1.0,
        top=1.0,
        leads_to=[None if each is None else event_path(each.event, each.recorded_at) for each in events],
    )


def _turns(
    state: ConversationState,
    audited: Mapping[tuple[int, str], Recorded],
    texts: Mapping[str, TranscriptEvent] | None,
) -> Table:
    """The latest turns first; with `texts` what was said."""
    said = {(event.turn, event.role): event.text for event in (texts or {}).values()}
    rows = []
    columns = (state.turn_numbers, state.turn_roles, state.turn_labels, state.turn_scores, state.turn_times)
    for number, role, label, score, scored_at in reversed(list(zip(*columns, strict=True))):
        found = audited.get((number, role))
        event = None if found is None else found.event
        rows.append(
            (
                figure(number) if found is None else Link(figure(number), event_path(found.event, found.recorded_at)),
                role,
                label,
                f"{score / 1000:+.2f}",
                iso(scored_at),
                NONE if event is None else event.route,
                NONE if event is None else event.reason.replace("_", " "),
                *(() if texts is None else (said.get((number, role), NONE),)),
            )
        )
    header = ("turn", "role", "label", "score", "scored at", "route", "reason", *(() if texts is None else ("text",)))
    return Table("The latest turn first", header, rows, frozenset((1, 2, 4, 5, 6, 7)))


def _said(texts: Mapping[str, TranscriptEvent]) -> Table:
    rows = [(figure(each.turn), each.role, each.text) for each in sorted(texts.values(), key=lambda each: each.turn)]
    return Table("What was said", ("turn", "role", "text"), rows, frozenset((1, 2)))


def _texts(cluster: Cluster, conversation_id: str, found: Found) -> dict[str, TranscriptEvent]:
    """The texts of the events that were found: Kafka took each of them so long before its audit event."""
    taken = [int(each.recorded_at - each.event.end_to_end_ms) for each in found.events]
    if not taken:
        return {}
    return texts_of(cluster, conversation_id, min(taken) - SLACK_MS, max(taken) + SLACK_MS)
