"""What a recording as a whole says of its rows: it is read once before anything is sent."""

import re
from array import array
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

from models.text_validation import is_readable
from schemas.records import TranscriptEvent
from streams.files.identity import EventIds
from streams.files.recorded_event import Made

_UNKNOWN_TIME: Final = -(2**63)

# Excel keeps 15 digits of a number, and shows one of more than 11 as 1.23457E+17.
_ROUNDED: Final = re.compile(r"\d(?:\.\d+)?[eE]\+\d+|\d{15}0{2,}")


@dataclass(slots=True)
class Survey:
    """Counts of a recording's events; `ids` and the order of turns, which only all the rows tell.

    It holds of a row two numbers for its ids and one for its time, and of a conversation its id.
    """

    ids: EventIds = field(default_factory=EventIds)
    rows: int = 0
    blank: int = 0  # events whose text says nothing
    untimed: int = 0  # events without a time of their own
    rounded: int = 0  # events whose id, or their conversation's, looks like a number that a spreadsheet has rounded
    roles: Counter[str] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    first_ms: int | None = None  # the earliest time, in UTC milliseconds
    last_ms: int | None = None
    longest_gap_ms: int = 0  # between one event's time and the latest before it
    longest_gap_line: int = 0
    _times: "dict[str, array[int]]" = field(default_factory=dict)  # of each conversation, in the file's order
    _numbered: set[str] = field(default_factory=set)  # conversations with turns of their own
    _ranks: "dict[str, array[int]] | None" = None
    _asked: Counter[str] = field(default_factory=Counter)

    def add(self, made: Made) -> None:
        """Take the next row."""
        event = made.event
        self.rows += 1
        self.blank += not is_readable(event.text)
        self.untimed += not made.timed
        self.roles[event.role] += 1
        self.channels[event.channel] += 1
        self.languages[event.language or ""] += 1
        self.rounded += any(_ROUNDED.fullmatch(each) for each in (event.event_id, event.conversation_id))
        self.ids.add(made.row.line, event.event_id, event.conversation_id)
        if made.numbered:
            self._numbered.add(event.conversation_id)
        else:
            times = self._times.setdefault(event.conversation_id, array("q"))
            times.append(event.occurred_at if made.timed else _UNKNOWN_TIME)
        if made.timed:
            self._add_time(event.occurred_at, made.row.line)

    @property
    def conversations(self) -> int:
        """How many there are."""
        return len(self._numbered | self._times.keys())

    @property
    def reordered(self) -> int:
        """How many conversations do not stand in the order of their times, and have no turns of their own."""
        return len(self._ranked())

    def final(self, event: TranscriptEvent) -> TranscriptEvent:
        """The event as it is sent; asked for all rows, in their order, after all were taken."""
        event_id = self.ids.final(event.event_id, event.conversation_id)
        ranks = self._ranked().get(event.conversation_id)
        if ranks is None:
            return event if event_id == event.event_id else replace(event, event_id=event_id)
        place = self._asked[event.conversation_id]
        self._asked[event.conversation_id] += 1
        return replace(event, event_id=event_id, turn=ranks[place])

    def _add_time(self, at: int, line: int) -> None:
        if self.last_ms is not None and at - self.last_ms > self.longest_gap_ms:
            self.longest_gap_ms, self.longest_gap_line = at - self.last_ms, line
        self.first_ms = at if self.first_ms is None else min(self.first_ms, at)
        self.last_ms = at if self.last_ms is None else max(self.last_ms, at)

    def _ranked(self) -> "dict[str, array[int]]":
        """The turns, by time, of the conversations that need them."""
        if self._ranks is None:
            self._ranks = {
                conversation: _ranks(times)
                for conversation, times in self._times.items()
                if conversation not in self._numbered and _is_out_of_order(times)
            }
        return self._ranks


def _is_out_of_order(times: "array[int]") -> bool:
    return _UNKNOWN_TIME not in times and any(later < earlier for earlier, later in pairwise(times))


def _ranks(times: "array[int]") -> "array[int]":
    """The place of each time, from 1. Of equal ones the first stands first, or last in a file that is newest first."""
    newest_first = all(later <= earlier for earlier, later in pairwise(times))
    order = sorted(range(len(times)), key=lambda place: (times[place], -place if newest_first else place))
    ranks = array("q", bytes(8 * len(times)))
    for rank, place in enumerate(order, 1):
        ranks[place] = rank
    return ranks
