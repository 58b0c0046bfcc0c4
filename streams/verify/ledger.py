"""The proof that the line kept its promise, from the records of its topics alone: nothing here knows an agent or Kafka.

Every input record must have exactly one result or exactly one dead letter, every result its audit trail; the monitor's
totals must be those of the audit trail, and the state of a conversation that of its results.
"""

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Generic, NamedTuple, TypeVar

from schemas.records import (
    ConversationState,
    MonitoringWindow,
    Record,
    RoutingEvent,
    SentimentResult,
    TranscriptEvent,
)
from schemas.topics import CONVERSATIONS, MONITORING, ROUTING_EVENTS, SENTIMENT, TRANSCRIPTS
from streams.monitoring.window import published_label
from streams.verify.conversations import Recount
from streams.verify.totals import Totals
from streams.verify.verdict import Verdict

R = TypeVar("R", bound=Record)

_KEPT = ("unsupported_language", "sensitive_local")  # reasons for which the edge keeps what it degrades
_BALANCE = 2**62  # sums of hashes are taken by this, so that they fit: an id may have any number of results
_OFFSET_BITS = 48  # a position is partition and offset in one number: 2**48 records a partition, 2**15 partitions


class StoredRecord(NamedTuple, Generic[R]):
    """A record of a topic and where it stood; `record` is None where the bytes cannot be read.

    `letter` is the dead letter that a redriven record says it was.
    """

    partition: int
    offset: int
    record: R | None
    letter: str | None = None


class RecordPosition(NamedTuple):
    """The record that a dead letter was made from; `topic` without the prefix."""

    topic: str
    partition: int
    offset: int


class RedrivenLetter(NamedTuple):
    """A dead letter that is marked as redriven: its id, and the topic that it came from, without the prefix."""

    letter: str
    topic: str


def judge(
    *,
    dead_letters: Iterable[RecordPosition],
    transcripts: Iterable[StoredRecord[TranscriptEvent]],
    routing_events: Iterable[StoredRecord[RoutingEvent]],
    sentiment: Iterable[StoredRecord[SentimentResult]],
    monitoring: Iterable[StoredRecord[MonitoringWindow]],
    conversations: Iterable[StoredRecord[ConversationState]],
    redriven: Iterable[RedrivenLetter] = (),
    late: AbstractSet[str] = frozenset(),
) -> Verdict:
    """Judge a line by its records, in order by partition; of `monitoring` and `conversations` the latest of each key.

    They are read one after the other, in the order above. `redriven` has a dead letter once for each time that it was
    redriven. `late` are the ids of events whose request to the cloud was redriven: what came of it stands behind their
    conversation's later results.
    """
    ledger = _Ledger(Counter(dead_letters), Counter(redriven), late)
    return ledger.judge(transcripts, routing_events, sentiment, monitoring, conversations)


