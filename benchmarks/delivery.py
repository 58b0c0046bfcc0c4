"""Delivery alone beside Quix Streams: an agent that does no work, exactly once, two outputs an event, one process each.

Both read the same input topic of the same Kafka (4 partitions, JSON, 500 keys), write two topics of 4 partitions with
the same values and the same compression, and run at their defaults otherwise, but for Quix Streams' commit interval
(see `quix_app`). They take turns, each first in every other repetition. The rate is that of the steady state, by the
times at which the broker took the records. A run in which a record was lost or came twice is void.
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from benchmarks import null_work
from benchmarks.brokers import running
from benchmarks.command import alone
from benchmarks.figure import Figure, VoidError, figure, rate
from benchmarks.scale import Scale
from benchmarks.traffic import loader, send
from benchmarks.workers import REPOSITORY, started, wait_until_done
from schemas.errors import UsageError
from schemas.topics import ROUTING_EVENTS, SENTIMENT
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic

TITLE = "Delivery alone, beside Quix Streams"

QUIX_PYTHON = REPOSITORY / "build" / "quix" / "bin" / "python"
INPUT = "input"
PARTITIONS = 4
KEYS = 500
TIMEOUT_S = 300.0


def measure(wanted: Scale) -> list[Figure]:
    """Raises VoidError: a run lost or repeated a record; UsageError: Quix Streams is not installed for it."""
    if not QUIX_PYTHON.exists():
        raise UsageError(
            f"{QUIX_PYTHON.relative_to(REPOSITORY)} is missing: `make bench` installs Quix Streams for this comparison"
        )
    rates: dict[str, list[float]] = {"edgewise": [], "quix": []}
    with running("kafka") as servers:
        settings = Settings(bootstrap_servers=servers)
        _create(settings, [INPUT])
        _load(loader(settings), wanted.delivery_events)
        for repetition in range(wanted.repetitions):
            for who in sorted(rates, reverse=repetition % 2 == 1):
                rates[who].append(_run(settings, who, f"{who}{repetition}.", wanted.delivery_events))
    ratios = [ours / theirs for ours, theirs in zip(rates["edgewise"], rates["quix"], strict=True)]
    return [
        figure("Edgewise delivery", "kafka", "events/s", rates["edgewise"]),
        figure("Quix Streams, exactly once", "kafka", "events/s", rates["quix"]),
        figure("Edgewise delivery / Quix Streams", "kafka", "", ratios),
    ]


def _run(settings: Settings, who: str, prefix: str, events: int) -> float:
    targets = [prefix + SENTIMENT, prefix + ROUTING_EVENTS]
    # The broker's time, as Quix Streams gives its outputs the times of their inputs.
    _create(settings, targets, {"message.timestamp.type": "LogAppendTime"})
    servers = settings.bootstrap_servers
    if who == "edgewise":
        group = Settings(topic_prefix=prefix).group("null")
        command = [sys.executable, "-m", "benchmarks.null_agent", servers, prefix, INPUT]
    else:
        group = prefix + who
        script = Path(__file__).with_name("quix_app.py")
        command = [str(QUIX_PYTHON), str(script), servers, group, INPUT, *targets]
    with started({who: command}, {}) as processes:
        wait_until_done(settings, group, INPUT, processes, TIMEOUT_S)
    times, _ = [_times(settings, target, events) for target in targets]
    return rate(times)


def _times(settings: Settings, topic: str, events: int) -> list[int]:
    """The time of each record of `topic`, in milliseconds. Raises VoidError unless each event has exactly one."""
    seen = bytearray(events)
    times = []
    for message in read_topic(Cluster(settings), topic):
        number = null_work.number(message.value() or b"")
        seen[number] = min(2, seen[number] + 1)
        times.append(message.timestamp()[1])
    if seen.count(1) != events:
        raise VoidError(f"{topic}: of {events:,} events {seen.count(0):,} are lost, {seen.count(2):,} are there twice")
    return times


def _create(settings: Settings, names: Iterable[str], config: Mapping[str, str] | None = None) -> None:
    new = [NewTopic(name, PARTITIONS, 1, config=dict(config or {})) for name in names]
    admin = Cluster(settings).admin()
    for future in admin.create_topics(new).values():
        future.result()


def _load(producer: Producer, events: int) -> None:
    for number in range(events):
        send(producer, INPUT, null_work.request(number), str(number % KEYS).encode())
    producer.flush()


if __name__ == "__main__":
    alone(TITLE, __doc__, measure)
