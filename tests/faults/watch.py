"""A consumer downstream of the line: what it is given, when, and how often.

It shares no code with `edgewise verify`.
"""

import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, TopicPartition

from schemas.codec import DecodeError
from schemas.records import SentimentResult
from schemas.topics import SENTIMENT
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.connections import REQUEST_TIMEOUT_MS
from streams.worker.producer import METADATA_REFRESH_MS

PATIENCE_S = 120.0

_WHY_DEGRADED = ("cloud_error", "cloud_unavailable", "budget_exhausted")


class Watch:
    """Reads `sentiment` as a downstream team does (read_committed), from its beginning, in a thread.

    `seen` has when each event's first result came, in seconds of `time.monotonic`; `times` how many came, `degraded`
    which of them were marked as degraded, `cloud` which were the cloud's; `models` how many came of each model.

    Results that come within `wait_s` seconds are read together, and count as seen when the last of them is there.
    """

    def __init__(self, settings: Settings, wait_s: float = 0.05) -> None:
        self.seen: dict[str, float] = {}
        self.times: Counter[str] = Counter()
        self.degraded: set[str] = set()
        self.cloud: set[str] = set()
        self.models: Counter[str] = Counter()
        self._codec = codec(settings, SENTIMENT)
        self._wait_s = wait_s
        self._ending = threading.Event()
        self._failure: Exception | None = None
        self._consumer = Consumer(
            {
                "bootstrap.servers": settings.bootstrap_servers,
                "group.id": "watch",  # assigned by hand: it joins none
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": 50,
                # As the line's own producers: what is measured is not how long a client waits for a frozen broker.
                "socket.timeout.ms": REQUEST_TIMEOUT_MS,
                "topic.metadata.refresh.interval.ms": METADATA_REFRESH_MS,
                "log_level": 0,
            }
        )
        topic = settings.topic(SENTIMENT)
        self._partitions = [TopicPartition(topic, number, 0) for number in range(settings.sentiment_partitions)]
        self._thread = threading.Thread(target=self._run, name="watch")

    def __enter__(self) -> Self:
        self._consumer.assign(self._partitions)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join()
        self._consumer.close()

    def count(self) -> int:
        """Events that have a result. Raises RuntimeError when a result could not be read."""
        if self._failure is not None:
            raise RuntimeError("the results could not be read") from self._failure
        return len(self.seen)

    def wait_for(self, number: int, timeout_s: float = PATIENCE_S) -> None:
        """Wait until so many more events than now have a result. Raises RuntimeError when they don't come."""
        self.wait_until(self.count() + number, timeout_s)

    def wait_until(self, number: int, timeout_s: float = PATIENCE_S) -> None:
        """Wait until so many events have a result. Raises RuntimeError when they don't come."""
        deadline = time.monotonic() + timeout_s
        while self.count() < number:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.count():,} of {number:,} results within {timeout_s:g} s")
            time.sleep(0.02)

    def wait_for_all(self, ids: set[str], timeout_s: float = PATIENCE_S) -> None:
        """Wait until each of these events has a result. Raises RuntimeError when one does not come."""
        deadline = time.monotonic() + timeout_s
        missing = set(ids)
        while missing := {each for each in missing if each not in self.seen}:
            self.count()
            if time.monotonic() > deadline:
                raise RuntimeError(
                    f"{len(missing):,} events have no result after {timeout_s:g} s: {sorted(missing)[:3]}"
                )
            time.sleep(0.05)

    def _run(self) -> None:
        try:
            while not self._ending.is_set():
                for message in self._consumer.consume(500, self._wait_s):
                    if message.error() is not None:
                        continue  # librdkafka goes on by itself; a result that does not come is missed by who waits
                    try:
                        result = self._codec.decode(message.value())
                    except DecodeError:  # a stranger's, or a fault that verify finds
                        continue
                    _require_sound(result)
                    self.times[result.event_id] += 1
                    self.models[result.model] += 1
                    self.seen.setdefault(result.event_id, time.monotonic())
                    if result.degraded:
                        self.degraded.add(result.event_id)
                    elif result.route == "cloud":
                        self.cloud.add(result.event_id)
        except Exception as error:  # noqa: BLE001 - raised in the thread that waits for the results
            self._failure = error


def _require_sound(result: SentimentResult) -> None:
    """Raises ValueError for a result that no consumer could make sense of, whatever else went wrong."""
    probabilities = (result.negative, result.neutral, result.positive)
    if not (min(probabilities) >= 0 and abs(sum(probabilities) - 1) < 1e-3 and result.confidence == max(probabilities)):
        raise ValueError(f"{result.event_id} has the probabilities {probabilities}, confidence {result.confidence}")
    if result.degraded != (result.reason in _WHY_DEGRADED) or (result.degraded and result.route != "edge"):
        raise ValueError(f"{result.event_id}: degraded {result.degraded}, {result.reason}, by the {result.route}")
