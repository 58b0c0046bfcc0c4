"""The ids of a recording's events and conversations."""

import math
import uuid
from collections import Counter
from collections.abc import Mapping
from typing import Final

from schemas.validation import MAX_ID_CHARS
from streams.files.columns import Columns
from streams.files.formats.conversation import UNIQUE
from streams.files.formats.field import whole_characters
from streams.files.recording import Row

# Of the ids made here; a fixed random one, so that they are the same everywhere and clash with nobody else's.
_NAMESPACE: Final = uuid.UUID("6f0cf3b5-0cf5-4ea0-9a5d-3f5b1a4f2f0e")

# How tables write that there is none: as an id it would make one conversation of strangers.
_NONE: Final = frozenset({"", "nan", "null", "none", "n/a", "<na>", "undefined"})


def event_id_of(recording: str, row: int) -> str:
    """The id of row number `row` of the recording with that digest: a UUID, version 5 (RFC 9562, section 5.5)."""
    return str(uuid.uuid5(_NAMESPACE, f"{recording}:{row}"))


def given_id(fields: Mapping[str, object], column: str | None) -> str | None:
    """The id in a column; None where there is none. Raises ValueError: true, a list or an object is no id."""
    if column is None:
        return None
    value = fields[column]
    if isinstance(value, str):
        return None if value.strip().lower() in _NONE else whole_characters(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(  # noqa: TRY004 - of all that is wrong with a row
            f"its {column} is no id: true, false, a list or an object"
        )
    if isinstance(value, float):
        # Tables make fractions of whole numbers, where one is missing.
        return (str(int(value)) if value.is_integer() else repr(value)) if math.isfinite(value) else None
    return str(value)


def conversation_id_of(row: Row, recording: str, found: Mapping[str, str]) -> str | None:
    """The id of a row's conversation, as `ids_of` has it; None where the row is of none. Raises ValueError."""
    conversation_id = given_id(row.fields, found.get("conversation_id"))
    if conversation_id is None and row.conversation:
        return str(uuid.uuid5(_NAMESPACE, f"{recording}:conversation:{row.conversation}"))
    return conversation_id


def ids_of(row: Row, recording: str, found: Mapping[str, str]) -> tuple[str, str]:
    """The ids of a row's event and of its conversation; `found` says which columns hold them.

    The turns of one object are one conversation. An event's id that is given there may be unique in it alone, so that
    it is joined with the conversation's. Raises ValueError: what stands there is no id.
    """
    event_id = given_id(row.fields, found.get("event_id"))
    conversation_id = conversation_id_of(row, recording, found)
    if event_id is None:
        event_id = event_id_of(recording, row.number)
    elif row.conversation and conversation_id is not None:
        event_id = joined(conversation_id, event_id)
    return event_id, event_id if conversation_id is None else conversation_id


class RowIds:
    """The ids that a recording's rows give their events and conversations, before all of them are known."""

    def __init__(self, recording: str, columns: Mapping[str, str]) -> None:
        self._recording = recording
        self._columns = Columns(columns)

    def __call__(self, row: Row) -> tuple[str, str]:
        """The ids of the event and of the conversation. Raises ValueError: what stands there is no id."""
        found, _ = self._columns.split(row.fields)
        return ids_of(row, self._recording, found)


def joined(conversation_id: str, event_id: str) -> str:
    """An id that is unique beyond its conversation; it stays as it is where it is so by itself."""
    return event_id if UNIQUE.fullmatch(event_id) else _short(f"{conversation_id}/{event_id}")


def _short(event_id: str) -> str:
    return event_id if len(event_id) <= MAX_ID_CHARS else str(uuid.uuid5(_NAMESPACE, event_id))


class EventIds:
    """Makes the events' ids of a recording differ. It is shown all of them once, in order, before it is asked.

    Where ids repeat, and do not within their conversations, each is joined with its conversation's. Of what repeats
    all the same, `repeated` is how often, and `lines` where first. With `apart`, the second of them gets `~2` at its
    end.

    What is remembered of an id is a number of 64 bits, which another one has in a million million cases.
    """

    def __init__(self, *, apart: bool = False) -> None:
        self._apart = apart
        self._ids: set[int] = set()
        self._pairs: set[int] = set()
        self._repeats: list[int] = []  # lines
        self._pair_repeats: list[int] = []
        self._again: Counter[str] = Counter()

    def add(self, line: int, event_id: str, conversation_id: str) -> None:
        """Take the ids of the row at `line`."""
        _note(self._ids, hash(event_id), self._repeats, line)
        _note(self._pairs, hash((event_id, conversation_id)), self._pair_repeats, line)

    @property
    def are_joined(self) -> bool:
        """Whether ids are unique in their conversations alone."""
        return len(self._repeats) > len(self._pair_repeats)

    @property
    def repeated(self) -> int:
        """How many rows have the id of an earlier one, joined or not."""
        return len(self._pair_repeats)

    @property
    def lines(self) -> list[int]:
        """The lines of the first of these rows."""
        return self._pair_repeats[:5]

    @property
    def known(self) -> set[int]:
        """What is remembered of the ids under which the events are sent, those of `apart` as they were."""
        return self._pairs if self.are_joined else self._ids

    def final(self, event_id: str, conversation_id: str) -> str:
        """The id under which an event is sent; asked for all rows, in their order."""
        own = joined(conversation_id, event_id) if self.are_joined and event_id != conversation_id else event_id
        if not self._apart or not self._pair_repeats:
            return own
        self._again[own] += 1
        return own if self._again[own] == 1 else _short(f"{own}~{self._again[own]}")


def _note(seen: set[int], value: int, repeats: list[int], line: int) -> None:
    if value in seen:
        repeats.append(line)
    seen.add(value)
