"""Real worker processes, as `edgewise worker` runs them, and what can be seen of them from outside."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

from confluent_kafka import KafkaException, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.figure import VoidError
from streams.config.settings import Settings, variable
from streams.kafka.client import Cluster
from streams.kafka.reader import watermarks
from streams.system.processes import die_with_parent

REPOSITORY = Path(__file__).resolve().parents[1]
_STOP_TIMEOUT_S = 15.0

# How often progress is looked at: one small request, to the group's coordinator.
_LOOK_S = 0.25


class Process(NamedTuple):
    """A process that was started, and where its standard error goes."""

    name: str
    popen: subprocess.Popen[bytes]
    log: IO[bytes]
    metrics_port: int

    def check(self) -> None:
        """Raises VoidError when it has ended."""
        if (code := self.popen.poll()) is not None:
            self.log.seek(0)
            last = " ".join(self.log.read().decode(errors="replace").split())[-500:]
            raise VoidError(f"{self.name} ended with exit code {code} while it was measured: {last}")


@contextmanager
def started(commands: Mapping[str, Sequence[str]], environment: Mapping[str, str]) -> Iterator[dict[str, Process]]:
    """Processes by name, in a folder of their own and with no setting of the caller's; stopped with the context."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("EDGEWISE_")}
    processes: dict[str, Process] = {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            for name, command in commands.items():
                log = tempfile.TemporaryFile()  # noqa: SIM115 - closed below; a pipe would fill up and block
                port = _free_port()
                ports = {variable("metrics_port"): str(port)}
                popen = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=folder,
                    env=inherited | {"PYTHONPATH": str(REPOSITORY)} | dict(environment) | ports,
                    preexec_fn=die_with_parent(),  # noqa: PLW1509 - calls the C library only
                )
                processes[name] = Process(name, popen, log, port)
            yield processes
        finally:
            for process in processes.values():
                process.popen.terminate()
            for process in processes.values():
                try:
                    process.popen.wait(_STOP_TIMEOUT_S)
                except subprocess.TimeoutExpired:
                    process.popen.kill()
                    process.popen.wait()
                process.log.close()


@contextmanager
def working(
    settings: Settings, agents: Sequence[str], repository: Path = REPOSITORY, python: str = sys.executable
) -> Iterator[dict[str, Process]]:
    """`edgewise worker AGENT` for each of `agents`, with `settings`, by the code in `repository`, run by `python`."""
    commands = {name: [python, "-m", "streams.cli", "worker", name] for name in agents}
    with started(commands, environment(settings) | {"PYTHONPATH": str(repository)}) as processes:
        yield processes


def environment(settings: Settings) -> dict[str, str]:
    """The variables that give a process those of `settings` that were set."""
    given = settings.model_dump(exclude_none=True, exclude_unset=True)
    return {variable(name): str(value) for name, value in given.items()}


def wait_until_done(
    settings: Settings, group: str, topic: str, processes: Mapping[str, Process], timeout_s: float
) -> None:
    """Waits until `group` has committed every record of `topic`, a full name, which no transaction wrote to.

    Raises VoidError: a process ended, or it took longer than `timeout_s` seconds.
    """
    name = topic.removeprefix(settings.topic_prefix)
    ends = {partition: mark.high for partition, mark in watermarks(Cluster(settings), name).items() if mark.high}
    consumer = Cluster(settings).assigned_consumer(group=group)
    deadline = time.monotonic() + timeout_s
    try:
        while True:
            for process in processes.values():
                process.check()
            # A group's first coordinator takes a moment to be found: the broker refuses, and is asked again.
            with suppress(KafkaException):
                committed = consumer.committed([TopicPartition(topic, partition) for partition in ends], timeout=10)
                if all(of.offset >= ends[of.partition] for of in committed):
                    return
            if time.monotonic() > deadline:
                raise VoidError(f"group {group} was not done with {topic} after {timeout_s:g} s")
            time.sleep(_LOOK_S)
    finally:
        consumer.close()


class Counters(NamedTuple):
    """What a worker has spent since its start, in seconds; `cpu` is 0 where the platform does not tell."""

    cpu: float
    inference: float
    transactions: float


def counters(process: Process, timeout_s: float = 30.0) -> Counters:
    """A worker's own count, by its Prometheus metrics, as soon as it answers. Raises VoidError: it does not."""
    deadline = time.monotonic() + timeout_s
    while True:
        process.check()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{process.metrics_port}/metrics", timeout=5) as answer:
                return _counters(answer.read().decode())
        except OSError as error:  # refused, reset, or silent for too long on a busy machine
            if time.monotonic() > deadline:
                raise VoidError(f"the metrics of {process.name} can't be had: {error}") from None
            time.sleep(0.05)


def _counters(metrics: str) -> Counters:
    samples = {
        sample.name: sample.value for family in text_string_to_metric_families(metrics) for sample in family.samples
    }
    return Counters(
        samples.get("process_cpu_seconds_total", 0.0),
        samples.get("edgewise_inference_seconds_sum", 0.0),
        samples.get("edgewise_transaction_seconds_sum", 0.0),
    )


def cpu_seconds(pid: int) -> float:
    """Processor time that process `pid` and all that it started have taken so far, by Linux' account."""
    family, total = _family(pid, _processes()), 0
    for each in family:
        with suppress(OSError):  # it has ended
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def resident_mib(process: Process) -> float:
    """Resident memory of a process and all that it started, in MiB."""
    rows = _processes()
    return sum(rows[pid].kib for pid in _family(process.popen.pid, rows)) / 1024


class _Row(NamedTuple):
    parent: int
    kib: int


def _processes() -> dict[int, _Row]:
    """All of this machine: parent and resident memory, by process id."""
    listing = subprocess.run(["/bin/ps", "-eo", "pid=,ppid=,rss="], capture_output=True, text=True, check=True).stdout
    return {int(pid): _Row(int(parent), int(kib)) for pid, parent, kib in map(str.split, listing.splitlines())}


def _family(pid: int, rows: Mapping[int, _Row]) -> set[int]:
    family = {pid}
    while found := {each for each, row in rows.items() if row.parent in family} - family:
        family |= found
    return family


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
