"""What is in a topic, decoded: one JSON-ready object a record."""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields as record_fields
from datetime import UTC, datetime
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from schemas.codec import DecodeError
from schemas.errors import EdgewiseError, UsageError
from schemas.topics import DEAD_LETTERS, TOPICS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.reader import Watermarks, offsets_since, read_topic, watermarks
from streams.kafka.refusals import explain_refusal
from streams.monitoring.window import sketch_from_bytes

CONSUMABLE = (*TOPICS, DEAD_LETTERS)

_PERMANENT = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    # The offset is not in the log: retention has removed it, or it is beyond the end.
    KafkaError._AUTO_OFFSET_RESET,  # noqa: SLF001 - librdkafka's own codes are public all the same
)


class ConsumeError(EdgewiseError):
    """A topic cannot be followed any further."""


class Start(NamedTuple):
    """Where to begin: at an offset of every partition, at a time (UTC ms), at the end; none of them: at the start."""

    offset: int | None = None
    since_ms: int | None = None
    latest: bool = False

    @classmethod
    def parse(cls, text: str) -> "Start":
        """`beginning`, `latest`, an offset, or a time as ISO 8601 (UTC where it has no zone). Raises UsageError."""
        if text in {"beginning", "latest"}:
            return cls(latest=text == "latest")
        if re.fullmatch("[0-9]{1,18}", text):
            return cls(offset=int(text))
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise UsageError(
                f"--from {text}: give beginning, latest, an offset, or a time such as 2026-01-31T12:00:00Z"
            ) from None
        return cls(since_ms=round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000))


def records(settings: Settings, topic: str, start: Start, *, follow: bool = False) -> Iterator[dict[str, Any]]:
    """The committed records of `topic` (without prefix) from `start` on, to the end as of this call; `follow`: and on.

    Partitions are in order, each; between them there is no order. A record is its fields and then `_key`, `_partition`,
    `_offset` and `_timestamp` (UTC ms). Distributions (DDSketches) are told by count and percentiles. A dead letter is
    its headers and, as `_value`, its bytes in base64. What cannot be decoded is its bytes too, and why as `_error`.

    Raises UsageError (no such topic), BrokerUnreachableError, ReadError, ConsumeError, RegistryError.
    """
    if topic not in CONSUMABLE:
        raise UsageError(f"topic {topic!r} is not one of Edgewise's: {', '.join(CONSUMABLE)}")
    decode = _decoder(settings, topic)
    return (decode(message) | _place(message) for message in messages(Cluster(settings), topic, start, follow=follow))


def messages(cluster: Cluster, topic: str, start: Start, *, follow: bool = False) -> Iterator[Message]:
    """What `records` decodes: the committed records of `topic` as they came from Kafka; raises what that raises."""
    marks = watermarks(cluster, topic)
    offsets = {at: mark.high if start.latest else max(mark.low, start.offset or 0) for at, mark in marks.items()}
    if follow:
        return _follow(cluster, cluster.settings.topic(topic), offsets, marks, start.since_ms)
    return read_topic(cluster, topic, offsets=offsets, since_ms=start.since_ms)


def matches(record: Mapping[str, Any], conditions: Sequence[tuple[str, str]]) -> bool:
    """Whether every field named has that value; `attributes.label` looks inside; what is no text compares as JSON."""
    return all(_as_text(_field(record, name)) == value for name, value in conditions)


def parse_conditions(given: Sequence[str]) -> list[tuple[str, str]]:
    """`["route=cloud", …]` as pairs. Raises UsageError: no `=`."""
    conditions = []
    for item in given:
        name, separator, value = item.partition("=")
        if not name or not separator:
            raise UsageError(f"--where {item}: give FIELD=VALUE, such as route=cloud")
        conditions.append((name, value))
    return conditions


def _field(record: Mapping[str, Any], name: str) -> Any:
    if name in record:
        return record[name]
    outer, dot, inner = name.partition(".")
    nested = record.get(outer)
    return _field(nested, inner) if dot and isinstance(nested, Mapping) else None


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _place(message: Message) -> dict[str, Any]:
    key = message.key()
    return {
        "_key": key.decode(errors="replace") if isinstance(key, bytes) else key,
        "_partition": message.partition(),
        "_offset": message.offset(),
        "_timestamp": message.timestamp()[1],
    }


def _decoder(settings: Settings, topic: str) -> Callable[[Message], dict[str, Any]]:
    if topic == DEAD_LETTERS:
        return lambda message: _headers(message) | {"_value": _base64(message.value())}
    of_topic = codec(settings, TOPICS[topic])
    names = [field.name for field in record_fields(TOPICS[topic].record_type)]

    def decode(message: Message) -> dict[str, Any]:
        value = message.value()
        try:
            record = of_topic.decode(value if isinstance(value, bytes) else None)
            return {name: _plain(getattr(record, name)) for name in names}
        except (DecodeError, ValueError) as error:  # a ValueError is a sketch that is none
            return {"_error": str(error), "_value": _base64(value)}

    return decode


def _plain(value: Any) -> Any:
    if not isinstance(value, bytes):
        return value
    sketch = sketch_from_bytes(value)
    return {"count": round(sketch.count)} | {
        f"p{percent}": sketch.get_quantile_value(percent / 100) for percent in (50, 95, 99)
    }


def _headers(message: Message) -> dict[str, Any]:
    return {
        name: value.decode(errors="replace") if isinstance(value, bytes) else value
        for name, value in dict(message.headers() or []).items()
    }


def _base64(value: str | bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def _follow(
    cluster: Cluster,
    name: str,
    offsets: dict[int, int],
    marks: Mapping[int, Watermarks],
    since_ms: int | None,
) -> Iterator[Message]:
    """Records of topic `name` (its full one) from `offsets`, or from `since_ms` on, without end."""
    consumer = cluster.assigned_consumer(fetch_wait_ms=100)
    try:
        if since_ms is not None:
            offsets = offsets_since(
                consumer, name, since_ms, {partition: mark.high for partition, mark in marks.items()}
            )
        consumer.assign([TopicPartition(name, partition, offset) for partition, offset in offsets.items()])
        while True:
            message = consumer.poll(0.5)
            if message is None:
                continue
            error = message.error()
            if error is None:
                if since_ms is None or message.timestamp()[1] >= since_ms:
                    yield message
            elif error.fatal() or error.code() in _PERMANENT:
                why = explain_refusal(cluster.settings, error, f"READ on topic {name}")
                raise ConsumeError(f"topic {name} can't be followed: {why}")
    except KafkaException as failure:
        why = explain_refusal(cluster.settings, failure.args[0], f"READ on topic {name}")
        raise ConsumeError(f"topic {name} can't be followed: {why}") from None
    finally:
        consumer.close()
