"""A row of a recording as a transcript event."""

import json
import math
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final, get_args

from recordings.fault import RecordingError
from schemas.errors import UsageError
from schemas.records import Channel, Role, TranscriptEvent
from streams.files.formats.roles import ROLES, mapped_role, role_word
from streams.files.recording import Row
from streams.system.clock import Clock

# The columns that an event's field is taken from, the first that is there. Whatever is left becomes an attribute.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "event_id": ("event_id", "id"),
    "conversation_id": ("conversation_id",),
    "turn": ("turn",),
    "role": ("role", "speaker"),
    "channel": ("channel",),
    "language": ("language",),
    "text": ("text",),
    "occurred_at": ("occurred_at", "created_at", "at"),
    "source": ("source",),
}

# Of the ids made here; a fixed random one, so that they are the same everywhere and clash with nobody else's.
_NAMESPACE = uuid.UUID("6f0cf3b5-0cf5-4ea0-9a5d-3f5b1a4f2f0e")

# A number of seconds stays under the first until the year 5138, one of milliseconds is above it since March 1973; so it
# is with milliseconds, microseconds and the second.
_LEAST_MS = 100_000_000_000
_LEAST_US = 100_000_000_000_000

# What stood there is not repeated: where columns are mixed up it may be a customer's words.
_NO_TIME = "its time is none of ISO 8601, 2015-02-24 11:15:48 -0800, seconds, milliseconds or microseconds since 1970"

_CHANNELS = frozenset(get_args(Channel))


def parse_columns(given: Iterable[str]) -> dict[str, str]:
    """`["text=body", …]` as a mapping of field to column. Raises UsageError: no such field, or no `=`."""
    columns = {}
    for item in given:
        field, separator, column = item.partition("=")
        if not separator or field not in COLUMNS or not column:
            raise UsageError(f"--column {item}: give FIELD=COLUMN, where FIELD is one of {', '.join(COLUMNS)}")
        columns[field] = column
    return columns


def recorded_events(
    rows: Iterable[Row],
    path: Path,
    recording: str,
    columns: Mapping[str, str],
    clock: Clock,
    roles: Mapping[str, Role] = MappingProxyType({}),
) -> Iterator[tuple[Row, TranscriptEvent]]:
    """Each row with its event.

    An event without an id gets one made of `recording` (the file's digest) and the row's number, so that replaying the
    file again gives the same. One without a conversation is its own; one without a turn is the next of its
    conversation; one without a time happens now. A role that the schema does not know is what `roles` says, else what
    the word means (`caller`, `end user`). Roles and channels that mean nothing become `unknown` and stay, as written,
    in the attributes, as do all other columns, and the members of an object `attributes`.

    Raises RecordingError: a text that is none, or a time or a turn that cannot be understood.
    """
    chosen = _chosen(columns)
    turns: Counter[str] = Counter()
    for row in rows:
        try:
            yield row, _event(row, path, recording, chosen, turns, clock, roles)
        except ValueError as error:
            raise RecordingError(f"{path}, line {row.line}: {error}") from None


def _event(
    row: Row,
    path: Path,
    recording: str,
    columns: Mapping[str, tuple[str, ...]],
    turns: Counter[str],
    clock: Clock,
    roles: Mapping[str, Role],
) -> TranscriptEvent:
    if not row.is_text:
        raise ValueError("not a text where the text should be")
    found, rest = _fields(row, columns)
    rest.pop(columns["text"][0], None)  # where it is empty
    nested = rest.get("attributes")
    if isinstance(nested, dict):
        rest = rest | nested
        del rest["attributes"]
    attributes = {name: _text(value) for name, value in rest.items() if value not in (None, "")}
    event_id, conversation_id = _ids(row, recording, found)
    turns[conversation_id] += 1
    word, channel = (_text(found.get(field, "unknown")) for field in ("role", "channel"))
    role = _role(word, roles)
    if role == "unknown" and word.lower() != role:
        attributes["role"] = word
    if channel.lower() not in _CHANNELS:
        attributes["channel"] = channel
    return TranscriptEvent(
        event_id=event_id,
        conversation_id=conversation_id,
        turn=_turn(found["turn"]) if "turn" in found else turns[conversation_id],
        text=row.text,
        occurred_at=milliseconds(found["occurred_at"]) if "occurred_at" in found else clock(),
        role=role,
        channel=channel.lower() if channel.lower() in _CHANNELS else "unknown",  # type: ignore[arg-type]
        language=_text(found["language"]) if "language" in found else None,
        source=_text(found.get("source", path.name)),
        attributes=attributes,
    )


def _role(word: str, roles: Mapping[str, Role]) -> Role:
    known = next((role for role in ROLES if role == word.lower()), None)
    return known or mapped_role([word], roles) or role_word(word)


def recorded_ids(row: Row, recording: str, columns: Mapping[str, str]) -> tuple[str, str]:
    """The ids of the event and of the conversation that `recorded_events` gives to a row."""
    found, _ = _fields(row, _chosen(columns))
    return _ids(row, recording, found)


def _chosen(columns: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The columns that each field is taken from, those of `columns` before the usual ones."""
    return {field: (columns[field],) if field in columns else names for field, names in COLUMNS.items()}


def _fields(row: Row, columns: Mapping[str, tuple[str, ...]]) -> tuple[dict[str, object], dict[str, object]]:
    """The event's fields that the row has, by name, and its other columns."""
    rest = dict(row.fields)
    found: dict[str, object] = {}
    for field, names in columns.items():
        name = next((name for name in names if rest.get(name) not in (None, "")), None)
        if name is not None:
            found[field] = rest.pop(name)
    return found, rest


def _ids(row: Row, recording: str, found: Mapping[str, object]) -> tuple[str, str]:
    event_id = _text(found["event_id"]) if "event_id" in found else event_id_of(recording, row.number)
    return event_id, _text(found.get("conversation_id", event_id))


def event_id_of(recording: str, row: int) -> str:
    """The id of row number `row` of the recording with that digest: a UUID, version 5 (RFC 9562, section 5.5)."""
    return str(uuid.uuid5(_NAMESPACE, f"{recording}:{row}"))


def milliseconds(value: object) -> int:
    """A recorded time as UTC milliseconds.

    It is ISO 8601, like `2015-02-24 11:15:48 -0800`, or a number of seconds, milliseconds or microseconds since 1970.
    Without a zone it is UTC. Raises ValueError: it is none of these.
    """
    text = _text(value).strip()
    try:
        number = float(text)
    except ValueError:
        return _from_iso(text)
    if not math.isfinite(number):
        raise ValueError(_NO_TIME)
    if abs(number) >= _LEAST_US:
        return round(number / 1000)
    return round(number if abs(number) >= _LEAST_MS else number * 1000)


def _from_iso(text: str) -> int:
    joined = text[:-6] + text[-5:] if text[-6:-5] == " " and text[-5:-4] in {"+", "-"} else text
    try:
        moment = datetime.fromisoformat(joined)
    except ValueError:
        raise ValueError(_NO_TIME) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def _turn(value: object) -> int:
    try:
        return int(_text(value))
    except ValueError:
        raise ValueError("its turn is not a whole number") from None


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
