"""The monitor's windows as they come in, and their total: what every live view of the line shows."""

import time
from typing import Final, Self

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, TopicPartition

from schemas.errors import EdgewiseError
from schemas.topics import MONITORING
from schemas.validation import MAX_AHEAD_MS
from streams.config.codecs import codec
from streams.kafka.client import Cluster
from streams.kafka.messages import PARTITION_END
from streams.kafka.reader import offsets_since, watermarks
from streams.kafka.refusals import explain_refusal
from streams.monitoring.running_total import RunningTotal
from streams.monitoring.window import Window

_BATCH = 1_000
_PERMANENT = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_AUTHORIZATION_FAILED)
_PATIENCE_S: Final = 60.0


class LiveWindowsError(EdgewiseError):
    """`monitoring` could not be followed."""


class LiveWindows:
    """Follows `monitoring`; the latest record of a window replaces those before it in the total.

    Use it as a context. It takes no part in a group and commits nothing, so any number may look on. A window held takes
    some 1 KB; `since_ms` and `forget_before` bound how many there are.

    Raises `LiveWindowsError`; with `since_ms` also what `watermarks` raises.
    """

    def __init__(self, cluster: Cluster, *, since_ms: int | None = None) -> None:
        """With `since_ms` (UTC) the windows that start then or later; else all that the topic holds."""
        self._settings = cluster.settings
        self._total = RunningTotal(codec(self._settings, MONITORING).decode, since_ms=since_ms)
        start = OFFSET_BEGINNING if since_ms is None else watermarks(cluster, MONITORING)[0].high
        # Where retention removes what was to be read next, reading goes on at the oldest record that is there.
        self._consumer = cluster.assigned_consumer(reset="earliest", fetch_wait_ms=50)
        self._is_at_end = False
        self._taken = 0
        name = self._settings.topic(MONITORING)
        try:
            if since_ms is not None:  # workers' clocks, and so windows, are ahead by so much at most
                start = offsets_since(self._consumer, name, since_ms - MAX_AHEAD_MS, {0: start})[0]
            self._consumer.assign([TopicPartition(name, 0, start)])  # the topic has one partition
        except KafkaException as error:
            self._consumer.close()
            raise self._failure(error.args[0]) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def update(self, wait_s: float) -> None:
        """Takes in what has come, waiting up to `wait_s` seconds when nothing has. It skips a record that is no window.

        Raises `LiveWindowsError` when the topic can be read no further.
        """
        try:
            first = self._consumer.poll(wait_s)
            messages = [] if first is None else [first, *self._consumer.consume(_BATCH, 0)]
        except KafkaException as error:
            raise self._failure(error.args[0]) from None
        latest: dict[bytes, bytes | None] = {}
        for message in messages:
            if (fault := message.error()) is not None:
                self._is_at_end = self._is_at_end or fault.code() == PARTITION_END
                if fault.fatal() or fault.code() in _PERMANENT:
                    raise self._failure(fault)
                continue  # librdkafka goes on by itself after what passes
            self._is_at_end, self._taken = False, self._taken + 1
            key = message.key()
            if isinstance(key, bytes):
                latest[key] = message.value()
        for key, value in latest.items():
            self._total.put(key, value)

    def read_to_end(self) -> None:
        """Takes in all that has been committed when the end of the topic is reached.

        Raises `LiveWindowsError`: the topic can be read no further, or nothing came from it for a minute.
        """
        quiet_since, taken = time.monotonic(), self._taken
        while not self._is_at_end:
            self.update(0.5)
            if self._taken != taken:
                quiet_since, taken = time.monotonic(), self._taken
            elif time.monotonic() - quiet_since > _PATIENCE_S:
                raise LiveWindowsError(
                    f"nothing came from topic {self._settings.topic(MONITORING)} for {_PATIENCE_S:g} s: "
                    f"is a broker at {self._settings.bootstrap_servers}?"
                )

    def forget_before(self, start_ms: int) -> None:
        """Takes the windows that start before `start_ms` (UTC) out of the total, for good."""
        self._total.forget_before(start_ms)

    def total(self) -> Window:
        """All windows merged: a window over the whole time, of no partition (-1)."""
        return self._total.window()

    def spans(self, most: int) -> list[Window]:
        """The windows in `most` equal spans of time or fewer, in their order."""
        return self._total.spans(most)

    def _failure(self, error: KafkaError) -> LiveWindowsError:
        name = self._settings.topic(MONITORING)
        why = explain_refusal(self._settings, error, f"READ on topic {name}")
        return LiveWindowsError(f"topic {name} can't be followed: {why}")
