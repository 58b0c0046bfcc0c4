"""What is in a topic, decoded: one JSON-ready object a record."""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields as record_fields
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from schemas.codec import DecodeError
from schemas.errors import EdgewiseError, UsageError
from schemas.topics import DEAD_LETTERS, TOPICS, R, Topic
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.messages import header_texts, message_headers, message_key, message_value
from streams.kafka.reader import Watermarks, offsets_since, read_topic, watermarks
from streams.kafka.refusals import explain_refusal
from streams.monitoring.sketch import sketch_from_bytes
from streams.operate.moment import EXAMPLES, is_epoch, parse_moment
from streams.operate.record_fields import PERCENTILES, PLACE
from streams.system.clock import Clock, now_ms

CONSUMABLE = (*TOPICS, DEAD_LETTERS)

CONTEXT_MS: Final = 3_600_000
"""So much before a time a conversation is read too where it is redacted: a question there tells what the answer is."""

_OFFSET = re.compile(r"(@?)([0-9]{1,18})", re.ASCII)
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
    def parse(cls, text: str, clock: Clock = now_ms) -> "Start":
        """`beginning`, `latest`, an offset, or a time, see `parse_moment`. Raises UsageError.

        A number of 10, 13 or 16 digits is a time; with an @ before it, it is an offset all the same.
        """
        if text in {"beginning", "latest"}:
            return cls(latest=text == "latest")
        if (offset := _OFFSET.fullmatch(text)) and (offset[1] or not is_epoch(text)):
            return cls(offset=int(offset[2]))
        try:
            return cls(since_ms=parse_moment(text, clock))
        except ValueError as error:
            before = f" ({error})" if "1970" in str(error) else ""
            raise UsageError(
                f"--from {text}{before}: give beginning, latest, an offset, or a time such as {EXAMPLES}"
            ) from None

    def with_context(self) -> "Start":
        """The same, `CONTEXT_MS` earlier where it is a time: `includes` tells what was asked for."""
        return self if self.since_ms is None else self._replace(since_ms=self.since_ms - CONTEXT_MS)

    def includes(self, message: Message) -> bool:
        """Whether `message` is of the time to begin at or later; where that is no time, each is."""
        return self.since_ms is None or message.timestamp()[1] >= self.since_ms


def records(settings: Settings, topic: str, start: Start, *, follow: bool = False) -> Iterator[dict[str, Any]]:
    """The committed records of `topic` (without prefix) from `start` on, to the end as of this call; `follow`: and on.

    Partitions are in order, each; between them there is no order. A record is its fields and then `_key`, `_partition`,
    `_offset` and `_timestamp` (UTC ms). Distributions (DDSketches) are told by count and percentiles. A dead letter is
    its headers and, as `_value`, its bytes in base64. What cannot be decoded is its bytes too, and why as `_error`.

    Raises UsageError (no such topic or offset), BrokerUnreachableError, ReadError, ConsumeError, RegistryError.
    """
    require_topic(topic)
    decode = _decoder(settings, topic)
    return (decode(message) | _place(message) for message in messages(Cluster(settings), topic, start, follow=follow))


def messages(cluster: Cluster, topic: str, start: Start, *, follow: bool = False) -> Iterator[Message]:
    """What `records` decodes: the committed records of `topic` as they came from Kafka; raises what that raises."""
    marks = watermarks(cluster, topic)
    name = cluster.settings.topic(topic)
    offsets = _starts(name, start, marks)
    if follow:
        return _from(start.offset, _follow(cluster, name, offsets, marks, start.since_ms))
    return _from(start.offset, read_topic(cluster, topic, offsets=offsets, since_ms=start.since_ms))


def decoded(settings: Settings, topic: Topic[R], start: Start) -> Iterator[R]:
    """The records of `topic` from `start` to the end as of this call, decoded; those that cannot be are left out.

    Such are in dead-letters. Raises what `records` raises.
    """
    decode = codec(settings, topic).decode
    for message in messages(Cluster(settings), topic, start):
        try:
            yield decode(message_value(message))
        except DecodeError:
            continue


def require_topic(topic: str) -> None:
    """Raise UsageError, with the near names, unless `topic` (without the prefix) is one of Edgewise's."""
    if topic not in CONSUMABLE:
        near = get_close_matches(topic, CONSUMABLE, 1)
        meant = f"did you mean {near[0]}? They are" if near else "they are"
        raise UsageError(f"topic {topic!r} is not one of Edgewise's; {meant} {', '.join(CONSUMABLE)}")


def _starts(name: str, start: Start, marks: Mapping[int, Watermarks]) -> dict[int, int]:
    """Where to begin in each partition. Raises UsageError: no partition holds the offset, nor ends at it."""
    at = start.offset
    if at is None:
        return {partition: mark.high if start.latest else mark.low for partition, mark in marks.items()}
    if not any(mark.low <= at <= mark.high for mark in marks.values()):
        held = ", ".join(f"{partition}: {mark.low} to {mark.high}" for partition, mark in sorted(marks.items()))
        where = (
            f"begins at offset {min(mark.low for mark in marks.values())}, as retention has removed what was before"
            if at < min(mark.low for mark in marks.values())
            else f"ends at offset {max(mark.high for mark in marks.values())}"
        )
        raise UsageError(f"--from {at}: topic {name} {where} (by partition, {held})")
    # In a partition that ends before the offset, `_from` leaves out what comes until then.
    return {partition: min(max(mark.low, at), mark.high) for partition, mark in marks.items()}


def _from(offset: int | None, messages: Iterator[Message]) -> Iterator[Message]:
    return (message for message in messages if offset is None or (message.offset() or 0) >= offset)


def _place(message: Message) -> dict[str, Any]:
    key = message_key(message)
    shown_key = None if key is None else key.decode(errors="replace")
    values = (shown_key, message.partition(), message.offset(), message.timestamp()[1])
    return dict(zip(PLACE, values, strict=True))


def _decoder(settings: Settings, topic: str) -> Callable[[Message], dict[str, Any]]:
    if topic == DEAD_LETTERS:
        return lambda message: _headers(message) | {"_value": _base64(message_value(message))}
    of_topic = codec(settings, TOPICS[topic])
    names = [field.name for field in record_fields(TOPICS[topic].record_type)]

    def decode(message: Message) -> dict[str, Any]:
        value = message_value(message)
        try:
            record = of_topic.decode(value)
            return {name: _json_value(getattr(record, name)) for name in names}
        except (DecodeError, ValueError) as error:  # a ValueError is a sketch that is none
            return {"_error": str(error), "_value": _base64(value)}

    return decode


def _json_value(value: Any) -> Any:
    if not isinstance(value, bytes):
        return value
    sketch = sketch_from_bytes(value)
    return {"count": round(sketch.count)} | {
        f"p{percent}": sketch.get_quantile_value(percent / 100) for percent in PERCENTILES
    }


def _headers(message: Message) -> dict[str, Any]:
    return dict.fromkeys((name for name, _ in message_headers(message))) | header_texts(message)


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


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
