"""Read a topic once, up to its end as of the call: what verify, a resumed replay and the monitor's restart need."""

import time
from collections.abc import Generator, Iterator, Mapping
from typing import NamedTuple

import stamina
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.errors import EdgewiseError, UsageError
from streams.kafka.client import BrokerUnreachableError, Cluster, is_transient
from streams.kafka.messages import PARTITION_END
from streams.kafka.refusals import explain_refusal

_REQUEST_TIMEOUT_S = 15.0
# A transaction left open is aborted by the broker after the producers' transaction.timeout.ms (20 s) and the next run
# of its check (10 s by default): after twice that, something other than a slow abort is wrong.
_PATIENCE_S = 60.0
# One call of consume() hands over at most so many records: 5,000 events of 400 bytes are 2 MB.
_BATCH = 5_000
_REMOVED = KafkaError._AUTO_OFFSET_RESET  # noqa: SLF001
_PERMANENT = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
)
# Not among them: GROUP_AUTHORIZATION_FAILED. librdkafka looks for the group's coordinator; this reader needs none.

_patiently = stamina.RetryingCaller(attempts=None, timeout=_REQUEST_TIMEOUT_S).on(is_transient)


class ReadError(EdgewiseError):
    """A topic could not be read up to its end."""


class OffsetBeyondEndError(EdgewiseError):
    """A group has committed an offset behind the end of a partition: it would wait there, and read nothing."""


class Watermarks(NamedTuple):
    """The offsets that a partition holds: from `low`, before `high`; a transaction's control records have some too."""

    low: int
    high: int


def watermarks(cluster: Cluster, topic: str) -> dict[int, Watermarks]:
    """The watermarks of each partition of `topic` (its name without the prefix), open transactions included.

    Raises `UsageError` when there is no such topic, `AccessError` when this user may not see it,
    `BrokerUnreachableError` when no broker answers.
    """
    settings = cluster.settings
    name = settings.topic(topic)
    metadata = cluster.metadata().topics.get(name)
    if metadata is None or not metadata.partitions:
        cluster.require_visible(name)
        raise UsageError(
            f"there is no topic {name} at {settings.bootstrap_servers}: create it with `edgewise topics create`, "
            "or set EDGEWISE_TOPIC_PREFIX to the installation's"
        )
    consumer = cluster.assigned_consumer(isolation="read_uncommitted")
    try:
        marks = {
            partition: Watermarks(
                *_patiently(consumer.get_watermark_offsets, TopicPartition(name, partition), timeout=_REQUEST_TIMEOUT_S)
            )
            for partition in sorted(metadata.partitions)
        }
        filled = {at: mark for at, mark in marks.items() if mark.low < mark.high}
        return marks | _fetched(cluster, consumer, name, filled)
    except KafkaException as error:
        raise BrokerUnreachableError(
            f"the offsets of topic {name} could not be had from {settings.bootstrap_servers}: {error.args[0].str()}"
        ) from None
    finally:
        consumer.close()


def require_in_log(cluster: Cluster, topic: str, group: str, committed: Mapping[int, int]) -> None:
    """Raises `OffsetBeyondEndError` when one of `committed`, by partition of `topic`, is behind the partition's end.

    `topic` is without the prefix, `group` a full name. Raises what `watermarks` raises.
    """
    marks = watermarks(cluster, topic)
    for partition, offset in sorted(committed.items()):
        if (end := marks[partition].high) < offset:
            raise OffsetBeyondEndError(
                f"group {group} has committed offset {offset} of {cluster.settings.topic(topic)}[{partition}], which "
                f"ends at {end}: the topic was made anew, it lost records in an unclean election, or the offset was "
                "set or mirrored by hand; with the group's workers stopped, set its offsets to records that are there "
                "(Kafka's kafka-consumer-groups --reset-offsets)"
            )


