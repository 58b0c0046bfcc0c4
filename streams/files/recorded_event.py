"""A row of a recording as a transcript event."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple, get_args

from recordings.fault import Fault, OnFault, stop_at
from schemas.records import Channel, Role, TranscriptEvent
from streams.files.columns import Columns, is_missing
from streams.files.formats.field import whole_characters
from streams.files.formats.roles import ROLES, mapped_role, role_word
from streams.files.identity import ids_of
from streams.files.recorded_time import Times, milliseconds
from streams.files.recording import Row
from streams.system.clock import Clock

_CHANNEL_OF: Final[Mapping[str, Channel]] = {channel: channel for channel in get_args(Channel)}
_ROLE_OF: Final[Mapping[str, Role]] = {role: role for role in ROLES}
_TRUE: Final = frozenset({"true", "1", "yes"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a recording's rows do not say themselves: a user's own columns, whose a speaker is, how times are read."""

    columns: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    times: Times = field(default_factory=Times)


class Made(NamedTuple):
    """A row, its event, and whether it told itself when that was and which turn."""

    row: Row
    event: TranscriptEvent
    timed: bool
    numbered: bool


def made_events(
    rows: Iterable[Row],
    path: Path | str,
    recording: str,
    rules: Rules,
    clock: Clock,
    on_fault: OnFault | None = None,
) -> Iterator[Made]:
    """Each row with its event.

    An event without an id gets one made of `recording` (the file's digest) and the row's number, so that replaying the
    file again gives the same. One without a conversation is its own; one without a turn is the next of its
    conversation; one without a time happens now. A role is what the rules say of its word or of the row's channel,
    else what the word means (`caller`, `end user`). Roles and channels that mean nothing become `unknown` and stay, as
    written, in the attributes, as do all other columns, and the members of an object `attributes`. Half an emoji is
    U+FFFD. `on_fault` is told of a row of which no event can be made; without it the first one raises.

    Raises RecordingError: a text that is none, or an id, a time or a turn that cannot be understood.
    """
    told = on_fault or stop_at(path)
    columns = Columns(rules.columns)
    turns: Counter[str] = Counter()
    name = path.name if isinstance(path, Path) else path
    for row in rows:
        try:
            yield _made(row, name, recording, columns, rules, turns, clock)
        except ValueError as error:
            told(unmade(row, error))


def unmade(row: Row, error: Exception) -> Fault:
    """What is told of a row of which no event can be made: its content is its fields as JSON, in ASCII."""
    return Fault(row.line, str(error), json.dumps(row.fields))


def recorded_events(
    rows: Iterable[Row],
    path: Path,
    recording: str,
    columns: Mapping[str, str],
    clock: Clock,
    roles: Mapping[str, Role] = MappingProxyType({}),
) -> Iterator[tuple[Row, TranscriptEvent]]:
    """Each row with its event, as `made_events` makes it. Raises RecordingError."""
    rules = Rules(columns=columns, roles=roles)
    return ((made.row, made.event) for made in made_events(rows, path, recording, rules, clock))


class Circumstances(NamedTuple):
    """Who says a row's text, and how it came about."""

    role: Role = "unknown"
    channel: Channel = "unknown"
    language: str | None = None  # where the row tells it
    source: str = ""
    attributes: Mapping[str, str] = MappingProxyType({})


class RowCircumstances:
    """The circumstances of a recording's rows, as `made_events` gives them to their events."""

    def __init__(self, name: str, columns: Mapping[str, str], roles: Mapping[str, Role]) -> None:
        self._name = name
        self._columns = Columns(columns)
        self._roles = roles

    def __call__(self, row: Row) -> Circumstances:
        """Those of `row`."""
        return _circumstances(row, self._name, *self._columns.split(row.fields), self._roles)


def _made(
    row: Row,
    name: str,
    recording: str,
    columns: Columns,
    rules: Rules,
    turns: Counter[str],
    clock: Clock,
) -> Made:
    if not row.is_text:
        raise ValueError("not a text where the text should be")
    fields = row.fields
    found, rest = columns.split(fields)
    event_id, conversation_id = ids_of(row, recording, found)
    turns[conversation_id] += 1
    told = _circumstances(row, name, found, rest, rules.roles)
    at, turn = found.get("occurred_at"), found.get("turn")
    event = TranscriptEvent(
        event_id=event_id,
        conversation_id=conversation_id,
        turn=turns[conversation_id] if turn is None else _turn(fields[turn], turn),
        text=whole_characters(row.text),
        occurred_at=clock() if at is None else _time(fields[at], at, rules.times),
        role=told.role,
        channel=told.channel,
        language=told.language,
        source=told.source,
        attributes=dict(told.attributes),
        last=row.last or ("last" in found and _text(fields[found["last"]]).strip().lower() in _TRUE),
    )
    return Made(row, event, at is not None, turn is not None and not (row.counted and turn == "turn"))


def _circumstances(
    row: Row, name: str, found: Mapping[str, str], rest: Mapping[str, object], roles: Mapping[str, Role]
) -> Circumstances:
    """The row's, of which `found` says the columns of fields and `rest` has the others' values."""
    fields = row.fields
    attributes = {whole_characters(key): _text(value) for key, value in rest.items() if key != "attributes"}
    nested = rest.get("attributes")
    if isinstance(nested, dict):
        attributes |= {whole_characters(key): _text(value) for key, value in nested.items() if not is_missing(value)}
    elif nested is not None:
        attributes["attributes"] = _text(nested)
    return Circumstances(
        role=_role(row, found, roles, attributes),
        channel=_channel(row, found, attributes),
        language=_text(fields[found["language"]]) if "language" in found else None,
        source=_text(fields[found["source"]]) if "source" in found else name,
        attributes=attributes,
    )


def _role(row: Row, found: Mapping[str, str], roles: Mapping[str, Role], attributes: dict[str, str]) -> Role:
    """The row's role, by `roles` before its word; a word that means none is kept in `attributes`."""
    word = _text(row.fields[found["role"]]) if "role" in found else "unknown"
    role = _ROLE_OF.get(word.lower()) or role_word(word)
    if roles and not row.is_vendors:
        labels = [word.strip(), f"speaker:{word.strip()}"] if "role" in found else []
        if "channel" in found:
            labels.append(f"channel:{_text(row.fields[found['channel']]).strip()}")
        role = mapped_role(labels, roles) or role
    if role == "unknown" and word.lower() != role:
        attributes["role"] = word
    return role


def _channel(row: Row, found: Mapping[str, str], attributes: dict[str, str]) -> Channel:
    """The row's channel; a word that means none is kept in `attributes`."""
    if "channel" not in found:
        return "unknown"
    word = _text(row.fields[found["channel"]])
    channel = _CHANNEL_OF.get(word.lower())
    if channel is None:
        attributes["channel"] = word
    return channel or "unknown"


def _time(value: object, column: str, times: Times) -> int:
    try:
        return milliseconds(value, times)
    except ValueError as error:
        raise ValueError(f"its time, {column}, {error}") from None


def _turn(value: object, column: str) -> int:
    """The turn, also where a table made a fraction of it: 1.0."""
    text = _text(value).strip()
    try:
        number = int(text) if text.lstrip("+-").isdigit() else float(text)
        if number == int(number) and -(2**63) <= number < 2**63:
            return int(number)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"its {column} is not a whole number of 64 bits")


def _text(value: object) -> str:
    return whole_characters(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
