"""Looking things up in topics by time, and never more than so much at once: audit events, and the texts they are of."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from typing import Final, NamedTuple

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from schemas.codec import DecodeError
from schemas.errors import EdgewiseError
from schemas.records import ConversationState, RoutingEvent, TranscriptEvent, nanodollars
from schemas.topics import CONVERSATIONS, ROUTING_EVENTS, TRANSCRIPTS
from schemas.validation import validate_routing_event
from streams.config.codecs import codec
from streams.kafka.client import Cluster
from streams.kafka.messages import PARTITION_END, message_key, message_value
from streams.kafka.reader import offsets_since, watermarks
from streams.kafka.refusals import explain_refusal
from streams.operate.risk_index import Place
from streams.system.clock import now_ms

DECODED_AT_MOST: Final = 50_000
"""Audit events that a list looks at: a second or two of a processor's core."""

PASSED_AT_MOST: Final = 500_000
"""Records of other conversations that are passed over, which takes as long."""

SLACK_MS: Final = 60_000
"""From an event's being recorded, or taken by Kafka, to what is made of it; the cloud's deadline comes on top."""

_NEVER_MS: Final = 9_000_000_000_000  # in the year 2255
_SLICE: Final = 20_000  # records that are read at once
_BATCH: Final = 5_000
_QUIET_S: Final = 15.0


class LookUpError(EdgewiseError):
    """A topic could not be looked into."""


class Recorded(NamedTuple):
    """An audit event and its place in `routing-events`. Of two the later one is the greater."""

    recorded_at: int
    partition: int
    offset: int
    event: RoutingEvent


_PLACE: Final = itemgetter(0, 1, 2)


class Found(NamedTuple):
    """What was found; `matched` and `cost_nanos` are of all that match in what was looked at, not of `events` alone."""

    events: list[Recorded]  # the latest first
    matched: int
    cost_nanos: int
    reached_ms: int  # everything recorded since then was looked at
    is_whole: bool  # that is all that was asked for


