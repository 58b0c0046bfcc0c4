"""A broker that is away is a few lines in every process that lives through it. Measured before: 7,058 lines in 20 s."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.config.settings import Settings
from streams.operate.topics import create
from tests.kafka.kafka_server import REPOSITORY, bootstrap_servers, kafka_cluster

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

# How long the broker is away. librdkafka alone logs 20 lines a second meanwhile.
AWAY_S = 15.0

# The worker has nothing to do: with a transaction under way it could end, as it should, and begin anew.
COMMANDS = {
    "worker": ["worker", "monitor"],
    "consume": ["consume", "transcripts", "--follow"],
    "replay": ["replay", str(REPOSITORY / "samples" / "airline.csv"), "--pace", "20/s"],
}


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def test_a_broker_that_is_away_is_a_few_lines(tmp_path: Path) -> None:
    """Seen to fail with the clients' lines handed on, and without a line when the broker is back."""
    logs = {name: tmp_path / f"{name}.log" for name in COMMANDS}
    events = tmp_path / "events.jsonl"

    def of_outage(name: str) -> list[str]:
        return [line for line in logs[name].read_text().splitlines() if "streams.system.outage" in line]

    with kafka_cluster(tmp_path / "kafka") as servers:
        settings = Settings(bootstrap_servers=bootstrap_servers(servers))
        create(settings)
        environment = os.environ | {"EDGEWISE_BOOTSTRAP_SERVERS": settings.bootstrap_servers}
        processes = {}
        try:
            for name, arguments in COMMANDS.items():
                with logs[name].open("wb") as errors, events.open("ab") as out:
                    processes[name] = subprocess.Popen(
                        [sys.executable, "-m", "streams.cli", *arguments],
                        cwd=REPOSITORY, env=environment, stdout=out, stderr=errors,
                    )  # fmt: skip
            wait_until(lambda: b"is up" in logs["worker"].read_bytes(), "the worker is up")
            wait_until(lambda: b"_offset" in events.read_bytes(), "an event comes through")
            servers[0].kill()
            wait_until(lambda: all(map(of_outage, COMMANDS)), "each process says that the broker is away")
            time.sleep(AWAY_S)
            servers[0].start()
            wait_until(lambda: all(len(of_outage(name)) >= 2 for name in COMMANDS), "each says that it is back")
            before = events.read_bytes().count(b"\n")
            wait_until(lambda: events.read_bytes().count(b"\n") > before, "events go on")
            assert {name: process.poll() for name, process in processes.items()} == dict.fromkeys(COMMANDS)
        finally:
            for process in processes.values():
                process.send_signal(signal.SIGINT)
            for process in processes.values():
                process.wait(60)
    for name, log in logs.items():
        away, back = of_outage(name)
        assert re.search("ERROR .* does not answer", away)
        assert re.search(r"WARNING .* is back after \d+ s; [\d,]+ lines of the clients were left out", back)
        lines = log.read_text().splitlines()
        outage = lines[lines.index(away) : lines.index(back) + 1]
        progress = [line for line in outage if re.fullmatch(r"[\d,]+ of [\d,]+ events", line)]
        assert len(outage) - len(progress) <= 5, outage
