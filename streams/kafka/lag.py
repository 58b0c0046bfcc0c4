"""How far agents' consumer groups are behind."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import stamina
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]  # its own list of what is public is incomplete

from schemas.errors import EdgewiseError
from streams.config.settings import Settings
from streams.kafka.client import Cluster, is_transient
from streams.kafka.messages import PARTITION_END
from streams.kafka.reader import Watermarks, require_in_log, watermarks
from streams.kafka.refusals import AUTHORIZATION, AccessError, explain_refusal
from streams.kafka.rights import require_rights

_REQUEST_TIMEOUT_S = 30.0


class LagError(EdgewiseError):
    """A group's lag could not be found out."""


def group_lag(cluster: Cluster, agent: str, topic: str) -> dict[int, int]:
    """Records of each partition of `topic` (without prefix) that the group of `agent` has yet to do.

    Behind the last record of a transaction lies a control record that ends it, which no group commits past: by offsets
    alone there would always be a lag. So where they differ, a read_committed consumer looks what comes next: the end,
    and there is no lag, or a record. A lag may then include control records between records. Records of a transaction
    that is still open count.

    Raises BrokerUnreachableError, AccessError, UsageError (no such topic), OffsetBeyondEndError, LagError.
    """
    marks = watermarks(cluster, topic)
    settings = cluster.settings
    group = settings.group(agent)
    # librdkafka would look for the coordinator of a group that it may not see until the time is up.
    require_rights(cluster, "lag", groups={group: ["DESCRIBE"]})
    name = settings.topic(topic)
    # Where retention moves the oldest record meanwhile, what is left to do begins there.
    consumer = cluster.assigned_consumer(group=group, reset="earliest")
    try:
        committed = {of.partition: of.offset for of in _committed(consumer, name, marks)}
        if any(offset > marks[partition].high for partition, offset in committed.items()):
            require_in_log(cluster, topic, group, committed)  # the ends may be older than what was committed since
        return _lags(consumer, name, group, marks, committed)
    except KafkaException as error:
        why = explain_refusal(settings, error.args[0], f"DESCRIBE on group {group}")
        raise LagError(f"the offsets of group {group} could not be had: {why}") from None
    finally:
        consumer.close()


@stamina.retry(on=is_transient, timeout=_REQUEST_TIMEOUT_S, attempts=None)
def _committed(consumer: Consumer, name: str, marks: dict[int, Watermarks]) -> list[TopicPartition]:
    return consumer.committed([TopicPartition(name, partition) for partition in marks], _REQUEST_TIMEOUT_S)


def _lags(
    consumer: Consumer, name: str, group: str, marks: dict[int, Watermarks], committed: dict[int, int]
) -> dict[int, int]:
    lags = dict.fromkeys(marks, 0)
    positions = {partition: max(offset, marks[partition].low) for partition, offset in committed.items()}
    behind = {partition: at for partition, at in positions.items() if at < marks[partition].high}
    consumer.assign([TopicPartition(name, partition, at) for partition, at in behind.items()])
    deadline = time.monotonic() + _REQUEST_TIMEOUT_S
    while behind:
        message = consumer.poll(0.5)
        if message is not None and (partition := message.partition()) in behind:
            error = message.error()
            if error is None or error.code() == PARTITION_END:
                at = behind.pop(partition) if error is None else max(behind.pop(partition), message.offset() or 0)
                lags[partition] = max(0, marks[partition].high - at)
        if time.monotonic() > deadline:
            raise LagError(f"how far group {group} is on {name} was not answered in time")
    return lags


class OffsetLags:
    """How far groups are behind, by offsets alone: it needs no right to read what the topics hold.

    The records that end transactions count as well, so a group that has done everything is one behind on a partition.
    The embedded broker tells an end too soon, after the first record of the last batch.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._settings = cluster.settings
        self._admin = cluster.admin()

    def of(self, reads: Mapping[str, str]) -> dict[str, int]:
        """The lag of each agent in `reads`, by the topic (without prefix) that it reads.

        An agent whose group has committed nothing is left out. Raises AccessError, LagError.
        """
        found = {}
        for agent, topic in reads.items():
            committed = self._committed(self._settings.group(agent), self._settings.topic(topic))
            if committed:
                found[agent] = sum(self._lags(self._settings.topic(topic), committed))
        return found

    def _committed(self, group: str, topic: str) -> dict[int, int]:
        """The positions of `group` on `topic` (full names), by partition."""
        with _explained(self._settings, f"DESCRIBE on topic {topic}"):
            described = self._admin.list_topics(topic, _REQUEST_TIMEOUT_S).topics[topic]
            if described.error is not None:
                raise KafkaException(described.error)
        asked = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, each) for each in described.partitions])
        with _explained(self._settings, f"DESCRIBE on group {group}"):
            answer = self._admin.list_consumer_group_offsets([asked], request_timeout=_REQUEST_TIMEOUT_S)
            places = answer[group].result().topic_partitions or []
        return {place.partition: place.offset for place in places if place.offset >= 0}

    def _lags(self, topic: str, committed: Mapping[int, int]) -> Iterator[int]:
        asked = {TopicPartition(topic, partition): OffsetSpec.latest() for partition in committed}  # type: ignore[no-untyped-call]
        with _explained(self._settings, f"DESCRIBE on topic {topic}"):
            ends = self._admin.list_offsets(asked, request_timeout=_REQUEST_TIMEOUT_S)
            for place, end in ends.items():
                yield max(0, end.result().offset - committed[place.partition])


@contextmanager
def _explained(settings: Settings, needs: str) -> Iterator[None]:
    try:
        yield
    except KafkaException as error:
        why = explain_refusal(settings, error.args[0], needs)
        kind = AccessError if error.args[0].code() in AUTHORIZATION else LagError
        raise kind(f"how far agents are behind could not be had: {why}") from None
