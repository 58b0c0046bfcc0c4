"""The traffic that is measured with: the texts of samples/airline.csv, over and over, each time as new events."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path

from confluent_kafka import Producer

from schemas.records import TranscriptEvent
from schemas.topics import TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.files.recorded_event import recorded_events
from streams.files.recording import read_recording
from streams.kafka.client import Cluster
from streams.system.clock import now_ms

SAMPLE = Path(__file__).parents[1] / "samples" / "airline.csv"


@cache
def _recorded() -> tuple[TranscriptEvent, ...]:
    rows = read_recording(SAMPLE)
    return tuple(event for _, event in recorded_events(rows, SAMPLE, "benchmark", {}, now_ms))


def events(first: int = 0) -> Iterator[TranscriptEvent]:
    """Events without end from number `first`, their id, on; the sample's conversations go on from cycle to cycle."""
    recorded = _recorded()
    for number in count(first):
        event = recorded[number % len(recorded)]
        yield replace(event, event_id=str(number), turn=event.turn + number // len(recorded))


def texts(number: int) -> list[str]:
    """The texts of the first `number` events."""
    recorded = _recorded()
    return [recorded[i % len(recorded)].text for i in range(number)]


Encode = Callable[[TranscriptEvent], bytes]


def preload(settings: Settings, number: int, encode: Encode | None = None) -> None:
    """Puts the first `number` events into `transcripts`, idempotently, and waits until they are there."""
    encode = encode or codec(settings, TRANSCRIPTS).encode
    topic = settings.topic(TRANSCRIPTS)
    producer = loader(settings)
    for event, _ in zip(events(), range(number), strict=False):
        send(producer, topic, encode(event), event.conversation_id.encode())
    producer.flush()


def loader(settings: Settings) -> Producer:
    """A producer for much traffic."""
    return Cluster(settings).producer({"linger.ms": 20, "compression.type": "lz4"})


def send(
    producer: Producer, topic: str, value: bytes, key: bytes, headers: Sequence[tuple[str, str | bytes | None]] = ()
) -> None:
    """Produces a record, once there is room for it."""
    while True:
        try:
            return producer.produce(topic, value, key, headers=[*headers])
        except BufferError:
            producer.poll(0.1)
