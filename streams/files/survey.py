"""What a recording as a whole says of its rows: it is read once before anything is sent."""

import re
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, pairwise
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
    times: "dict[str, array[int]]" = field(default_factory=dict)  # of each conversation, in the file's order
    numbered: set[str] = field(default_factory=set)  # conversations with turns of their own
    ended: set[str] = field(default_factory=set)  # conversations that objects end, where these end
    _pieces: set[str] = field(default_factory=set)  # conversations whose turns are counted in several objects
    _reordered: int = 0
    _ranks: "dict[str, array[int]] | None" = None
    _last: dict[str, int] = field(default_factory=dict)  # the turn with which a conversation that has ranks is over
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
            self.numbered.add(event.conversation_id)
        else:
            times = self.times.setdefault(event.conversation_id, array("q"))
            if event.turn <= len(times):  # the turns of another object are counted from 1 again
                self._pieces.add(event.conversation_id)
            if made.row.last:
                self.ended.add(event.conversation_id)
            times.append(event.occurred_at if made.timed else _UNKNOWN_TIME)
        if made.timed:
            self._add_time(event.occurred_at, made.row.line)

    @property
    def conversations(self) -> int:
        """How many there are."""
        return len(self.numbered | self.times.keys())

    @property
    def reordered(self) -> int:
        """How many conversations do not stand in the order of their times, and have no turns of their own."""
        self._ranked()
        return self._reordered

    def final(self, event: TranscriptEvent) -> TranscriptEvent:
        """The event as it is sent; asked for all rows, in their order, after all were taken."""
        event_id = self.ids.final(event.event_id, event.conversation_id)
        ranks = self._ranked().get(event.conversation_id)
        if ranks is None:
            return event if event_id == event.event_id else replace(event, event_id=event_id)
        place = self._asked[event.conversation_id]
        self._asked[event.conversation_id] += 1
        last = self._last.get(event.conversation_id)
        return replace(
            event, event_id=event_id, turn=ranks[place], last=event.last if last is None else ranks[place] == last
        )

    def number(self, conversation_id: str, ranks: "array[int]", last: int | None) -> None:
        """Give a conversation's rows these turns; it is over with the turn `last`. None: as its events say."""
        self._ranked()[conversation_id] = ranks
        if last is not None:
            self._last[conversation_id] = last

    def _add_time(self, at: int, line: int) -> None:
        if self.last_ms is not None and at - self.last_ms > self.longest_gap_ms:
            self.longest_gap_ms, self.longest_gap_line = at - self.last_ms, line
        self.first_ms = at if self.first_ms is None else min(self.first_ms, at)
        self.last_ms = at if self.last_ms is None else max(self.last_ms, at)

    def _ranked(self) -> "dict[str, array[int]]":
        """The turns, by time, of the conversations that need them."""
        if self._ranks is None:
            self._ranks = {}
            for conversation, times in self.times.items():
                if conversation in self.numbered:
                    continue
                out_of_order = _is_out_of_order(times)
                self._reordered += out_of_order
                if out_of_order or conversation in self._pieces:
                    self.number(conversation, _ranks(times), len(times) if conversation in self.ended else None)
        return self._ranks


def number_together(surveys: Sequence[Survey]) -> int:
    """Numbers the turns of each conversation that several recordings hold parts of as one; says how many these are.

    They go by time, or, where a time is unknown, one recording's after the other's. Turns of their own stay.
    """
    parts = Counter(conversation for survey in surveys for conversation in survey.times)
    numbered = 0
    for conversation in [conversation for conversation, count in parts.items() if count > 1]:
        held = [survey for survey in surveys if conversation in survey.times]
        if any(conversation in survey.numbered for survey in held):
            continue
        numbered += 1
        times = array("q", chain.from_iterable(survey.times[conversation] for survey in held))
        ranks = _ranks(times)
        last = len(times) if any(conversation in survey.ended for survey in held) else None
        for survey in held:
            count = len(survey.times[conversation])
            survey.number(conversation, ranks[:count], last)
            ranks = ranks[count:]
    return numbered


def _is_out_of_order(times: "array[int]") -> bool:
    return _UNKNOWN_TIME not in times and any(later < earlier for earlier, later in pairwise(times))


def _ranks(times: "array[int]") -> "array[int]":
    """The place of each time, from 1. Of equal ones the first stands first, or last in a file that is newest first.

    Where one is unknown, they stay as they are.
    """
    if _UNKNOWN_TIME in times:
        return array("q", range(1, len(times) + 1))
    newest_first = times[0] > times[-1] and all(later <= earlier for earlier, later in pairwise(times))
    order = sorted(range(len(times)), key=lambda place: (times[place], -place if newest_first else place))
    ranks = array("q", bytes(8 * len(times)))
    for rank, place in enumerate(order, 1):
        ranks[place] = rank
    return ranks
