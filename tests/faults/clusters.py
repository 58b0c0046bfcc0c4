"""Real Kafkas for faults that break brokers: of one broker and of three, whole again after each fault."""

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.faults.network import HOSTS, Network, listener
from tests.kafka.kafka_server import KafkaServer, kafka_cluster

# Three brokers, six workers and the tests share the memory of a small machine.
HEAP = "512M"

# The listeners of `Network`; a map replaces the whole of Kafka's.
_LISTENERS = tuple(listener(host) for host in HOSTS)
_PROTOCOLS = ",".join(f"{name}:PLAINTEXT" for name in ("PLAINTEXT", "CONTROLLER", *_LISTENERS))


class Cluster(NamedTuple):
    """The brokers, and a network that leads to them; clients may also reach them past it, at their plain listener."""

    servers: list[KafkaServer]
    network: Network

    def mend(self) -> None:
        """Have every broker run again and the network whole, whatever a fault that failed has left."""
        self.network.heal()
        for server in self.servers:
            if server.running():
                server.signal(signal.SIGCONT)
            else:
                server.launch()
        for server in self.servers:
            server.wait()


@contextlib.contextmanager
def cluster(folder: Path, brokers: int) -> Iterator[Cluster]:
    """A cluster of so many brokers; topics of three replicas need two in sync."""
    with Network(brokers) as network, contextlib.ExitStack() as stack:
        servers = stack.enter_context(
            kafka_cluster(
                folder,
                brokers,
                properties={
                    "listener.security.protocol.map": _PROTOCOLS,
                    # With KIP-848 the brokers, not the workers, say how long a member may be silent.
                    "group.consumer.min.session.timeout.ms": "6000",
                    "group.consumer.session.timeout.ms": "6000",
                    "group.consumer.min.heartbeat.interval.ms": "2000",
                    "group.consumer.heartbeat.interval.ms": "2000",
                    "log.cleaner.backoff.ms": "500",  # where there is nothing to compact it looks again after 15 s
                },
                listeners=_LISTENERS,
                advertised=network.advertised,
                heap=HEAP,
            )
        )
        network.connect([server.node.listeners for server in servers])
        yield Cluster(servers, network)
