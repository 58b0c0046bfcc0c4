"""Which of a row's columns are an event's fields."""

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from schemas.errors import UsageError

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "event_id": ("event_id", "id", "message_id"),
    "conversation_id": (
        "conversation_id", "contact_id", "session_id", "call_id", "chat_id", "interaction_id", "engagement_id",
        "thread_id", "ticket_id", "case_id", "dialogue_id", "dialog_id", "conv_id",
    ),
    "turn": ("turn",),
    "role": ("role", "speaker"),
    "channel": ("channel",),
    "language": ("language",),
    "text": ("text",),
    "occurred_at": ("occurred_at", "created_at", "at", "timestamp", "sent_at"),
    "source": ("source",),
    "last": ("last",),
}  # fmt: skip
"""The columns that an event's field is taken from, the first that is there and not empty, in any case and with or
without `_`: `conversationId`, `Contact ID`. `text` is taken as it is written."""

# JSON lines may have other names in each line; what is remembered of them is bounded.
_MOST_PLANS: Final = 1_000


class Plan(NamedTuple):
    """Of rows that have certain columns: those of each field, in the order in which they are tried, and the others."""

    fields: tuple[tuple[str, tuple[str, ...]], ...]
    others: tuple[str, ...]


class Columns:
    """Finds the columns of an event's fields by their names; `given` says others for some fields.

    `usual` says them of something else than an event.
    """

    def __init__(self, given: Mapping[str, str], usual: Mapping[str, tuple[str, ...]] = COLUMNS) -> None:
        self._given = given
        self._usual = usual
        self._plans: dict[tuple[str, ...], Plan] = {}

    def plan(self, names: Iterable[str]) -> Plan:
        """Which of the columns `names` are what."""
        key = tuple(names)
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            plan = self._plans[key] = self._made(key)
        return plan

    def split(self, fields: Mapping[str, object]) -> tuple[dict[str, str], dict[str, object]]:
        """The column of each field of the event that a row has a value for, and its other values."""
        plan = self.plan(fields)
        found: dict[str, str] = {}
        rest: dict[str, object] = {}
        for field, columns in plan.fields:
            for column in columns:
                if not is_missing(value := fields[column]):
                    if field in found:
                        rest[column] = value
                    else:
                        found[field] = column
        for name in plan.others:
            if not is_missing(value := fields[name]):
                rest[name] = value
        return found, rest

    def _made(self, names: tuple[str, ...]) -> Plan:
        plain = {name: re.sub(r"[\s_-]", "", name).lower() for name in names}
        taken: list[tuple[str, tuple[str, ...]]] = []
        for field, usual in self._usual.items():
            if field in self._given:
                columns = [name for name in names if name == self._given[field]]
            elif field == "text":
                columns = [name for name in names if name == "text"]
            else:
                columns = [
                    name
                    for each in usual
                    for name in sorted(names, key=lambda name: name != each)  # as it is written, before another case
                    if plain[name] == each.replace("_", "")
                ]
            free = [name for name in columns if name not in self._given.values() or self._given.get(field) == name]
            if free:
                taken.append((field, tuple(free)))
        used = {column for _, columns in taken for column in columns}
        return Plan(tuple(taken), tuple(name for name in names if name not in used))


def is_missing(value: object) -> bool:
    """Whether a column has nothing in a row: null, an empty text, NaN."""
    return value is None or value == "" or value != value  # noqa: PLR0124 - NaN alone is not itself


def parse_columns(given: Iterable[str], fields: Iterable[str] = COLUMNS) -> dict[str, str]:
    """`["text=body", …]` as a mapping of field to column. Raises UsageError: it is none of `fields`, or no `=`."""
    known = tuple(fields)
    columns = {}
    for item in given:
        field, separator, column = item.partition("=")
        if not separator or field not in known or not column:
            raise UsageError(f"--column {item}: give FIELD=COLUMN, where FIELD is one of {', '.join(known)}")
        columns[field] = column
    return columns
