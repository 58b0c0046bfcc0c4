"""What a worker costs: from process start to first result, importing, and memory under load.

The cold start is that of `edgewise worker edge` while one event already waits: starting Python, verifying and loading
the model, joining the group, scoring, and the transaction that makes the result visible.
"""

import subprocess
import sys
from time import perf_counter

from benchmarks.brokers import installation, results_reader, running
from benchmarks.command import alone
from benchmarks.figure import Figure, VoidError, figure
from benchmarks.scale import Scale
from benchmarks.traffic import preload
from benchmarks.workers import REPOSITORY, resident_mib, wait_until_done, working
from schemas.topics import TRANSCRIPTS
from streams.verify.drain import wait_until_drained

TITLE = "What a worker costs"

AGENTS = ("edge", "cloud", "monitor")

COLD_START_TIMEOUT_S = 60.0

# Four batches of the largest size: every buffer has been full.
LOAD_EVENTS = 8_000
QUICK_LOAD_EVENTS = 2_000


def measure(wanted: Scale) -> list[Figure]:
    """Raises VoidError: a worker ended, or gave no result in time."""
    figures = []
    for broker in wanted.brokers:
        with running(broker) as servers:
            _cold_start(servers, wanted)  # the broker's own first group and transaction
            starts = [_cold_start(servers, wanted) for _ in range(wanted.repetitions)]
            figures.append(figure("edge worker, process start to first result", broker, "s", starts))
            if broker == wanted.brokers[0]:
                memory = [_memory(servers, wanted) for _ in range(wanted.repetitions)]
                figures += [
                    figure(f"{agent} worker, resident", broker, "MiB", [each[agent] for each in memory])
                    for agent in AGENTS
                ]
    times = [_importing("import streams.worker.build") - _importing("pass") for _ in range(wanted.repetitions + 2)]
    figures.append(figure("importing the worker", "one process", "s", times))
    return figures


def _cold_start(servers: str, wanted: Scale) -> float:
    settings = installation(servers, edge_model=wanted.edge_model, confidence_threshold=0, random_cloud_rate=0)
    preload(settings, 1)
    consumer = results_reader(settings)
    try:
        consumer.poll(1.0)  # it is connected and waits by the time the worker starts
        begun = perf_counter()
        with working(settings, ["edge"]) as processes:
            while True:
                message = consumer.poll(0.1)
                seconds = perf_counter() - begun
                if message is not None and message.error() is None:
                    return seconds
                processes["edge"].check()
                if seconds > COLD_START_TIMEOUT_S:
                    raise VoidError(f"no result within {COLD_START_TIMEOUT_S:g} s of the worker's start")
    finally:
        consumer.close()


def _memory(servers: str, wanted: Scale) -> dict[str, float]:
    """Resident MiB of each worker with what it started: the cloud's is two processes, the agent and its model."""
    settings = installation(servers, edge_model=wanted.edge_model, cloud_model=wanted.cloud_model)
    preload(settings, QUICK_LOAD_EVENTS if wanted.quick else LOAD_EVENTS)
    with working(settings, AGENTS) as processes:
        wait_until_done(settings, settings.group("edge"), settings.topic(TRANSCRIPTS), processes, timeout_s=300)
        wait_until_drained(settings, timeout_s=300, agents=AGENTS)
        return {agent: resident_mib(process) for agent, process in processes.items()}


def _importing(code: str) -> float:
    begun = perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)
    return perf_counter() - begun


if __name__ == "__main__":
    alone(TITLE, __doc__, measure)
