"""A training set of live traffic: texts without personal data, with the labels that the cloud or people have given."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from heapq import heappush, heappushpop
from typing import Any, Final, Literal, NamedTuple

from models.redaction import ConversationRedactor, RedactionError
from schemas.codec import DecodeError
from schemas.records import Label, RoutingEvent, TranscriptEvent
from schemas.topics import ROUTING_EVENTS, TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.redaction import build_tagger
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.messages import message_value
from streams.operate.consume import Start, decoded, messages
from streams.operate.labels import label_records

By = Literal["people", "cloud"]

_ID_BYTES: Final = 12


class Lesson(NamedTuple):
    """What one event teaches: its label, by whom, and how sure that is."""

    label: Label
    by: By
    agreement: float  # the cloud's confidence; 1 for people
    model: str  # the cloud's, name@version
    reason: str  # why the cloud was asked
    conversation_id: str


@dataclass(slots=True)
class Tally:
    """What was collected, and what was not."""

    rows: int = 0
    by: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    beyond: int = 0  # more than was asked for
    without_text: int = 0  # `transcripts` no longer holds them
    not_redacted: int = 0  # redaction failed: such a text is left out
    first_ms: int | None = None  # when the first was said, and the last
    last_ms: int | None = None


class Lessons:
    """The events with a label, at most `most`: of more a part that their ids' hashes choose, people's labels first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._heap: list[tuple[float, str]] = []  # the one to give up first on top
        self._of: dict[str, Lesson] = {}
        self.beyond = 0

    def add(self, event_id: str, lesson: Lesson) -> None:
        """Adds what an event teaches; people's labels stay where the cloud has one too, and else the last counts."""
        known = self._of.get(event_id)
        if known is not None:
            if known.by == "cloud" or lesson.by == "people":
                self._of[event_id] = lesson
            return
        # People's labels are given up last: their places lie behind all of the cloud's.
        place = (_draw(event_id) - (1.0 if lesson.by == "cloud" else 0.0), event_id)
        self._of[event_id] = lesson
        if len(self._of) <= self._most:
            heappush(self._heap, place)
            return
        _, dropped = heappushpop(self._heap, place)
        del self._of[dropped]
        self.beyond += 1

    def of_events(self) -> dict[str, Lesson]:
        """The lessons by event id."""
        return self._of


def lessons(settings: Settings, start: Start, until_ms: int | None, most: int) -> Lessons:
    """What people say of events answered from `start` on and before `until_ms`, and what the cloud answered then.

    Raises what `consume.messages` raises.
    """
    found = Lessons(most)
    for label in label_records(settings):
        at = label.answered_at
        if at is None or ((start.since_ms or 0) <= at and (until_ms is None or at < until_ms)):
            found.add(label.event_id, Lesson(label.label, "people", 1.0, "", "", label.conversation_id))
    for event in decoded(settings, ROUTING_EVENTS, start):
        if until_ms is not None and event.recorded_at >= until_ms:
            continue
        if (lesson := _lesson(event)) is not None:
            found.add(event.event_id, lesson)
    return found


def collected_rows(settings: Settings, start: Start, found: Lessons, tally: Tally) -> Iterator[dict[str, Any]]:
    """A row for each event of `found` whose text is in `transcripts` from `start` on; `tally` counts.

    Texts are redacted turn after turn, as `edgewise record` does it, with the hour before `start` in mind, whatever
    `redaction` says of the worker; a text whose redaction fails is left out. Ids are hashes: `id` of the conversation,
    so that its turns are learned from or held out together, `event` of the event.
    """
    wanted, tally.beyond = found.of_events(), found.beyond
    conversations = {lesson.conversation_id for lesson in wanted.values()}
    redactor = ConversationRedactor(tagger=build_tagger(settings), kinds=settings.kinds_redacted)
    decode = codec(settings, TRANSCRIPTS).decode
    for message in messages(Cluster(settings), TRANSCRIPTS, start.with_context()):
        try:
            event = decode(message_value(message))
        except DecodeError:
            continue
        if event.conversation_id not in conversations:
            continue
        lesson = wanted.pop(event.event_id, None) if start.includes(message) else None
        try:
            text = redactor.redact(event.conversation_id, event.text).text
        except RedactionError:
            tally.not_redacted += lesson is not None
            continue
        if lesson is not None:
            _count(tally, event, lesson)
            yield _row(event, lesson, text)
    tally.without_text = len(wanted)


def _lesson(event: RoutingEvent) -> Lesson | None:
    if event.stage != "completed" or event.cloud_label is None:
        return None
    agreement = 1.0 if event.cloud_confidence is None else event.cloud_confidence
    return Lesson(event.cloud_label, "cloud", agreement, event.model, event.reason, event.conversation_id)


def _row(event: TranscriptEvent, lesson: Lesson, text: str) -> dict[str, Any]:
    return {
        "id": _hashed(event.conversation_id),
        "event": _hashed(event.event_id),
        "text": text,
        "label": lesson.label,
        "agreement": round(lesson.agreement, 4),
        "by": lesson.by,
        "model": lesson.model,
        "reason": lesson.reason,
        "speaker": event.role,
        "channel": event.channel,
        "source": event.source,
    }


def _count(tally: Tally, event: TranscriptEvent, lesson: Lesson) -> None:
    tally.rows += 1
    tally.by[lesson.by] += 1
    tally.labels[lesson.label] += 1
    tally.sources[event.source] += 1
    if lesson.by == "cloud":
        tally.models[lesson.model] += 1
        tally.reasons[lesson.reason] += 1
    tally.first_ms = min(event.occurred_at, tally.first_ms or event.occurred_at)
    tally.last_ms = max(event.occurred_at, tally.last_ms or event.occurred_at)


def _draw(event_id: str) -> float:
    """A number in [0, 1) by the id alone, and by another hash than the router's random sample."""
    digest = blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=8, person=b"flywheel").digest()
    return (int.from_bytes(digest, "big") >> 11) * 2.0**-53


def _hashed(name: str) -> str:
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=_ID_BYTES, person=b"flywheel-id").hexdigest()
