"""Read a topic once, up to its end as of the call: what verify, a resumed replay and the monitor's restart need."""

import time
from collections.abc import Generator, Iterator, Mapping
from typing import NamedTuple, cast

import stamina
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.errors import EdgewiseError, UsageError
from streams.config.settings import Settings
from streams.kafka.client import BrokerUnreachableError, client_config, cluster_metadata, passing, require_visible
from streams.kafka.security import reason

_REQUEST_TIMEOUT_S = 15.0
# A transaction left open is aborted by the broker after the producers' transaction.timeout.ms (20 s) and the next run
# of its check (10 s by default): after twice that, something other than a slow abort is wrong.
_PATIENCE_S = 60.0
# One call of consume() hands over at most so many records: 5,000 events of 400 bytes are 2 MB.
_BATCH = 5_000
_END = KafkaError._PARTITION_EOF  # noqa: SLF001 - librdkafka's own codes are public all the same
_REMOVED = KafkaError._AUTO_OFFSET_RESET  # noqa: SLF001
_PERMANENT = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
)
# Not among them: GROUP_AUTHORIZATION_FAILED. librdkafka looks for the group's coordinator; this reader needs none.

_patiently = stamina.RetryingCaller(attempts=None, timeout=_REQUEST_TIMEOUT_S).on(passing)


class ReadError(EdgewiseError):
    """A topic could not be read up to its end."""


class Watermarks(NamedTuple):
    """The offsets that a partition holds: from `low`, before `high`; a transaction's control records have some too."""

    low: int
    high: int


def watermarks(settings: Settings, topic: str) -> dict[int, Watermarks]:
    """The watermarks of each partition of `topic` (its name without the prefix), open transactions included.

    Raises `UsageError` when there is no such topic, `AccessError` when this user may not see it,
    `BrokerUnreachableError` when no broker answers.
    """
    name = settings.topic(topic)
    metadata = cluster_metadata(settings).topics.get(name)
    if metadata is None or not metadata.partitions:
        require_visible(settings, name)
        raise UsageError(
            f"there is no topic {name} at {settings.bootstrap_servers}: create it with `edgewise topics create`, "
            "or set EDGEWISE_TOPIC_PREFIX to the installation's"
        )
    consumer = _consumer(settings, "read_uncommitted")
    try:
        marks = {
            partition: Watermarks(
                *_patiently(consumer.get_watermark_offsets, TopicPartition(name, partition), timeout=_REQUEST_TIMEOUT_S)
            )
            for partition in sorted(metadata.partitions)
        }
        filled = {at: mark for at, mark in marks.items() if mark.low < mark.high}
        return marks | _fetched(settings, consumer, name, filled)
    except KafkaException as error:
        raise BrokerUnreachableError(
            f"the offsets of topic {name} could not be had from {settings.bootstrap_servers}: {error.args[0].str()}"
        ) from None
    finally:
        consumer.close()


def _fetched(settings: Settings, consumer: Consumer, name: str, marks: dict[int, Watermarks]) -> dict[int, Watermarks]:
    """`marks` with the high watermarks that a fetch tells.

    Asked for its latest offset, the embedded broker (tansu 0.6.0) answers the one after the *first* record of the last
    batch. In a fetch's answer its high watermark is right; and a fetch from there costs 10 ms on Kafka.
    """
    found: dict[int, Watermarks] = {}
    consumer.assign([TopicPartition(name, partition, mark.high) for partition, mark in marks.items()])
    deadline = time.monotonic() + _REQUEST_TIMEOUT_S
    while len(found) < len(marks):
        for partition, _, _ in _fetch(settings, consumer, name):
            _, high = consumer.get_watermark_offsets(TopicPartition(name, partition), cached=True)
            found[partition] = marks[partition]._replace(high=max(high, marks[partition].high))
        if time.monotonic() > deadline:
            raise ReadError(f"partitions of topic {name} gave no answer within {_REQUEST_TIMEOUT_S:g} s")
    return found


def read_topic(
    settings: Settings,
    topic: str,
    *,
    offsets: Mapping[int, int] | None = None,
    since_ms: int | None = None,
    patience_s: float = _PATIENCE_S,
) -> Generator[Message, None, None]:
    """Every committed record of `topic` (its name without the prefix) that is in it as of this call, then the end.

    Each partition is in order; between partitions there is no order. A partition starts at its offset in `offsets`
    (in UTC ms: `since_ms`, at its first record of that time or later), else at its beginning; where that has been
    removed by retention, at the first record there is.

    A read_committed consumer alone would stop too soon: it sees nothing behind the first transaction that is still
    open on a partition, and a commit returns before its marker is on every partition. So the ends are those of a
    read_uncommitted client, and reading goes on until they are reached, whatever becomes of those transactions.

    Raises `UsageError` when there is no such topic, `BrokerUnreachableError` when no broker answers, and, while
    reading, `ReadError` when nothing has come for `patience_s` seconds or records were removed before they were read.
    """
    marks = watermarks(settings, topic)
    starts = {partition: max(mark.low, (offsets or {}).get(partition, 0)) for partition, mark in marks.items()}
    ends = {partition: mark.high for partition, mark in marks.items()}
    records = _read(settings, settings.topic(topic), starts, ends, since_ms, patience_s)
    return records if since_ms is None else _drop_earlier(records, since_ms)