class _Ledger:
    """What is known of each event id, in arrays by the id's number: objects would take four times the memory."""

    def __init__(self, dead: Counter[RecordPosition], marks: Counter[RedrivenLetter], late: AbstractSet[str]) -> None:
        self.verdict = Verdict()
        self.dead = dead
        self.marks = marks  # of these, the ones whose record was not met yet
        self.late = late
        self.recount = Recount()
        self.number: dict[str, int] = {}
        self.position = array("q")  # of the id's first input record
        self.later: dict[int, list[int]] = {}  # positions of an id's further input records
        self.inputs = array("i")  # input records
        self.expected = array("i")  # of these, the ones without a dead letter
        self.results = array("i")
        self.unscored = array("i")  # `completed` events that say so: no result is expected
        self.decided = array("i")
        self.answered = array("i")  # `completed` events that a `decided` must have preceded
        self.balance = array("q")  # hashes of the results less those of the `completed` events: 0 when all have a match

    def judge(
        self,
        transcripts: Iterable[StoredRecord[TranscriptEvent]],
        routing_events: Iterable[StoredRecord[RoutingEvent]],
        sentiment: Iterable[StoredRecord[SentimentResult]],
        monitoring: Iterable[StoredRecord[MonitoringWindow]],
        conversations: Iterable[StoredRecord[ConversationState]],
    ) -> Verdict:
        self._inputs(transcripts)
        totals = Totals()
        self._audit_trail(routing_events, totals)
        self._results(sentiment)
        self._settle()
        self._monitored(totals, monitoring)
        self._states(conversations)
        for origin in sorted(self.dead):
            if origin.topic == TRANSCRIPTS:
                self.verdict.unknown.add(f"dead letter of {_place(*origin)}", self.dead[origin])
        self._redrives()
        return self.verdict

    def _redriven(self, topic: str, letter: str | None) -> bool:
        """Count a record of `topic` against the mark of the dead letter that it was, if it was one."""
        if letter is None:
            return False
        self.verdict.redriven += 1
        self.marks[RedrivenLetter(letter, topic)] -= 1
        return True

    def _redrives(self) -> None:
        """Every mark must have its record, and every redriven record its mark."""
        for (letter, topic), left in sorted(self.marks.items()):
            if left > 0:
                self.verdict.redrives.add(f"dead letter {letter}: marked, but not in {topic}", left)
            elif left < 0:
                self.verdict.redrives.add(f"dead letter {letter}: in {topic} without a mark", -left)

    def _id(self, event_id: str) -> int:
        number = self.number.setdefault(event_id, len(self.number))
        if number == len(self.inputs):
            self.position.append(-1)
            self.balance.append(0)
            for counts in (self.inputs, self.expected, self.results, self.unscored, self.decided, self.answered):
                counts.append(0)
        return number

    def _inputs(self, transcripts: Iterable[StoredRecord[TranscriptEvent]]) -> None:
        for partition, offset, event, letter in transcripts:
            self.verdict.events += 1
            self._redriven(TRANSCRIPTS, letter)
            dead = self.dead.pop(RecordPosition(TRANSCRIPTS, partition, offset), 0)
            if dead:
                self.verdict.dead_letters += dead
                if dead > 1:
                    self.verdict.duplicated.add(f"dead letter of {_place(TRANSCRIPTS, partition, offset)}", dead - 1)
            elif event is None:
                self.verdict.lost.add(f"{_place(TRANSCRIPTS, partition, offset)}, which cannot be read")
            if event is None:
                continue
            i = self._id(event.event_id)
            position = partition << _OFFSET_BITS | offset
            self.verdict.repeated += self.inputs[i] > 0
            self.inputs[i] += 1
            if not dead:
                if self.expected[i]:
                    self.later.setdefault(i, []).append(position)
                else:
                    self.position[i] = position
                self.expected[i] += 1

    def _audit_trail(self, routing_events: Iterable[StoredRecord[RoutingEvent]], totals: Totals) -> None:
        """Record what was decided and completed, and recount the totals."""
        for partition, offset, event, letter in routing_events:
            self.verdict.routing_events += 1
            redriven = self._redriven(ROUTING_EVENTS, letter)
            dead = self.dead.pop(RecordPosition(ROUTING_EVENTS, partition, offset), 0)
            if event is None:
                if not dead:
                    self.verdict.unreadable.add(_place(ROUTING_EVENTS, partition, offset))
                continue
            if not dead:  # the monitor refused it, and said so
                try:
                    totals.add_event(partition, event)
                except (OverflowError, ValueError):  # a cost of 1e300, infinity or NaN has no nano-dollars
                    self.verdict.unreadable.add(_place(ROUTING_EVENTS, partition, offset))
            if redriven:  # its first copy stands in this topic, too, and is as readable: it said what happened
                continue
            self._step(event)

    def _step(self, event: RoutingEvent) -> None:
        """Record what an audit event says of its event."""
        i = self._id(event.event_id)
        if event.stage == "decided":
            self.decided[i] += 1
        elif not event.scored:
            self.verdict.unscored += 1
            self.unscored[i] += 1
        else:
            off = _hash(event.route, event.reason, published_label(event), event.degraded)
            self.balance[i] = (self.balance[i] - off) % _BALANCE
            if _by_cloud_agent(event):
                if self.answered[i] >= self.decided[i]:
                    self.verdict.audit.add(f"{event.event_id}: completed by the cloud before it was decided")
                self.answered[i] += 1

    def _results(self, sentiment: Iterable[StoredRecord[SentimentResult]]) -> None:
        furthest: dict[tuple[int, bool], dict[str, int]] = {}
        for partition, offset, result, letter in sentiment:
            dead = self.dead.pop(RecordPosition(SENTIMENT, partition, offset), 0)
            if self._redriven(SENTIMENT, letter):  # its first copy stands in this topic, too
                if result is not None and not dead:
                    self.recount.add(result)
                continue
            if result is None and dead:  # nothing that the line has written
                continue
            self.verdict.results += 1
            if result is None:
                self.verdict.unreadable.add(_place(SENTIMENT, partition, offset))
                continue
            if not dead:  # the conversation agent refused it, and said so
                self.recount.add(result)
            i = self._id(result.event_id)
            on = _hash(result.route, result.reason, result.label, result.degraded)
            self.balance[i] = (self.balance[i] + on) % _BALANCE
            position = self._position(i, self.results[i])
            self.results[i] += 1
            if position is None or result.event_id in self.late:
                continue
            # Two ways lead to `sentiment`, and one may overtake the other.
            way = furthest.setdefault((partition, _by_cloud_agent(result)), {})
            last = way.get(result.conversation_id)
            if last is not None and position < last and position >> _OFFSET_BITS == last >> _OFFSET_BITS:
                self.verdict.out_of_order.add(f"{result.event_id} in conversation {result.conversation_id}")
            else:
                way[result.conversation_id] = position

    def _position(self, i: int, n: int) -> int | None:
        """Where the input record of id `i` stood that its result number `n` belongs to, or None if there is none."""
        if n >= self.expected[i]:
            return None
        return self.position[i] if n == 0 else self.later[i][n - 1]

    def _settle(self) -> None:
        """Compare what each id has with what it should have."""
        verdict = self.verdict
        for event_id, i in self.number.items():
            missing = self.expected[i] - self.results[i] - self.unscored[i]
            if missing > 0:
                verdict.lost.add(event_id, missing)
            elif missing < 0 and self.inputs[i]:
                verdict.duplicated.add(event_id, -missing)
            elif missing < 0:
                verdict.unknown.add(event_id, -missing)
            if self.balance[i]:
                verdict.audit.add(f"{event_id}: its results and `completed` events differ")
            if self.decided[i] != self.answered[i]:
                verdict.audit.add(
                    f"{event_id}: decided {self.decided[i]} times, completed {self.answered[i]} times by the cloud"
                )

    def _monitored(self, totals: Totals, monitoring: Iterable[StoredRecord[MonitoringWindow]]) -> None:
        for partition, offset, window, _ in monitoring:
            self.verdict.windows += 1
            if window is None or not totals.add_window(window):
                self.verdict.unreadable.add(_place(MONITORING, partition, offset))
        for difference in totals.differences():
            self.verdict.totals.add(difference)

    def _states(self, conversations: Iterable[StoredRecord[ConversationState]]) -> None:
        for what in self.recount.differences(self._readable(conversations)):
            self.verdict.states.add(what)

    def _readable(self, conversations: Iterable[StoredRecord[ConversationState]]) -> Iterator[ConversationState]:
        for partition, offset, state, _ in conversations:
            self.verdict.conversations += 1
            if state is None:
                self.verdict.unreadable.add(_place(CONVERSATIONS, partition, offset))
            else:
                yield state


def _by_cloud_agent(record: RoutingEvent | SentimentResult) -> bool:
    """Whether a completed event, or its result, is the cloud agent's: its answer, or the edge's that stands in for it.

    What no model reads, and what must not leave the worker, the edge publishes itself.
    """
    return record.route == "cloud" or (record.degraded and record.reason not in _KEPT)


@cache
def _hash(route: str, reason: str, label: str, degraded: bool) -> int:
    """A number of 48 bits for what a result and its `completed` event must agree in.

    Sums of fewer than 2**15 of them fit an array's 64 bits, and are equal for different ones once in 2**48 times.
    """
    digest = hashlib.blake2b(f"{route} {reason} {label} {degraded}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big")


def _place(topic: str, partition: int, offset: int) -> str:
    return f"{topic}[{partition}]@{offset}"
