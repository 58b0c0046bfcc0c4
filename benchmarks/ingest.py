"""The HTTP door on Kafka, in events a second and milliseconds a request, beside a server that only answers 204.

    python -m benchmarks.ingest --rounds 5 --seconds 5

Events come one a request, by one client and by sixteen at once, and in hundreds, by four. Both servers run with the
same options on the same machine as the clients and the broker, and take turns. Last, a client that asks without end and
never reads: how much the server's memory grew.
"""

import argparse
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

from benchmarks.brokers import installation, running
from benchmarks.figure import Figure, VoidError, figure, quantile
from benchmarks.table import show
from benchmarks.workers import REPOSITORY
from streams.config.settings import variable
from streams.system.processes import die_with_parent

TOKEN = "token-of-the-benchmark"  # noqa: S105 - of a server that lives for the measurement
TEXT = "I have waited for two weeks now, and nobody tells me where my parcel is."
NEVER_READ_S = 8.0


class Way(NamedTuple):
    """How events are sent: so many a request, by so many clients at once."""

    events: int
    clients: int

    def __str__(self) -> str:
        return f"{self.events} a request, {self.clients} client{'s' * (self.clients > 1)}"


WAYS = (Way(1, 1), Way(1, 16), Way(100, 4))


class Server(NamedTuple):
    """A running server."""

    name: str
    port: int
    pid: int

    def memory_mb(self) -> float:
        """Its resident memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def served(name: str, module: list[str], environment: dict[str, str]) -> Iterator[Server]:
    """A server as a process. Raises VoidError: it ended."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("EDGEWISE_")}
    process = subprocess.Popen(
        [sys.executable, "-m", *module],
        cwd=REPOSITORY,
        env=inherited | {"PYTHONPATH": str(REPOSITORY)} | environment,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent(),  # noqa: PLW1509
    )
    try:
        assert process.stderr is not None  # noqa: S101 - a pipe was asked for
        for line in process.stderr:
            if found := re.search(r"listening at http://[^:]+:(\d+)", line):
                break
        else:
            raise VoidError(f"{name} ended with exit code {process.wait()}")
        # Its access log is read, or it would wait for that in the end.
        threading.Thread(target=deque, args=(process.stderr, 0), daemon=True).start()
        yield Server(name, int(found[1]), process.pid)
    finally:
        process.kill()
        process.wait()


def load(server: Server, way: Way, seconds: float, numbers: Iterator[int]) -> tuple[float, list[float]]:
    """Events a second, and the milliseconds of each request. Raises VoidError: one was not answered with success."""
    times_ms: list[float] = []
    wrong: list[int] = []
    end = time.monotonic() + seconds

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        while time.monotonic() < end and not wrong:
            events = [
                {"conversation_id": f"c{number % 997}", "event_id": f"e{number}", "text": TEXT}
                for number in (next(numbers) for _ in range(way.events))
            ]
            body = json.dumps(events)
            begun = time.perf_counter()
            connection.request("POST", "/v1/events", body, headers)
            answer = connection.getresponse()
            answer.read()
            times_ms.append((time.perf_counter() - begun) * 1000)
            if answer.status not in {200, 204}:
                wrong.append(answer.status)
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(way.clients)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise VoidError(f"{server.name}: a request was answered {wrong[0]}")
    return len(times_ms) * way.events / (time.monotonic() - begun), times_ms


def never_read(server: Server) -> float:
    """Megabytes by which the server grew while a client asked without end and read nothing."""
    ask = (
        b"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"
    )
    before = server.memory_mb()
    most, end = before, time.monotonic() + NEVER_READ_S
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 5) as connection:
            connection.settimeout(0.2)
            while time.monotonic() < end:
                with suppress(TimeoutError):
                    connection.sendall(ask * 500)
                most = max(most, server.memory_mb())
    return most - before


def measure(rounds: int, seconds: float) -> list[Figure]:
    """The figures. Raises VoidError, UsageError: no Kafka can be started here."""
    samples: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    numbers = count()
    with running("kafka") as servers, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tokens").write_text(TOKEN)
        settings = installation(servers)
        environment = {
            variable("bootstrap_servers"): servers,
            variable("topic_prefix"): settings.topic_prefix,
            variable("ingest_port"): "0",
            variable("ingest_secrets_folder"): folder,
            variable("ingest_deadline_ms"): "60000",
        }
        with (
            served("the door", ["streams.cli", "ingest"], environment) as door,
            served("204 alone", ["benchmarks.answering"], {}) as bare,
        ):
            for way in WAYS:
                load(door, way, seconds / 2, numbers)  # not counted
            for _ in range(rounds):
                for way in WAYS:
                    rates = {}
                    for server in (door, bare):
                        rates[server.name], times_ms = load(server, way, seconds, numbers)
                        samples[f"{way}", server.name, "events/s"].append(rates[server.name])
                        samples[f"{way}, p50", server.name, "ms"].append(quantile(times_ms, 0.5))
                        samples[f"{way}, p99", server.name, "ms"].append(quantile(times_ms, 0.99))
                    samples[f"{way}", "door over 204", ""].append(rates["the door"] / rates["204 alone"])
            samples["a client that never reads: memory grew by", "the door", "MB"].append(never_read(door))
    return [figure(what, where, unit, found) for (what, where, unit), found in samples.items()]


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each load")
    arguments = parser.parse_args()
    try:
        show("The HTTP door", measure(arguments.rounds, arguments.seconds))
    except VoidError as error:
        print(f"void: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
