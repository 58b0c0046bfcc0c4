"""The latest answers with the messages that they are of: what goes by while one watches."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Self

from confluent_kafka import OFFSET_BEGINNING, TopicPartition

from schemas.codec import DecodeError
from schemas.records import TranscriptEvent
from schemas.topics import SENTIMENT
from streams.config.codecs import codec
from streams.kafka.client import Cluster
from streams.kafka.messages import message_value

_SHOWN: Final = 6
_AT_ONCE: Final = 500


class Answered(NamedTuple):
    """A message and what became of it."""

    role: str
    text: str
    label: str
    route: str
    confidence: float


class Answers:
    """Follows `sentiment`; of `events`, the samples', the texts may be shown: they are public. Use it as a context."""

    def __init__(self, cluster: Cluster, events: Iterable[TranscriptEvent]) -> None:
        self._texts = {event.event_id: (event.role, event.text) for event in events}
        self._latest: deque[Answered] = deque(maxlen=_SHOWN)
        self._decode = codec(cluster.settings, SENTIMENT).decode
        self._consumer = cluster.assigned_consumer(reset="earliest")
        name = cluster.settings.topic(SENTIMENT)
        partitions = range(cluster.settings.sentiment_partitions)
        self._consumer.assign([TopicPartition(name, partition, OFFSET_BEGINNING) for partition in partitions])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def latest(self) -> Sequence[Answered]:
        """The latest, the last one last, as of now. It does not wait."""
        for message in self._consumer.consume(_AT_ONCE, 0):
            if message.error() is not None:
                continue
            try:
                result = self._decode(message_value(message))
            except DecodeError:
                continue
            if result.event_id in self._texts:
                role, text = self._texts[result.event_id]
                self._latest.append(Answered(role, text, result.label, result.route, result.confidence))
        return tuple(self._latest)
