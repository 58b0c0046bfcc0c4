"""Utterances of a conversation, as a format finds them, put in order and made turns of."""

import re
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from models.quoted import without_quotes
from models.text_validation import is_readable
from schemas.records import Channel, Role
from schemas.validation import MAX_ID_CHARS
from streams.files.formats.error import FormatError
from streams.files.formats.field import Field
from streams.files.formats.html_text import html_text
from streams.files.formats.marks import neutral, only_marks
from streams.files.formats.roles import mapped_role
from streams.files.formats.turn import Hints, LeftOut, Reading, Turn

UNIQUE: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Z]{2}[0-9a-f]{32}", re.IGNORECASE)
"""UUIDs and Twilio's SIDs, which are unique by themselves. Any other id may be unique within its conversation only."""

_NAMESPACE: Final = uuid.UUID("b5f2f9d6-9a53-5c2e-8f0d-0d7f4f6a1c11")


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """What a format found: a text, and what the vendor says of it.

    `at` is UTC milliseconds, `offset` milliseconds from the start of the conversation, `duration` milliseconds. `role`
    is what the vendor's word for it means. `speaker` is a name, `speaker_id` a label or number; `channel_id` is the
    audio channel's number. `attributes` whose value is None or "" are left out.
    """

    text: str
    id: str = ""
    number: int | None = None  # the vendor's own, where there is one
    at: int | None = None
    offset: int | None = None
    duration: int | None = None
    role: Role = "unknown"
    speaker: str = ""
    speaker_id: str = ""
    channel_id: str = ""
    language: str | None = None
    channel: Channel | None = None  # where it is another than the conversation's
    html: bool = False
    attributes: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        """By what a user's role map may call the speaker."""
        named = [self.speaker_id, self.speaker, f"speaker:{self.speaker_id}", f"channel:{self.channel_id}"]
        return tuple(label for label in named if label and not label.endswith(":"))


