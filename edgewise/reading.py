"""The records of a topic, from Python."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeVar, overload

from schemas.errors import UsageError
from schemas.records import (
    Alert,
    BudgetLease,
    CloudRequest,
    ConversationState,
    MonitoringWindow,
    PersonLabel,
    Record,
    RoutingEvent,
    SentimentResult,
    Silence,
    TranscriptEvent,
)

if TYPE_CHECKING:
    from confluent_kafka import Message

    from schemas.codec import Codec

R = TypeVar("R", bound=Record)

logger = logging.getLogger(__name__)


@overload
def events(
    topic: Literal["transcripts"], *, since: datetime | None = None, follow: bool = False
) -> Iterator[TranscriptEvent]: ...
@overload
def events(
    topic: Literal["sentiment"], *, since: datetime | None = None, follow: bool = False
) -> Iterator[SentimentResult]: ...
@overload
def events(
    topic: Literal["cloud-inference"], *, since: datetime | None = None, follow: bool = False
) -> Iterator[CloudRequest]: ...
@overload
def events(
    topic: Literal["routing-events"], *, since: datetime | None = None, follow: bool = False
) -> Iterator[RoutingEvent]: ...
@overload
def events(
    topic: Literal["monitoring"], *, since: datetime | None = None, follow: bool = False
) -> Iterator[MonitoringWindow]: ...
@overload
def events(
    topic: Literal["conversations"], *, since: datetime | None = None, follow: bool = False
) -> Iterator[ConversationState]: ...
@overload
def events(
    topic: Literal["labels"], *, since: datetime | None = None, follow: bool = False
) -> Iterator[PersonLabel]: ...
@overload
def events(topic: Literal["alerts"], *, since: datetime | None = None, follow: bool = False) -> Iterator[Alert]: ...
@overload
def events(topic: Literal["silences"], *, since: datetime | None = None, follow: bool = False) -> Iterator[Silence]: ...
@overload
def events(
    topic: Literal["budget"], *, since: datetime | None = None, follow: bool = False
) -> Iterator[BudgetLease]: ...
@overload
def events(topic: str, *, since: datetime | None = None, follow: bool = False) -> Iterator[Record]: ...
def events(topic: str, *, since: datetime | None = None, follow: bool = False) -> Iterator[Record]:
    """The committed records of `topic` (its name without the prefix), to its end as of this call; `follow`: and on.

    They begin with the first that the topic holds, or that Kafka took at `since` or later (UTC where it has no zone).
    Each partition is in order; between partitions there is no order. Broker and login are those of the settings. A
    record that cannot be decoded is left out, with a warning in the log.

    Raises UsageError: there is no such topic, or a setting is wrong; BrokerUnreachableError, AccessError. While it is
    read: ReadError, ConsumeError, RegistryError.
    """
    from schemas.topics import DEAD_LETTERS, TOPICS
    from streams.config.codecs import codec
    from streams.config.loading import load_settings
    from streams.kafka.client import Cluster
    from streams.operate.consume import Start, messages

    if topic == DEAD_LETTERS:
        raise UsageError("dead-letters holds bytes, not records: `edgewise dead-letters` lists and shows them")
    if topic not in TOPICS:
        raise UsageError(f"topic {topic!r} is not one of Edgewise's: {', '.join(TOPICS)}")
    if not isinstance(since, datetime | None):
        raise UsageError(f"since is of type {type(since).__name__}: give a datetime")
    settings = load_settings()
    start = Start() if since is None else Start(since_ms=_milliseconds(since))
    return _decoded(messages(Cluster(settings), topic, start, follow=follow), codec(settings, TOPICS[topic]))


def _decoded(messages: Iterator["Message"], codec: "Codec[R]") -> Iterator[R]:
    from schemas.codec import DecodeError

    for message in messages:
        value = message.value()
        try:
            yield codec.decode(value if isinstance(value, bytes) else None)
        except DecodeError as error:
            place = f"{message.topic()}, partition {message.partition()}, offset {message.offset()}"
            logger.warning("%s is left out: %s", place, error)


def _milliseconds(moment: datetime) -> int:
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
