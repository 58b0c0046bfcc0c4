"""The brokers that are measured on, and the topics of one run on them."""

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from streams import topics_admin
from streams.broker import EmbeddedBroker
from streams.settings import Settings
from tests.kafka.kafka_server import bootstrap_servers, kafka_cluster


@contextmanager
def running(broker: str) -> Iterator[str]:
    """A broker of its own for a measurement, `kafka` (one node) or `embedded`: its bootstrap servers."""
    if broker == "embedded":
        with EmbeddedBroker() as embedded:
            yield embedded.bootstrap_servers
    else:
        with tempfile.TemporaryDirectory() as folder, kafka_cluster(Path(folder) / "kafka") as servers:
            yield bootstrap_servers(servers)


def installation(servers: str, **values: Any) -> Settings:
    """Settings of an installation with topics of its own, which are created; all else as a user has it by default."""
    settings = Settings(
        bootstrap_servers=servers, topic_prefix=f"bench-{uuid.uuid4().hex[:8]}.", worker_id="bench", **values
    )
    topics_admin.create(settings)
    return settings
