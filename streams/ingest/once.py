"""Events into `transcripts`, each once: whoever sends it again, and whatever dies in between.

What has come in is remembered in Kafka itself. Each transaction that brings events into `transcripts` also puts one
record into `deliveries`, with the digests of their ids: both are there, or neither. A server that starts, or that does
not know how its last transaction ended, takes its transactional id over, which ends that transaction one way or the
other, and reads `deliveries` to its end.

Several servers may be sent the same event at the same time. `deliveries` has one partition, so that the records of all
servers stand in one order, and a transaction has one record there. A server commits only when whatever stands before
its record is committed or aborted and has none of its events. So of two servers the one whose record is behind leaves
the event out, and none waits for one that waits for it. As a rule nobody has written in between, which the record's
offset shows; then nothing is read. That holds with one producer alone: its next record stands behind the marker that
ends its last transaction. Another's could come before it, and the one offset in between be anybody's.

With the embedded broker this is at least once: it does not isolate what a killed server left open.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final, NamedTuple

import stamina
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.errors import EdgewiseError
from schemas.topics import DELIVERIES, TRANSCRIPTS
from streams.ingest.remembered import DIGEST_BYTES, Remembered
from streams.ingest.sender import require_topics
from streams.kafka.client import Cluster, is_repeatable
from streams.kafka.connections import CONNECTION_OPTIONS
from streams.kafka.embedded_lock import exclusive_transactions
from streams.kafka.messages import message_value
from streams.kafka.reader import read_up_to, watermarks
from streams.kafka.refusals import explain_refusal
from streams.system.clock import Clock, now_ms
from streams.system.trace_context import TraceHeaders

NAME: Final = "ingest"
"""What the door is called among transactional ids, in metrics and in errors."""

_HOUR_MS: Final = 3_600_000
_INIT_TIMEOUT_S: Final = 60.0
_RETRY_S: Final = 30.0
_POLL_S: Final = 0.1  # a delivery ends it before

_PRODUCER_OPTIONS: Final[Mapping[str, object]] = {
    **CONNECTION_OPTIONS,
    "linger.ms": 0,  # what waited while the last transaction was under way goes out together
    # The markers of the last transaction are being written for some milliseconds; librdkafka's default of 100 ms before
    # it asks again would be most of a request's time.
    "retry.backoff.ms": 5,
}

# What a broker refuses because of a record itself. It would refuse the record again, and take the others.
_OF_THE_RECORD: Final = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD, KafkaError.INVALID_MSG)

# Each try blocks by itself, so there need be no pause.
_repeating = stamina.retry(on=is_repeatable, timeout=_RETRY_S, attempts=None, wait_initial=0.0, wait_jitter=0.02)


class IntakeError(EdgewiseError):
    """Kafka did not take events; whether it has them is found out when the writer is opened again."""


class EventRefusedError(EdgewiseError):
    """Kafka does not take one of the events, whatever is tried: it is too large for the topic."""


class Item(NamedTuple):
    """An event as it is written, the digest of its ids, and the trace that it belongs to."""

    digest: bytes
    key: bytes
    value: bytes
    headers: TraceHeaders = ()


def require_door(cluster: Cluster) -> None:
    """Raises UsageError unless both topics are there, AccessError unless this user may read and write them."""
    settings = cluster.settings
    needed = {settings.topic(TRANSCRIPTS): ["WRITE"], settings.topic(DELIVERIES): ["READ", "WRITE"]}
    require_topics(cluster, NAME, needed)


class OnceWriter:
    """Writes events in transactions, each event once. One thread may use it.

    After an error it is closed: `open` it again, and write the same events again.
    """

    def __init__(self, cluster: Cluster, clock: Clock = now_ms) -> None:
        self._cluster = cluster
        self._clock = clock
        self._settings = cluster.settings
        self._id = self._settings.transactional_id(NAME)
        self._remembered = Remembered(self._settings.ingest_remember_h * _HOUR_MS)
        self._producer: Producer | None = None
        self._exclusive: AbstractContextManager[None] = nullcontext()
        self._known_to = 0  # whatever is committed in `deliveries` before this offset is remembered
        self._next = 0  # where the next record there will be, if nobody else writes one

    @property
    def is_open(self) -> bool:
        """Whether events can be written."""
        return self._producer is not None

    def open(self) -> None:
        """Ends what this server's last transaction left open, and learns what has come in.

        Raises EdgewiseError: no broker answers, a right is missing, another server's transaction does not end.
        """
        self._exclusive = exclusive_transactions(self._cluster)
        producer = self._cluster.producer(_PRODUCER_OPTIONS, transactional_id=self._id)
        with self._exclusive:
            try:
                _repeating(producer.init_transactions)(_INIT_TIMEOUT_S)
            except KafkaException as failure:
                raise self._explained(failure.args[0]) from failure
        marks = watermarks(self._cluster, DELIVERIES)[0]
        for message in read_up_to(self._cluster, DELIVERIES, max(self._known_to, marks.low), marks.high):
            self._learn(message)
        self._known_to = self._next = marks.high
        self._producer = producer

    def write(self, items: Sequence[Item]) -> list[bool]:
        """Whether each of `items` was new. On return all of them are in `transcripts`, each once.

        Raises EventRefusedError, IntakeError, ReadError: none of `items` counts as written.
        """
        while True:
            new = self._new(items)
            chosen = [item for item, is_new in zip(items, new, strict=True) if is_new]
            if not chosen or self._written(chosen):
                return new

    def _new(self, items: Sequence[Item]) -> list[bool]:
        """Whether each item is neither remembered nor the same as one before it."""
        before: set[bytes] = set()
        new = []
        for item in items:
            new.append(item.digest not in before and item.digest not in self._remembered)
            before.add(item.digest)
        return new

    def _written(self, items: Sequence[Item]) -> bool:
        """Whether `items` were written, in one transaction; False where another server has written one meanwhile."""
        producer, self._producer = self._producer, None  # until it is known that nothing went wrong
        if producer is None:
            raise IntakeError("the writer is closed")
        with self._exclusive:
            try:
                place = self._send(producer, items)
                if place != self._next:
                    for message in read_up_to(self._cluster, DELIVERIES, self._known_to, place):
                        self._learn(message)
                come_meanwhile = any(item.digest in self._remembered for item in items)
                _repeating(producer.abort_transaction if come_meanwhile else producer.commit_transaction)(_RETRY_S)
            except KafkaException as failure:
                raise self._explained(failure.args[0]) from failure
        if not come_meanwhile:
            self._remembered.add((item.digest for item in items), self._clock())
        self._known_to, self._next = place + 1, place + 2  # the transaction's marker takes an offset, too
        self._producer = producer
        return not come_meanwhile

    def _send(self, producer: Producer, items: Sequence[Item]) -> int:
        """Begins a transaction with `items`; the place of its record in `deliveries`. Raises KafkaException."""
        places: list[int | None] = []
        failures: list[KafkaError] = []

        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                failures.append(error)

        def placed(error: KafkaError | None, message: Message) -> None:
            delivered(error, message)
            places.append(message.offset())

        producer.begin_transaction()
        digests = b"".join(item.digest for item in items)
        deliveries, transcripts = map(self._settings.topic, (DELIVERIES, TRANSCRIPTS))
        producer.produce(deliveries, digests, self._settings.worker_id.encode(), 0, on_delivery=placed)
        for item in items:
            producer.produce(transcripts, item.value, item.key, headers=[*item.headers], on_delivery=delivered)
        # flush() would wait on after a failure: librdkafka then sends nothing more, and keeps the rest until their time
        # is over.
        deadline = time.monotonic() + _RETRY_S
        while (left := len(producer)) and not failures and time.monotonic() < deadline:
            producer.poll(_POLL_S)
        if failures:
            # What fails because the transaction has failed already says less than what failed first.
            raise KafkaException(min(failures, key=lambda error: error.code() not in _OF_THE_RECORD))
        [place] = places or [None]
        if left or place is None:
            raise IntakeError(f"Kafka did not take {left} records within {_RETRY_S:g} s")
        return place

    def _learn(self, message: Message) -> None:
        value = message_value(message) or b""
        digests = (value[at : at + DIGEST_BYTES] for at in range(0, len(value), DIGEST_BYTES))
        self._remembered.add(digests, message.timestamp()[1])

    def _explained(self, error: KafkaError) -> EdgewiseError:
        if error.code() in _OF_THE_RECORD:
            return EventRefusedError("Kafka does not take an event of this size")
        needs = f"WRITE on topics {', '.join(map(self._settings.topic, (TRANSCRIPTS, DELIVERIES)))} and on "
        why = explain_refusal(self._settings, error, f"{needs}transactional id {self._id}")
        return IntakeError(f"Kafka did not take events: {why} ({error.name()})")
