"""Where a consumer group goes on in a partition."""

import logging
from collections.abc import Collection, Mapping

import stamina
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from streams.agents import metrics
from streams.kafka.client import Cluster, is_transient
from streams.kafka.connections import CONNECTION_OPTIONS
from streams.kafka.reader import require_in_log

logger = logging.getLogger(__name__)

# A worker waits this long for the offsets of transactions that are still pending. They end within the longest
# transaction time-out (20 s) and the broker's next look (10 s); the rest is for a coordinator that is itself moving.
STABLE_OFFSETS_TIMEOUT_S = 60.0

_TIMED_OUT = KafkaError._TIMED_OUT  # noqa: SLF001

_patiently = stamina.RetryingCaller(attempts=None, timeout=STABLE_OFFSETS_TIMEOUT_S).on(is_transient)


def stable_offsets(
    cluster: Cluster,
    group: str,
    topic: str,
    partitions: Collection[int],
    known: Mapping[int, int] | None = None,
) -> dict[int, int]:
    """Where `group` goes on in `partitions` of `topic` (full names): after its last finished transaction.

    Where nothing is committed, or what is was removed, that is the oldest record. Records that retention removed before
    they were read are counted, and logged as an error. `known` are positions that the caller had: where nothing is
    committed yet, records are missing from there, and what was reported before is not reported again.

    A partition whose leader is not found in time is left out. Raises KafkaException when pending transactions do not
    end, or a coordinator is not found, in time: `may_be_known_later` tells them; OffsetBeyondEndError when an offset is
    committed that the partition does not reach; what asking for its end raises.
    """
    if not partitions:
        return {}
    # Not the member's own consumer: while one thread waits in a request of a client, its `poll` waits too.
    consumer = cluster.group_consumer(group, CONNECTION_OPTIONS)
    try:
        return _offsets(cluster, consumer, group, topic, partitions, known or {})
    finally:
        consumer.close()


def may_be_known_later(error: KafkaException) -> bool:
    """Whether `stable_offsets` raised `error` for a reason that passes: it may be asked again."""
    return is_transient(error) or error.args[0].code() == _TIMED_OUT


def _offsets(
    cluster: Cluster, consumer: Consumer, group: str, topic: str, partitions: Collection[int], known: Mapping[int, int]
) -> dict[int, int]:
    asked = [TopicPartition(topic, partition) for partition in sorted(partitions)]
    offsets = {}
    for found in _patiently(consumer.committed, asked, timeout=STABLE_OFFSETS_TIMEOUT_S):
        if found.error is not None:
            raise KafkaException(found.error)
        partition, committed = found.partition, found.offset
        try:
            oldest, end = _patiently(consumer.get_watermark_offsets, found, timeout=STABLE_OFFSETS_TIMEOUT_S)
        except KafkaException as error:
            if not may_be_known_later(error):
                raise
            logger.warning("%s[%d]: its log is asked for again: %s", topic, partition, error.args[0].str())
            continue
        if committed > end:  # the embedded broker's answer can be too low: this looks again, by a fetch
            name = topic.removeprefix(cluster.settings.topic_prefix)
            require_in_log(cluster, name, group, {partition: committed})
        position = max(committed, known.get(partition, -1))
        skipped = max(0, oldest - position) if position >= 0 else 0
        if skipped:
            metrics.SKIPPED_RECORDS.labels(topic).inc(skipped)
            logger.error(
                "%s[%d]: retention deleted records %d to %d before group %s read them",
                topic, partition, position, oldest - 1, group,
            )  # fmt: skip
        offsets[partition] = max(committed, oldest)
    return offsets
