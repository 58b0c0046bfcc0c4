"""How far an agent's consumer group is behind."""

import time

import stamina
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.errors import EdgewiseError
from streams.kafka.client import Cluster, is_transient
from streams.kafka.reader import Watermarks, require_in_log, watermarks
from streams.kafka.refusals import explain_refusal
from streams.kafka.rights import require_rights

_REQUEST_TIMEOUT_S = 30.0
_END = KafkaError._PARTITION_EOF  # noqa: SLF001 - librdkafka's own codes are public all the same


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
            if error is None or error.code() == _END:
                at = behind.pop(partition) if error is None else max(behind.pop(partition), message.offset() or 0)
                lags[partition] = max(0, marks[partition].high - at)
        if time.monotonic() > deadline:
            raise LagError(f"how far group {group} is on {name} was not answered in time")
    return lags