def _read(
    settings: Settings, name: str, starts: dict[int, int], ends: dict[int, int], since_ms: int | None, patience_s: float
) -> Generator[Message, None, None]:
    """Read partitions of topic `name` from `starts` to before `ends`."""
    consumer = _consumer(settings, "read_committed")
    try:
        if since_ms is not None:
            found = offsets_since(consumer, name, since_ms, ends)
            starts = {partition: max(start, found[partition]) for partition, start in starts.items()}
        unread = {partition: end for partition, end in ends.items() if starts[partition] < end}
        consumer.assign([TopicPartition(name, partition, starts[partition]) for partition in unread])
        quiet_since = time.monotonic()
        while unread:
            for partition, position, record in _fetch(settings, consumer, name):
                if partition not in unread:
                    continue
                if position > starts[partition]:
                    starts[partition] = position
                    quiet_since = time.monotonic()
                if record is not None and position <= unread[partition]:
                    yield record
                    quiet_since = time.monotonic()  # the caller's own time does not count
                if position >= unread[partition]:
                    consumer.pause([TopicPartition(name, partition)])
                    del unread[partition]
            if unread and time.monotonic() - quiet_since > patience_s:
                waiting = ", ".join(f"{p} at {starts[p]} of {end}" for p, end in sorted(unread.items()))
                raise ReadError(
                    f"nothing more came from topic {name} for {patience_s:g} s (partition {waiting}): "
                    "a transaction is still open there (starting the worker that left it ends it) or the broker is gone"
                )
    except KafkaException as failure:
        why = reason(settings, failure.args[0], f"READ on topic {name}")
        raise ReadError(f"topic {name} could not be read: {why}") from None
    finally:
        consumer.close()


def _drop_earlier(records: Iterator[Message], since_ms: int) -> Generator[Message, None, None]:
    """`records` without each partition's first ones before `since_ms`: the embedded broker looks times up roughly."""
    begun: set[int | None] = set()
    for record in records:
        if record.timestamp()[1] >= since_ms:
            begun.add(record.partition())
        if record.partition() in begun:
            yield record


def offsets_since(consumer: Consumer, name: str, since_ms: int, ends: Mapping[int, int]) -> dict[int, int]:
    """For each partition of topic `name` in `ends` the first offset of that time (UTC ms) or later; none: its end.

    The embedded broker looks times up roughly: what is there may be older. Raises `KafkaException` after 15 s.
    """
    asked = [TopicPartition(name, partition, since_ms) for partition in ends]
    answer = _patiently(consumer.offsets_for_times, asked, timeout=_REQUEST_TIMEOUT_S)
    return {of.partition: of.offset if of.offset >= 0 else ends[of.partition] for of in answer}  # -1: none so late


def _consumer(settings: Settings, isolation: str) -> Consumer:
    return Consumer(
        {
            **client_config(settings),
            "group.id": settings.group("reader"),  # required by the client; partitions are assigned, no group is joined
            "enable.auto.commit": False,
            "isolation.level": isolation,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 10,  # how long the broker holds back the news that a partition's end is reached
        }
    )


def _fetch(settings: Settings, consumer: Consumer, name: str) -> Iterator[tuple[int, int, Message | None]]:
    """What has come by now, as (partition, position after it, record or None at an end).

    It waits for the first record only: consume() alone would wait until its batch is full.
    Raises `ReadError` on what will not pass by itself; the rest librdkafka retries, until the caller's patience ends.
    """
    first = consumer.poll(0.5)
    for message in [] if first is None else [first, *consumer.consume(_BATCH - 1, 0)]:
        partition, offset, error = message.partition(), message.offset(), message.error()
        if error is None or error.code() == _END:
            if partition is not None and offset is not None:
                yield (partition, offset + 1, message) if error is None else (partition, offset, None)
        elif error.code() == _REMOVED:
            raise ReadError(f"records of topic {name} were removed (retention) while it was being read: read it again")
        elif error.fatal() or error.code() in _PERMANENT:
            raise ReadError(f"topic {name} could not be read: {reason(settings, error, f'READ on topic {name}')}")


def bytes_headers(message: Message) -> tuple[tuple[str, bytes | None], ...]:
    """The headers of `message`, in their order, with each value as bytes."""
    headers = cast("list[tuple[str, str | bytes | None]]", message.headers() or [])
    return tuple((name, value.encode() if isinstance(value, str) else value) for name, value in headers)