def _fetched(cluster: Cluster, consumer: Consumer, name: str, marks: dict[int, Watermarks]) -> dict[int, Watermarks]:
    """`marks` with the high watermarks that the answer to a fetch holds.

    Asked for its latest offset, the embedded broker (tansu 0.6.0) answers the one after the *first* record of the last
    batch. In the answer to a fetch its high watermark is right. A fetch from there costs 10 ms on Kafka.
    """
    found: dict[int, Watermarks] = {}
    consumer.assign([TopicPartition(name, partition, mark.high) for partition, mark in marks.items()])
    deadline = time.monotonic() + _REQUEST_TIMEOUT_S
    while len(found) < len(marks):
        for partition, _, _ in _fetch(cluster, consumer, name):
            _, high = consumer.get_watermark_offsets(TopicPartition(name, partition), cached=True)
            found[partition] = marks[partition]._replace(high=max(high, marks[partition].high))
        if time.monotonic() > deadline:
            raise ReadError(f"partitions of topic {name} gave no answer within {_REQUEST_TIMEOUT_S:g} s")
    return found


def read_topic(
    cluster: Cluster,
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
    marks = watermarks(cluster, topic)
    starts = {partition: max(mark.low, (offsets or {}).get(partition, 0)) for partition, mark in marks.items()}
    ends = {partition: mark.high for partition, mark in marks.items()}
    records = _read(cluster, cluster.settings.topic(topic), starts, ends, since_ms, patience_s)
    return records if since_ms is None else _drop_earlier(records, since_ms)


def read_up_to(
    cluster: Cluster, topic: str, start: int, end: int, *, patience_s: float = _PATIENCE_S
) -> Generator[Message, None, None]:
    """Every committed record of partition 0 of `topic` (its name without the prefix) from `start` to before `end`.

    It waits for the transactions that are open in between, until each is committed or aborted. Raises `ReadError`.
    """
    if start < end:
        yield from _read(cluster, cluster.settings.topic(topic), {0: start}, {0: end}, None, patience_s)


def _read(
    cluster: Cluster, name: str, starts: dict[int, int], ends: dict[int, int], since_ms: int | None, patience_s: float
) -> Generator[Message, None, None]:
    """Read partitions of topic `name` from `starts` to before `ends`."""
    consumer = cluster.assigned_consumer()
    try:
        if since_ms is not None:
            found = offsets_since(consumer, name, since_ms, ends)
            starts = {partition: max(start, found[partition]) for partition, start in starts.items()}
        unread = {partition: end for partition, end in ends.items() if starts[partition] < end}
        consumer.assign([TopicPartition(name, partition, starts[partition]) for partition in unread])
        quiet_since = time.monotonic()
        while unread:
            for partition, position, record in _fetch(cluster, consumer, name):
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
        why = explain_refusal(cluster.settings, failure.args[0], f"READ on topic {name}")
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
    # Kafka takes a time of -1 for the end, and of -2 for the beginning.
    asked = [TopicPartition(name, partition, max(0, since_ms)) for partition in ends]
    answer = _patiently(consumer.offsets_for_times, asked, timeout=_REQUEST_TIMEOUT_S)
    return {of.partition: of.offset if of.offset >= 0 else ends[of.partition] for of in answer}  # -1: none so late


def _fetch(cluster: Cluster, consumer: Consumer, name: str) -> Iterator[tuple[int, int, Message | None]]:
    """What has come by now, as (partition, position after it, record or None at an end).

    It waits for the first record only: consume() alone would wait until its batch is full.
    Raises `ReadError` on what will not pass by itself; the rest librdkafka retries, until the caller's patience ends.
    """
    first = consumer.poll(0.5)
    for message in [] if first is None else [first, *consumer.consume(_BATCH - 1, 0)]:
        partition, offset, error = message.partition(), message.offset(), message.error()
        if error is None or error.code() == PARTITION_END:
            if partition is not None and offset is not None:
                yield (partition, offset + 1, message) if error is None else (partition, offset, None)
        elif error.code() == _REMOVED:
            raise ReadError(f"records of topic {name} were removed (retention) while it was being read: read it again")
        elif error.fatal() or error.code() in _PERMANENT:
            why = explain_refusal(cluster.settings, error, f"READ on topic {name}")
            raise ReadError(f"topic {name} could not be read: {why}")