def find_events(
    cluster: Cluster,
    matches: Callable[[RoutingEvent], bool],
    since_ms: int,
    until_ms: int,
    most: int,
    skip: int = 0,
) -> Found:
    """The latest `most` audit events, after the first `skip`, that match and were recorded in the time given (UTC).

    It reads what was written in that time, the latest slice first. Where that is `DECODED_AT_MOST` records or fewer it
    reads all; else it stops when it has enough, or has read so many. Before that it reads what was written up to
    `SLACK_MS` and the cloud's deadline after that time, however much that is: else a list would not get on.

    Raises LookUpError, and what `watermarks` raises.
    """
    decode = codec(cluster.settings, ROUTING_EVENTS).decode
    kept: list[Recorded] = []
    late: list[Recorded] = []  # recorded before the slice in which they were written
    matched = cost = looked_at = 0
    with _reading(cluster, ROUTING_EVENTS) as topic:
        reached = until_ms + _slack_ms(cluster)
        held, written = topic.count(since_ms, until_ms), topic.count(since_ms, reached)
        length = reached - since_ms if written <= _SLICE else max(1_000, (reached - since_ms) * _SLICE // written)
        while reached > since_ms and looked_at < DECODED_AT_MOST:
            if len(kept) >= skip + most and held > DECODED_AT_MOST:
                break
            begin, found, seen = max(since_ms, reached - length), late, 0
            # A replay or a backlog that was caught up may have written in minutes what is else a day's.
            while topic.goes_by_time and reached - begin > 1_000 and topic.count(begin, reached) > 2 * _SLICE:
                begin = reached - (reached - begin) // 2
            for message in topic.between(begin, reached):
                seen += 1
                try:
                    event = decode(message_value(message))
                    validate_routing_event(event, now_ms=now_ms())
                except DecodeError:
                    continue  # such are in dead-letters
                if since_ms <= event.recorded_at < until_ms and matches(event):
                    place = message.partition() or 0, message.offset() or 0
                    found.append(Recorded(event.recorded_at, *place, event))
            # Nothing is written before it is recorded: of what was recorded since `begin` all has been read.
            late = [each for each in found if each.recorded_at < begin]
            known = [each for each in found if each.recorded_at >= begin]
            matched, cost = matched + len(known), cost + sum(nanodollars(each.event.cost_usd) for each in known)
            kept = (kept + sorted(known, key=_PLACE, reverse=True))[: most + skip]
            looked_at, reached = looked_at + (seen if begin < until_ms else 0), begin
            length = max(1_000, length * 4 if seen < _SLICE // 4 else length // 2 if seen > _SLICE else length)
    return Found(kept[skip:], matched, cost, min(reached, until_ms), reached <= since_ms)


def events_of(cluster: Cluster, conversation_id: str, since_ms: int, until_ms: int) -> Found:
    """The audit events of a conversation that were recorded in that time (UTC), the latest first.

    Raises what `find_events` raises.
    """
    decode = codec(cluster.settings, ROUTING_EVENTS).decode
    found: list[Recorded] = []
    with _reading(cluster, ROUTING_EVENTS) as topic:
        for message in topic.between(since_ms, until_ms + _slack_ms(cluster), conversation_id.encode(errors="replace")):
            try:
                event = decode(message_value(message))
                validate_routing_event(event, now_ms=now_ms())
            except DecodeError:
                continue
            if since_ms <= event.recorded_at < until_ms:
                found.append(Recorded(event.recorded_at, message.partition() or 0, message.offset() or 0, event))
        is_whole = not topic.was_cut
    found.sort(key=_PLACE, reverse=True)
    cost = sum(nanodollars(each.event.cost_usd) for each in found)
    return Found(found, len(found), cost, since_ms, is_whole)


def texts_of(cluster: Cluster, conversation_id: str, since_ms: int, until_ms: int) -> dict[str, TranscriptEvent]:
    """The conversation's events that Kafka took in that time (UTC), by event id. Raises what `find_events` raises."""
    decode = codec(cluster.settings, TRANSCRIPTS).decode
    found: dict[str, TranscriptEvent] = {}
    with _reading(cluster, TRANSCRIPTS) as topic:
        for message in topic.between(since_ms, until_ms, conversation_id.encode(errors="replace")):
            try:
                event = decode(message_value(message))
            except DecodeError:
                continue
            found.setdefault(event.event_id, event)
    return found


def state_at(cluster: Cluster, place: Place) -> ConversationState | None:
    """The state at `place` in `conversations`; None: it is there no more. Raises what `find_events` raises."""
    with _reading(cluster, CONVERSATIONS) as topic:
        for message in topic.at(place):
            try:
                return codec(cluster.settings, CONVERSATIONS).decode(message_value(message))
            except DecodeError:
                return None
    return None


class _Topic:
    """A topic's committed records, by time.

    The embedded broker goes by when it took a record, and for a time after the last one gives the first offset: there
    all is read, and what is of another time is left out. It holds everything in memory, so that this is not much.
    """

    def __init__(self, cluster: Cluster, topic: str, consumer: Consumer) -> None:
        self._name = cluster.settings.topic(topic)
        self._consumer = consumer
        self._marks = watermarks(cluster, topic)
        filled = {partition: -1 for partition, mark in self._marks.items() if mark.low < mark.high}
        self.goes_by_time = all(at < 0 for at in offsets_since(consumer, self._name, _NEVER_MS, filled).values())
        self.was_cut = False

    def offsets(self, since_ms: int) -> dict[int, int]:
        """Where each partition's records of that time (UTC) begin."""
        ends = {partition: mark.high for partition, mark in self._marks.items()}
        found = offsets_since(self._consumer, self._name, since_ms, ends)
        return {partition: max(self._marks[partition].low, offset) for partition, offset in found.items()}

    def span(self, since_ms: int, until_ms: int) -> tuple[dict[int, int], dict[int, int]]:
        """Where each partition's records of that time begin, and where they end."""
        if self.goes_by_time:
            return self.offsets(since_ms), self.offsets(until_ms)
        lows = {partition: mark.low for partition, mark in self._marks.items()}
        return lows, {partition: mark.high for partition, mark in self._marks.items()}

    def count(self, since_ms: int, until_ms: int) -> int:
        """How many offsets there are between them."""
        starts, ends = self.span(since_ms, until_ms)
        return sum(max(0, ends[partition] - start) for partition, start in starts.items())

    def between(self, since_ms: int, until_ms: int, key: bytes | None = None) -> Iterator[Message]:
        """Those written in that time; with `key` those that have it.

        With a key `PASSED_AT_MOST` are looked at, of each partition as many, and `was_cut` says that there were more.
        """
        starts, ends = self.span(since_ms, until_ms)
        share = PASSED_AT_MOST // max(1, len(ends))
        if key is not None and any(end - starts[partition] > share for partition, end in ends.items()):
            self.was_cut = True
            ends = {partition: min(end, starts[partition] + share) for partition, end in ends.items()}
        for message in self.read(starts, ends):
            of_time = self.goes_by_time or since_ms <= message.timestamp()[1] < until_ms
            if of_time and (key is None or message_key(message) == key):
                yield message

    def at(self, place: Place) -> Iterator[Message]:
        """The record at `place`, if it is still there."""
        mark = self._marks.get(place.partition)
        if mark is not None and mark.low <= place.offset < mark.high:
            yield from self.read({place.partition: place.offset}, {place.partition: place.offset + 1})

    def read(self, starts: dict[int, int], ends: dict[int, int]) -> Iterator[Message]:
        """The records of each partition from its start to before its end. Raises LookUpError: nothing comes."""
        unread = {partition: end for partition, end in ends.items() if starts[partition] < end}
        assigned = [TopicPartition(self._name, partition, starts[partition]) for partition in unread]
        self._consumer.assign(assigned)
        quiet_since = time.monotonic()
        while unread:
            first = self._consumer.poll(0.2)
            for message in [] if first is None else [first, *self._consumer.consume(_BATCH - 1, 0)]:
                partition, offset, error = message.partition(), message.offset(), message.error()
                if partition is None or offset is None or partition not in unread:
                    continue
                if error is not None and error.code() != PARTITION_END:
                    raise KafkaException(error)
                if error is None and offset < unread[partition]:
                    yield message
                    quiet_since = time.monotonic()
                # An end may come before the last offsets: markers of transactions, or one that is still open.
                if error is not None or offset + 1 >= unread[partition]:
                    # Not paused: a partition that is resumed goes on from where it was, whatever it is assigned anew.
                    self._consumer.incremental_unassign([TopicPartition(self._name, partition)])
                    del unread[partition]
            if unread and time.monotonic() - quiet_since > _QUIET_S:
                raise LookUpError(f"nothing came from topic {self._name} for {_QUIET_S:g} s: is a broker there?")


@contextmanager
def _reading(cluster: Cluster, topic: str) -> Iterator[_Topic]:
    consumer = cluster.assigned_consumer(reset="earliest")
    name = cluster.settings.topic(topic)
    try:
        yield _Topic(cluster, topic, consumer)
    except KafkaException as failure:
        why = explain_refusal(cluster.settings, failure.args[0], f"READ on topic {name}")
        raise LookUpError(f"topic {name} could not be looked into: {why}") from None
    finally:
        consumer.close()


def _slack_ms(cluster: Cluster) -> int:
    """How much later than it is recorded an audit event is written at most: within its batch."""
    return SLACK_MS + cluster.settings.cloud_deadline_ms
