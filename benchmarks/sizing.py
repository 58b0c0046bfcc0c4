"""What an event takes of an installation, for docs/sizing.md: `python -m benchmarks.sizing`.

The whole line works off a backlog on a Kafka of its own: processor time by agent and of the broker, memory, and bytes
on the broker's disk by topic. The bytes are taken at a low rate, too, where batches are small and compress less, and
memory with many partitions. Below what was measured stands what follows from it for two rates, by arithmetic alone.
"""

import argparse
import logging
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.brokers import installation
from benchmarks.figure import VoidError
from benchmarks.latency import Probe
from benchmarks.machine import machine
from benchmarks.traffic import preload
from benchmarks.workers import Process, cpu_seconds, resident_mib, working
from schemas.errors import EdgewiseError
from schemas.topics import CLOUD_INFERENCE, CONVERSATIONS, MONITORING, ROUTING_EVENTS, SENTIMENT, TRANSCRIPTS
from streams.agents.topology import VERIFIED_AGENTS as AGENTS
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from streams.operate.topics import specs
from streams.verify.drain import wait_until_drained
from streams.verify.read_line import verify
from tests.kafka import kafka_server

TOPICS: Sequence[str] = (TRANSCRIPTS, SENTIMENT, CLOUD_INFERENCE, ROUTING_EVENTS, MONITORING, CONVERSATIONS)
COMPACTED: Sequence[str] = (MONITORING, CONVERSATIONS)
BROKER = "broker"

EVENTS = 4_000
REPETITIONS = 3
QUIET_RATE = 20.0
QUIET_S = 20.0
PARTITIONS = (4, 128)

RATES = (1_000, 100_000)
REPLICAS = 3
# How much of its core a process is planned to use: the rest works off what has waited, and is there when one is lost.
PLANNED_USE = 0.6

_TIMEOUT_S = 300.0
_DAY_MS = 86_400_000


class Taken(NamedTuple):
    """What a run took: seconds of processor and bytes are those of an event, by agent and by topic."""

    seconds: Mapping[str, float]
    resident_mib: Mapping[str, float]
    bytes: Mapping[str, float]
    cloud_share: float


def main() -> None:
    """Prints the tables, in Markdown."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    logging.basicConfig(level=logging.ERROR)
    try:
        with tempfile.TemporaryDirectory() as folder, kafka_server.kafka_cluster(Path(folder) / "kafka") as servers:
            server, data = servers[0], Path(folder) / "kafka"
            quiet = _run(server, data, PARTITIONS[0], _paced)
            full = [_run(server, data, PARTITIONS[0], _preloaded) for _ in range(REPETITIONS)]
            wide = _run(server, data, PARTITIONS[1], _preloaded)
    except EdgewiseError as error:
        sys.exit(f"sizing: {error}")
    print("; ".join(f"{heading}: {words}" for heading, words in machine().items()), end="\n\n")
    for table in (_processor(full), _memory(full, wide), _disk(full, quiet), _follows(full, quiet)):
        print(*table, sep="\n", end="\n\n")


def _run(
    server: kafka_server.KafkaServer,
    data: Path,
    partitions: int,
    feed: Callable[[Settings, Mapping[str, Process]], int],
) -> Taken:
    """What the events of `feed` took of workers that were up before. Raises VoidError: the run was not sound."""
    counts = {f"{topic}_partitions": partitions for topic in ("transcripts", "sentiment", "cloud_inference")}
    settings = installation(server.bootstrap_servers, routing_events_partitions=partitions, **counts)
    with working(settings, AGENTS) as processes:
        for process in processes.values():
            _wait_until_ready(process)
        before = _spent(server, processes)
        events = feed(settings, processes)
        wait_until_drained(settings, _TIMEOUT_S, agents=AGENTS)
        seconds = {name: (spent - before[name]) / events for name, spent in _spent(server, processes).items()}
        resident = {name: resident_mib(process) for name, process in processes.items()}
    verdict = verify(settings)
    if not verdict.holds or verdict.results != events:
        raise VoidError(f"a run of {events:,} events has {verdict.results:,} results, or faults")
    requests = sum(1 for _ in read_topic(Cluster(settings), CLOUD_INFERENCE))
    sizes = {topic: _log_bytes(data, settings.topic(topic)) / events for topic in TOPICS}
    return Taken(seconds, resident, sizes, requests / events)


def _preloaded(settings: Settings, _: Mapping[str, Process]) -> int:
    preload(settings, EVENTS)
    return EVENTS


def _paced(settings: Settings, processes: Mapping[str, Process]) -> int:
    probe = Probe(settings, processes)
    try:
        probe.window(QUIET_RATE, QUIET_S)
    finally:
        probe.close()
    return int(QUIET_RATE * QUIET_S)


def _wait_until_ready(process: Process) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while True:
        process.check()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{process.metrics_port}/readyz", timeout=5):
                return
        except (OSError, urllib.error.HTTPError) as error:
            if time.monotonic() > deadline:
                raise VoidError(f"{process.name} was not ready after {_TIMEOUT_S:g} s: {error}") from None
        time.sleep(0.1)


def _spent(server: kafka_server.KafkaServer, processes: Mapping[str, Process]) -> dict[str, float]:
    return {name: cpu_seconds(process.popen.pid) for name, process in processes.items()} | {
        BROKER: cpu_seconds(server.pid)
    }


def _log_bytes(data: Path, topic: str) -> int:
    """What the partitions of `topic` take on the broker's disk, without their indexes."""
    return sum(file.stat().st_size for file in data.rglob(f"{topic}-*/*.log"))


