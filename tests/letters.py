"""Dead letters for tests, as a worker leaves them, and what is in a topic."""

import dataclasses
from collections.abc import Sequence

from confluent_kafka import Message

from schemas.codec import DeadLetterReason
from schemas.topics import TRANSCRIPTS
from streams.agents.dead_letter import dead_letter
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from tests.events import consumer_record

# Key, value and headers that must come back as they are: null and empty ones, bytes that are no text, a name twice.
RECORDS: Sequence[tuple[bytes | None, bytes | None, tuple[tuple[str, bytes | None], ...]]] = (
    (b"c1", b"\xff\x00 not avro", (("trace", b"\xff\x01"), ("trace", b"again"), ("empty", b""), ("null", None))),
    (None, b"no key", ()),
    (b"", b"", (("edgewise-row", b"7"),)),
    (b"\x00\xff", None, ()),
)


def bury(
    settings: Settings,
    count: int = len(RECORDS),
    topic: str = TRANSCRIPTS,
    reason: DeadLetterReason = "undecodable",
    value: bytes | None = None,
) -> None:
    """Puts `count` letters into `dead-letters`, of records in partition 0 of `topic` that are not there.

    The records are the first of `RECORDS`, over and over, with `value` in place of theirs if it is given.
    """
    producer = Cluster(settings).producer()
    for offset in range(count):
        key, usual, headers = RECORDS[offset % len(RECORDS)]
        record = consumer_record(usual if value is None else value, topic=settings.topic(topic), offset=offset, key=key)
        letter = dead_letter(settings, "edge", dataclasses.replace(record, headers=headers), reason, "damaged")
        producer.produce(letter.topic, letter.value, letter.key, headers=[*letter.headers])
    assert producer.flush(30) == 0


def in_topic(settings: Settings, topic: str = TRANSCRIPTS) -> list[Message]:
    """The committed records of `topic`."""
    return list(read_topic(Cluster(settings), topic))


def redriven_ids(settings: Settings, topic: str = TRANSCRIPTS) -> list[str]:
    """The letters that the records of `topic` were, in order of their ids."""
    return sorted(map(letter_of, in_topic(settings, topic)))


def letter_of(message: Message) -> str:
    """The letter that a redriven record was."""
    value = dict(message.headers() or [])["edgewise-letter"]
    assert isinstance(value, bytes)
    return value.decode()
