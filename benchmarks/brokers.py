"""The brokers that are measured on, and the topics of one run on them."""

import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from schemas.errors import UsageError
from schemas.topics import SENTIMENT
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.embedded_broker import EmbeddedBroker
from streams.operate import topics as topics_admin
from tests.kafka import kafka_server


@contextmanager
def running(broker: str) -> Iterator[str]:
    """A broker of its own for a measurement, `kafka` (one node) or `embedded`: its bootstrap servers.

    Raises UsageError: a Kafka cannot be started here.
    """
    if broker == "embedded":
        with EmbeddedBroker() as embedded:
            yield embedded.bootstrap_servers
    elif reason := kafka_server.missing():
        raise UsageError(reason)
    else:
        with tempfile.TemporaryDirectory() as folder, kafka_server.kafka_cluster(Path(folder) / "kafka") as servers:
            yield kafka_server.bootstrap_servers(servers)


def installation(servers: str, **values: Any) -> Settings:
    """Settings of an installation with topics of its own, which are created; all else as a user has it by default."""
    settings = Settings(
        bootstrap_servers=servers, topic_prefix=f"bench-{uuid.uuid4().hex[:8]}.", worker_id="bench", **values
    )
    topics_admin.create(settings)
    return settings


def results_reader(settings: Settings, begin: Mapping[int, int] | None = None) -> Consumer:
    """A read_committed consumer of `sentiment`, as a downstream team's, that is told at once.

    It begins with the first record, or at the offset that `begin` has for a partition.

    The embedded broker answers a fetch, whatever has come, only after half of the time that the consumer may wait: at
    librdkafka's default of 500 ms the reader would add more to a latency than the line does.
    """
    consumer = Cluster(settings).assigned_consumer(reset="earliest")
    offsets = dict.fromkeys(range(settings.sentiment_partitions), 0) | dict(begin or {})
    consumer.assign([TopicPartition(settings.topic(SENTIMENT), *place) for place in offsets.items()])
    return consumer