def _processor(full: Sequence[Taken]) -> Iterator[str]:
    share = median(run.cloud_share for run in full)
    yield "| process | processor time an event, µs | range | events/s of one core |"
    yield "|---|--:|--:|--:|"
    for name in (*AGENTS, BROKER):
        samples = [1e6 * run.seconds[name] for run in full]
        middle = median(samples)
        said = f"`{name}`" if name != BROKER else "Kafka's broker"
        yield f"| {said} | {middle:,.0f} | {min(samples):,.0f} to {max(samples):,.0f} | {1e6 / middle:,.0f} |"
    whole = [1e6 * sum(run.seconds.values()) for run in full]
    yield f"| all | {median(whole):,.0f} | {min(whole):,.0f} to {max(whole):,.0f} | {1e6 / median(whole):,.0f} |"
    asked = 1e6 * median(run.seconds["cloud"] for run in full) / share
    yield ""
    yield f"The cloud's model was asked for {share:.0%} of the events, which took {asked:,.0f} µs each."


def _memory(full: Sequence[Taken], wide: Taken) -> Iterator[str]:
    few, many = PARTITIONS
    yield f"| process | resident, {few} partitions, MiB | {many} partitions, MiB | a partition, MiB |"
    yield "|---|--:|--:|--:|"
    for name in AGENTS:
        small, large = median(run.resident_mib[name] for run in full), wide.resident_mib[name]
        yield f"| `{name}` | {small:.0f} | {large:.0f} | {max(0.0, (large - small) / (many - few)):.2f} |"


def _disk(full: Sequence[Taken], quiet: Taken) -> Iterator[str]:
    days = _days()
    yield f"| topic | bytes an event, full batches | at {QUIET_RATE:.0f} events/s | kept |"
    yield "|---|--:|--:|---|"
    for topic in TOPICS:
        kept = "compacted" if topic in COMPACTED else f"{days[topic]:.0f} day{'s' if days[topic] > 1 else ''}"
        yield f"| `{topic}` | {_full(full, topic):,.0f} | {quiet.bytes[topic]:,.0f} | {kept} |"


def _follows(full: Sequence[Taken], quiet: Taken) -> Iterator[str]:
    """The rates of `RATES`, by multiplication."""
    days = _days()
    yield "| | " + " | ".join(f"{rate:,} events/s" for rate in RATES) + " |"
    yield "|---|" + "--:|" * len(RATES)
    for name in AGENTS:
        cores = median(run.seconds[name] for run in full)
        yield _row(f"processes of `{name}`", [f"{ceil(rate * cores / PLANNED_USE):,}" for rate in RATES])
    broker = median(run.seconds[BROKER] for run in full)
    yield _row("cores of the brokers, one replica", [f"{rate * broker / PLANNED_USE:,.1f}" for rate in RATES])
    edge = median(run.seconds["edge"] for run in full)
    yield _row("partitions of `transcripts`, at least", [f"{ceil(rate * edge / PLANNED_USE):,}" for rate in RATES])
    for topic in TOPICS:
        if topic not in COMPACTED:
            low, high = sorted((_full(full, topic), quiet.bytes[topic]))
            cells = [_gigabytes(rate * days[topic] * 86_400 * REPLICAS, low, high) for rate in RATES]
            yield _row(f"disk of `{topic}`, {days[topic]:.0f} d, {REPLICAS} replicas, GB", cells)


def _row(what: str, cells: Sequence[str]) -> str:
    return f"| {what} | " + " | ".join(cells) + " |"


def _gigabytes(events: float, low: float, high: float) -> str:
    return f"{events * low / 1e9:,.0f} to {events * high / 1e9:,.0f}"


def _full(full: Sequence[Taken], topic: str) -> float:
    return median(run.bytes[topic] for run in full)


def _days() -> dict[str, float]:
    return {spec.name: int(spec.config["retention.ms"]) / _DAY_MS for spec in specs(Settings())}


if __name__ == "__main__":
    main()
