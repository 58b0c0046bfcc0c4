"""Records put into topics, for the tests of what reads them from Python."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from schemas.codec import Codec
from schemas.records import Record, SentimentResult
from schemas.topics import Topic
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from tests.events import RESULT


def produce(settings: Settings, topic: Topic[Any], *values: bytes | Record, at: datetime | None = None) -> None:
    encode = Codec(topic).encode
    producer = Cluster(settings).producer()
    for value in values:
        content = value if isinstance(value, bytes) else encode(value)
        producer.produce(
            settings.topic(topic), content, partition=0, timestamp=round(at.timestamp() * 1000) if at else 0
        )
    assert producer.flush(30) == 0


def sentiment(number: int) -> SentimentResult:
    return replace(RESULT, event_id=f"e{number}")
