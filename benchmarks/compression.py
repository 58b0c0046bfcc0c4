"""What it costs to have `sentiment` in a codec that every Kafka client knows: `python -m benchmarks.compression`.

A producer of librdkafka has one compression for all of its topics, so the question is who brings the results into
another codec: the broker (the topic's `compression.type`), or the worker, which then sends everything in that codec.
Each way is taken in turn, round by round, on a Kafka of its own. CPU time is that of all threads of a process.
"""

import argparse
import os
import random
import resource
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from schemas.records import SentimentResult
from schemas.topics import SENTIMENT
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from tests.kafka import kafka_server

PARTITIONS = 4
# A worker joins up to 2,000 records in a transaction when it has a backlog; 10 are a quiet line.
TRANSACTIONS = (2_000, 10)
TICKS = os.sysconf("SC_CLK_TCK")


class Way(NamedTuple):
    """Who compresses: the producer into `sent`, the broker into `kept` (`producer`: it leaves batches as they came)."""

    sent: str
    kept: str


WAYS = (
    Way("lz4", "producer"),
    Way("lz4", "gzip"),
    Way("lz4", "uncompressed"),
    Way("gzip", "producer"),
    Way("none", "producer"),
)


class Cost(NamedTuple):
    """What 100,000 results take: CPU seconds of broker and producer, seconds, and MB on the broker's disk."""

    broker_s: float
    producer_s: float
    elapsed_s: float
    disk_mb: float


def main() -> None:
    """Prints a table for each size of transaction: the median of each figure, and its least and greatest sample."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--results", type=int, default=100_000, help="in each sample")
    options.add_argument("--rounds", type=int, default=5)
    arguments = options.parse_args()
    console = Console(width=120)
    console.print("\n".join(f"{heading}: {words}" for heading, words in machine().items()), highlight=False)
    with tempfile.TemporaryDirectory() as folder, kafka_server.kafka_cluster(Path(folder) / "kafka") as [server]:
        values = list(_results(arguments.results))
        raw_mb = sum(len(value) for _, value in values) / 1e6
        for size in TRANSACTIONS:
            used = values[: max(size, len(values) * size // TRANSACTIONS[0] * 20)] if size < 1_000 else values
            taken: dict[Way, list[Cost]] = {way: [] for way in WAYS}
            for number in range(arguments.rounds + 1):
                for way in WAYS:
                    cost = _cost(server, Path(folder), way, used, size)
                    if number:  # the first round warms the broker up
                        taken[way].append(cost)
            table = Table(title=f"100,000 results ({raw_mb * 1e5 / len(values):.1f} MB), {size:,} in a transaction")
            for heading in ("sent as", "topic's compression.type", "broker CPU s", "producer CPU s", "seconds", "MB"):
                table.add_column(
                    heading, justify="left" if heading in {"sent as", "topic's compression.type"} else "right"
                )
            for way, costs in taken.items():
                table.add_row(*way, *(_shown([cost[at] for cost in costs]) for at in range(len(Cost._fields))))
            console.print(table)


def _shown(samples: list[float]) -> str:
    return f"{median(samples):.2f} ({min(samples):.2f} to {max(samples):.2f})"


def _results(count: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of `count` results, of conversations of ten turns; the ids and scores are seeded."""
    rng = random.Random(1)
    encode = codec(Settings(), SENTIMENT).encode
    now = 1_700_000_000_000
    conversation = ""
    for number in range(count):
        if number % 10 == 0:
            conversation = str(uuid.UUID(int=rng.getrandbits(128)))
        scores = [rng.random() for _ in range(3)]
        negative, neutral, positive = (score / sum(scores) for score in scores)
        now += rng.randrange(5)
        yield (
            conversation.encode(),
            encode(
                SentimentResult(
                    event_id=str(uuid.UUID(int=rng.getrandbits(128))),
                    conversation_id=conversation,
                    turn=number % 10,
                    label=rng.choice(("negative", "neutral", "positive")),
                    confidence=max(negative, neutral, positive),
                    negative=negative,
                    neutral=neutral,
                    positive=positive,
                    route="edge",
                    reason="optimal_edge",
                    degraded=False,
                    model="edge@2.1.0",
                    occurred_at=now,
                    scored_at=now + rng.randrange(10, 60),
                )
            ),
        )


def _cost(
    server: kafka_server.KafkaServer, folder: Path, way: Way, values: list[tuple[bytes, bytes]], size: int
) -> Cost:
    prefix = f"bench-{uuid.uuid4().hex[:8]}."
    cluster = Cluster(
        Settings.model_validate(
            {"bootstrap_servers": server.bootstrap_servers, "topic_prefix": prefix, "compression": way.sent}
        )
    )
    topic = cluster.settings.topic(SENTIMENT)
    admin = cluster.admin()
    for future in admin.create_topics([NewTopic(topic, PARTITIONS, 1, config={"compression.type": way.kept})]).values():
        future.result()
    producer = cluster.producer({"linger.ms": 0}, transactional_id=f"{prefix}bench")
    producer.init_transactions(30)
    broker, own, began = _cpu_s(server.pid), _own_cpu_s(), time.perf_counter()
    for start in range(0, len(values), size):
        producer.begin_transaction()
        for key, value in values[start : start + size]:
            producer.produce(topic, value, key)
        producer.commit_transaction(60)
    scale = 100_000 / len(values)
    cost = Cost(
        (_cpu_s(server.pid) - broker) * scale,
        (_own_cpu_s() - own) * scale,
        (time.perf_counter() - began) * scale,
        sum(file.stat().st_size for file in folder.glob(f"kafka/broker-1/data/{topic}-?/*.log")) / 1e6 * scale,
    )
    for future in admin.delete_topics([topic]).values():
        future.result()
    return cost


def _own_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


if __name__ == "__main__":
    main()
