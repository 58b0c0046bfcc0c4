"""The monitor's windows as they come in: what every live view of the line merges."""

from typing import Self

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.codec import DecodeError
from schemas.errors import EdgewiseError
from schemas.topics import MONITORING
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import client_config
from streams.monitoring.window import Window

_BATCH = 1_000


class LiveWindowsError(EdgewiseError):
    """`monitoring` could not be followed."""


class LiveWindows:
    """Follows `monitoring` from its beginning; the latest record of a window replaces those before it.

    Use it as a context. It takes no part in a group and commits nothing, so any number may look on.
    """

    def __init__(self, settings: Settings) -> None:
        self._codec = codec(settings, MONITORING)
        self._windows: dict[bytes, Window] = {}
        self._consumer = Consumer(
            {
                **client_config(settings),
                "group.id": settings.group("live"),  # required by the client; partitions are assigned
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 50,
            }
        )
        self._consumer.assign([TopicPartition(settings.topic(MONITORING), 0, 0)])  # it has one partition

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def update(self, wait_s: float) -> None:
        """Take in what has come, waiting up to `wait_s` seconds when nothing has. A record that is none is skipped.

        Raises `LiveWindowsError` when the client has failed for good.
        """
        try:
            first = self._consumer.poll(wait_s)
            messages = [] if first is None else [first, *self._consumer.consume(_BATCH, 0)]
        except KafkaException as error:
            raise LiveWindowsError(f"topic monitoring could not be followed: {error.args[0].str()}") from None
        for message in messages:
            key, value = message.key(), message.value()
            if message.error() is not None or not isinstance(key, bytes):
                continue  # librdkafka goes on by itself after what will pass
            if value is None:
                self._windows.pop(key, None)
                continue
            try:
                self._windows[key] = Window.from_record(self._codec.decode(value))
            except (DecodeError, ValueError):
                continue

    def total(self) -> Window:
        """All windows merged: a window over the whole time, of no partition (-1)."""
        windows = list(self._windows.values())
        total = Window(min((w.start for w in windows), default=0), max((w.end for w in windows), default=0), -1)
        for window in windows:
            total.merge(window)
        return total
