"""Load on a line: real texts under ids of their own, sent at a rate by a thread while faults happen."""

import csv
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count, cycle
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaError, Message, Producer

from schemas.codec import Codec
from schemas.records import TranscriptEvent
from schemas.topics import TRANSCRIPTS
from streams.config.settings import Settings
from streams.kafka.connections import REQUEST_TIMEOUT_MS
from tests.kafka.kafka_server import REPOSITORY

Shape = Callable[[TranscriptEvent, Producer], None]
"""Puts an event into `transcripts` in its own way: twice, late, or spoilt."""

# What a sender holds back while no broker answers: at 1,000 events/s five minutes of it.
QUEUE = 300_000


def events(name: str = "event", start: int = 0) -> Iterator[TranscriptEvent]:
    """Endless events of conversations of ten turns, a hundred conversations at a time; ids begin with `name`."""
    with (REPOSITORY / "samples" / "airline.csv").open(newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    for number, text in zip(count(start), cycle(texts), strict=False):
        block, place = divmod(number, 1000)
        yield TranscriptEvent(
            event_id=f"{name}-{number}",
            conversation_id=f"{name}-conversation-{block * 100 + place % 100}",
            turn=place // 100,
            text=text,
            occurred_at=1_700_000_000_000 + number,
        )


class Load:
    """Sends events at `rate` a second from `start` to `stop`; `rate`, and the `shape` they are sent in, may change.

    `sent` has when each event was handed to the producer, in seconds of `time.monotonic`: what must be answered.
    """

    def __init__(self, settings: Settings, rate: float, *, name: str = "event") -> None:
        self.rate = rate
        self.shape: Shape = self.send
        self.sent: dict[str, float] = {}
        self.topic = settings.topic(TRANSCRIPTS)
        self.codec = Codec(TRANSCRIPTS)
        self._events = events(name)
        self._refused: list[str] = []
        self._ending = threading.Event()
        self._producer = Producer(
            {
                "bootstrap.servers": settings.bootstrap_servers,
                "enable.idempotence": True,
                "linger.ms": 5,
                "message.timeout.ms": 300_000,  # a broker that is down keeps its senders waiting
                "queue.buffering.max.messages": QUEUE,
                "socket.timeout.ms": REQUEST_TIMEOUT_MS,  # likewise one that is frozen
                "log_level": 0,
                "topic.metadata.refresh.interval.ms": 2_000,  # partitions that are added get their share at once
            }
        )
        self._thread = threading.Thread(target=self._run, name="load")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join()

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more, and wait until the broker has all. Raises RuntimeError when it does not take it."""
        self._ending.set()
        self._thread.join()
        left = self._producer.flush(120)
        if left or self._refused:
            raise RuntimeError(f"the broker did not take {left} events, and refused {self._refused[:3]}")

    def send(self, event: TranscriptEvent, producer: Producer) -> None:
        """Put `event` into `transcripts` as it is; the usual shape."""
        self.put(producer, event.conversation_id, self.codec.encode(event))

    def put(self, producer: Producer, key: str, value: bytes, timestamp_ms: int = 0) -> None:
        """Put any bytes into `transcripts`; 0 has the record bear the time of now."""
        producer.produce(self.topic, value, key.encode(), timestamp=timestamp_ms, on_delivery=self._delivered)

    def waiting(self) -> int:
        """How many events no broker has taken yet, as far as this sender was told."""
        return len(self._producer)

    def burst(self, number: int) -> None:
        """Send so many events at once; before `start`, or after `stop`."""
        for event in self._next(number):
            self._produce(event)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._ending.is_set():
            [event] = self._next(1)
            self._produce(event)
            due = max(due + 1 / self.rate, time.monotonic() - 1)  # a stretch that was missed is not made up for
            while (ahead := due - time.monotonic()) > 0 and not self._ending.is_set():
                self._producer.poll(min(ahead, 0.1))

    def _next(self, number: int) -> Iterator[TranscriptEvent]:
        for _ in range(number):
            yield next(self._events)

    def _produce(self, event: TranscriptEvent) -> None:
        self.sent[event.event_id] = time.monotonic()
        while True:
            try:
                self.shape(event, self._producer)
            except BufferError:
                self._producer.poll(0.1)
            else:
                break
        self._producer.poll(0)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._refused.append(error.str())
