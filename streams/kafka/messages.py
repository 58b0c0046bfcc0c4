"""What a consumed message says beside its value, in types that are certain: confluent-kafka gives text or bytes."""

from typing import Final, cast

from confluent_kafka import KafkaError, Message

from schemas.dead_letter import Header, LetterId

PARTITION_END: Final = KafkaError._PARTITION_EOF  # noqa: SLF001 - librdkafka's own codes are public all the same
"""The code of the error in whose place a message would be, where a partition has no more for now."""


def message_headers(message: Message) -> tuple[Header, ...]:
    """The headers of `message`, in order; a name may stand there twice."""
    return tuple(
        (name, _bytes(value)) for name, value in cast(list[tuple[str, str | bytes | None]], message.headers() or [])
    )


def header_texts(message: Message) -> dict[str, str]:
    """The headers of `message` that have a value, as text; of a name given twice the last one counts."""
    return {
        name: value.decode(errors="replace")
        for name, value in dict(message_headers(message)).items()
        if value is not None
    }


def message_key(message: Message) -> bytes | None:
    """The key of `message`."""
    return _bytes(message.key())


def message_value(message: Message) -> bytes | None:
    """The value of `message`."""
    return _bytes(message.value())


def message_place(message: Message) -> LetterId:
    """Partition and offset of `message`: on `dead-letters` they are the letter's id."""
    return LetterId(message.partition() or 0, message.offset() or 0)


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
