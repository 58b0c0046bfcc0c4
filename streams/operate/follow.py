"""A topic followed in a thread: what it holds since a time, and then whatever comes."""

import logging
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.errors import EdgewiseError
from streams.kafka.client import Cluster
from streams.kafka.messages import PARTITION_END
from streams.kafka.reader import offsets_since, watermarks
from streams.kafka.refusals import explain_refusal

logger = logging.getLogger(__name__)

_BATCH: Final = 2_000
_WAIT_S: Final = 0.25
_AGAIN_S: Final = 5.0
_PERMANENT = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_AUTHORIZATION_FAILED)


class FollowError(EdgewiseError):
    """A topic can be followed no further as things are."""


class Follower:
    """Hands the committed records of a topic to `take`, batch by batch, in a thread of its own.

    It takes no part in a group and commits nothing. What goes wrong is in `fault`, and is tried again; what was taken
    is not taken twice. `is_at_end`: all has been taken that was there when it began, or was last begun anew.
    """

    def __init__(
        self,
        cluster: Cluster,
        topic: str,
        since_ms: int,
        take: Callable[[Sequence[Message]], None],
        idle: Callable[[], bool] = lambda: False,
    ) -> None:
        """`topic` is without the prefix; `since_ms` (UTC): when the records were written that it begins with.

        `idle` is called between batches, and says whether it has more to do.
        """
        self.is_at_end = False
        self._fault: str | None = None
        self._cluster = cluster
        self._topic = topic
        self._since_ms = since_ms
        self._take = take
        self._idle = idle
        self._positions: dict[int, int] = {}  # what was taken comes before them
        self._stop = Event()
        self._thread = Thread(target=self._run, name=f"follow {topic}", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after what it is at; it may take some seconds where no broker answers."""
        self._stop.set()
        self._thread.join(2.0)

    @property
    def fault(self) -> str | None:
        """Why nothing comes; None: it does."""
        if self._fault is None and self._thread.ident is not None and not self._thread.is_alive():
            return f"topic {self._cluster.settings.topic(self._topic)} is followed no more: the log says why"
        return self._fault

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except EdgewiseError as error:
                self._failed(str(error))
            except KafkaException as error:
                name = self._cluster.settings.topic(self._topic)
                why = explain_refusal(self._cluster.settings, error.args[0], f"READ on topic {name}")
                self._failed(f"topic {name} can't be followed: {why}")

    def _failed(self, why: str) -> None:
        if self._fault != why:
            logger.warning("%s", why)
        self._fault = why
        self._stop.wait(_AGAIN_S)

    def _follow(self) -> None:
        name = self._cluster.settings.topic(self._topic)
        ends = {partition: mark.high for partition, mark in watermarks(self._cluster, self._topic).items()}
        # Where retention removes what was to be read next, reading goes on at the oldest record that is there.
        consumer = self._cluster.assigned_consumer(reset="earliest", fetch_wait_ms=100)
        try:
            starts = offsets_since(consumer, name, self._since_ms, ends) | self._positions
            consumer.assign([TopicPartition(name, partition, offset) for partition, offset in starts.items()])
            unread = set(starts)
            self._fault = None
            while not self._stop.is_set():
                busy = self._idle()
                records = self._fetched(consumer, name, unread, 0.0 if busy else _WAIT_S)
                if records:
                    self._take(records)
                    self._positions |= {each.partition() or 0: (each.offset() or 0) + 1 for each in records}
                self.is_at_end = self.is_at_end or not unread
        finally:
            consumer.close()

    def _fetched(self, consumer: Consumer, name: str, unread: set[int], wait_s: float) -> list[Message]:
        """What has come by now. Takes a partition whose end is reached out of `unread`. Raises FollowError."""
        first = consumer.poll(wait_s)
        records = []
        for message in [] if first is None else [first, *consumer.consume(_BATCH - 1, 0)]:
            error = message.error()
            if error is None:
                records.append(message)
            elif error.code() == PARTITION_END:
                unread.discard(message.partition() or 0)
            elif error.fatal() or error.code() in _PERMANENT:
                why = explain_refusal(self._cluster.settings, error, f"READ on topic {name}")
                raise FollowError(f"topic {name} can't be followed: {why}")
        return records
