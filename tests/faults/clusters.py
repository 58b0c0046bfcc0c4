"""Real Kafkas for faults that break brokers: of one broker and of three, whole again after each fault."""

import contextlib
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.kafka.kafka_server import KafkaServer, kafka_cluster

# Three brokers, six workers and the tests share the memory of a small machine.
HEAP = "512M"


@contextlib.contextmanager
def cluster(folder: Path, brokers: int) -> Iterator[list[KafkaServer]]:
    """A cluster of so many brokers; topics of three replicas need two in sync."""
    with kafka_cluster(folder, brokers, heap=HEAP) as servers:
        yield servers


def mend(servers: Sequence[KafkaServer]) -> None:
    """Have every broker run again, whatever a fault that failed has left."""
    for server in servers:
        if server.running():
            server.signal(signal.SIGCONT)
        else:
            server.launch()
    for server in servers:
        server.wait()
