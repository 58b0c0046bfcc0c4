"""How far an agent's consumer group is behind."""

import time

import stamina
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.errors import EdgewiseError
from streams.config.settings import Settings
from streams.kafka.client import client_config, passing
from streams.kafka.reader import watermarks
from streams.kafka.rights import require_rights
from streams.kafka.security import reason

_REQUEST_TIMEOUT_S = 30.0
_END = KafkaError._PARTITION_EOF  # noqa: SLF001 - librdkafka's own codes are public all the same


class LagError(EdgewiseError):
    """A group's lag could not be found out."""


@stamina.retry(on=passing, timeout=_REQUEST_TIMEOUT_S, attempts=None)
def _committed(consumer: Consumer, partitions: list[TopicPartition]) -> list[TopicPartition]:
    return consumer.committed(partitions, _REQUEST_TIMEOUT_S)


def group_lag(settings: Settings, agent: str, topic: str) -> dict[int, int]:
    """Records of each partition of `topic` (without prefix) that the group of `agent` has yet to do.

    Behind the last record of a transaction lies a control record that ends it, which no group commits past: offsets
    alone would tell a lag for ever. So where they differ, a read_committed consumer looks what comes next: the end, and
    there is no lag, or a record. A lag may then include control records between records. Records of a transaction that
    is still open count.

    Raises BrokerUnreachableError, AccessError, UsageError (no such topic), LagError.
    """
    marks = watermarks(settings, topic)
    # librdkafka would look for the coordinator of a group that it may not see until the time is up.
    require_rights(settings, "lag", groups={settings.group(agent): ["DESCRIBE"]})
    name = settings.topic(topic)
    consumer = Consumer(
        client_config(settings)
        | {
            "group.id": settings.group(agent),  # to ask for its offsets: assigning partitions joins no group
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 10,
        }
    )
    lags = dict.fromkeys(marks, 0)
    try:
        committed = _committed(consumer, [TopicPartition(name, partition) for partition in marks])
        positions = {of.partition: max(of.offset, marks[of.partition].low) for of in committed}
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
                raise LagError(f"how far group {settings.group(agent)} is on {name} was not answered in time")
    except KafkaException as error:
        why = reason(settings, error.args[0], f"DESCRIBE on group {settings.group(agent)}")
        raise LagError(f"the offsets of group {settings.group(agent)} could not be had: {why}") from None
    finally:
        consumer.close()
    return lags