class Conversation:
    """The utterances of one conversation, or of a part of one.

    `live`: an object holds a part, such as one message. A turn's number is then the vendor's, else its time in
    milliseconds, so that parts that come one by one still sort, and a part that comes twice is the same both times. A
    later utterance with the same id replaces an earlier one.

    Otherwise the object holds all of it: turns are in the order of the vendor's numbers, else of time, else of the
    object, and are numbered from 1 where the vendor gives no numbers. Ids that repeat are kept apart.

    A turn without a time happened when the one before it did. The last turn of what holds all of a conversation is its
    last, unless `open_ended`: the conversation may go on.
    """

    def __init__(
        self,
        source: str,
        hints: Hints,
        conversation_id: str,
        *,
        channel: Channel = "unknown",
        language: str | None = None,
        start: int | None = None,
        live: bool = False,
        open_ended: bool = False,
    ) -> None:
        self.id = conversation_id
        self.left_out: Counter[LeftOut] = Counter()
        self._source = source
        self._hints = hints
        self._channel = channel
        self._language = language
        self._start = hints.base_ms if start is None else start
        self._live = live
        self._ends = not (live or open_ended)
        self._found: list[tuple[str, Utterance]] = []
        self._seen = 0

    def add(self, utterance: Utterance) -> None:
        """Take an utterance. One without words is left out, and counted."""
        place, self._seen = self._seen, self._seen + 1
        text, count = neutral(self._readable(utterance))
        if not is_readable(text):  # as the models read it: invisible characters say nothing
            self.left_out["quoted" if utterance.text.strip() and self._is_mail(utterance) else "blank"] += 1
            return
        if count and only_marks(text):
            self.left_out["redacted"] += 1
            return
        attributes = {
            "speaker": utterance.speaker,
            "speaker_id": utterance.speaker_id,
            "channel_id": utterance.channel_id,
            "duration_ms": None if utterance.duration is None else str(utterance.duration),
            "redactions": str(count) if count else None,
            **utterance.attributes,
        }
        kept = replace(utterance, text=text.strip(), attributes=attributes)
        self._found.append((self._event_id(kept, place), kept))

    def leave_out(self, why: LeftOut) -> None:
        """Count what is no turn."""
        self.left_out[why] += 1

    def reading(self) -> Reading:
        """The turns."""
        found = self._latest() if self._live else _apart(self._found)
        numbered = all(utterance.number is not None for _, utterance in found)
        if numbered:
            found.sort(key=lambda pair: pair[1].number or 0)
        elif all(self._at(utterance) is not None or utterance.offset is not None for _, utterance in found):
            found.sort(key=lambda pair: _order(self._at(pair[1]), pair[1].offset))
        turns: list[Turn] = []
        for place, (event_id, utterance) in enumerate(found, 1):
            number = utterance.number if numbered else self._time(utterance) if self._live else place
            at = self._at(utterance)
            if at is None and utterance.offset is None and turns:
                at = turns[-1].occurred_at  # rather than the time of the reading: a vendor leaves out single times
            turn = self._turn(event_id, utterance, number or 0, at)
            turns.append(replace(turn, counted=not (numbered or self._live)))
        if turns and self._ends:
            turns[-1] = replace(turns[-1], last=True)
        return Reading(tuple(turns), dict(self.left_out))

    def _turn(self, event_id: str, utterance: Utterance, number: int, at: int | None) -> Turn:
        attributes = {name: value for name, value in utterance.attributes.items() if value}
        if at is None and utterance.offset is not None:
            attributes["offset_ms"] = str(utterance.offset)
        return Turn(
            event_id=event_id,
            conversation_id=self.id,
            turn=number,
            text=utterance.text,
            occurred_at=at,
            role=mapped_role(utterance.labels, self._hints.roles) or utterance.role,
            channel=utterance.channel or self._channel,
            language=utterance.language or self._language,
            source=self._source,
            attributes=attributes,
        )

    def _readable(self, utterance: Utterance) -> str:
        mail = self._is_mail(utterance)
        text = html_text(utterance.text, mail=mail) if utterance.html else utterance.text
        return without_quotes(text) if mail else text

    def _is_mail(self, utterance: Utterance) -> bool:
        return (utterance.channel or self._channel) == "email"

    def _at(self, utterance: Utterance) -> int | None:
        if utterance.at is not None:
            return utterance.at
        if utterance.offset is None or self._start is None:
            return None
        return self._start + utterance.offset

    def _time(self, utterance: Utterance) -> int:
        if utterance.number is not None:
            return utterance.number
        return max(0, utterance.at or 0) if utterance.offset is None else max(0, utterance.offset)

    def _event_id(self, utterance: Utterance, place: int) -> str:
        if UNIQUE.fullmatch(utterance.id):
            return utterance.id
        if utterance.id:
            own = utterance.id
        elif self._live:
            own = f"{utterance.channel_id or utterance.speaker_id}@{self._time(utterance)}"
        else:
            own = f"#{place}"
        return _short(f"{self.id}/{own}")

    def _latest(self) -> list[tuple[str, Utterance]]:
        latest: dict[str, Utterance] = {}
        for event_id, utterance in self._found:
            if event_id in latest:
                self.left_out["repeated"] += 1
                del latest[event_id]
            latest[event_id] = utterance
        return list(latest.items())


def conversation_id(field: Field, hints: Hints, *within: str) -> str:
    """The conversation's id: the vendor's at `field`, after the ids `within` which it is unique, else the caller's.

    The caller's goes before it where whoever sends the object has named it so.

    Raises FormatError: neither has one, or it is longer than an id may be.
    """
    own = "" if hints.is_named else field.id()
    found = "/".join([*(part for part in within if part), own]) if own else hints.conversation_id
    if not found:
        raise FormatError("no id of the conversation, and none is given", field.path)
    if len(found) > MAX_ID_CHARS:
        raise FormatError(f"an identifier of more than {MAX_ID_CHARS} characters", field.path)
    return found


def _order(at: int | None, offset: int | None) -> int:
    return at if at is not None else offset or 0


def _apart(found: Iterable[tuple[str, Utterance]]) -> list[tuple[str, Utterance]]:
    apart: dict[str, Utterance] = {}
    seen: Counter[str] = Counter()
    for event_id, utterance in found:
        own = event_id
        while own in apart:
            seen[event_id] += 1
            own = _short(f"{event_id}~{seen[event_id] + 1}")
        apart[own] = utterance
    return list(apart.items())


def _short(event_id: str) -> str:
    return event_id if len(event_id) <= MAX_ID_CHARS else str(uuid.uuid5(_NAMESPACE, event_id))
