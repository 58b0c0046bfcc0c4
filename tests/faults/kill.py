"""A line under load whose workers are killed: what the tests run small, and anybody can run large.

    python -m tests.faults.kill --events 200000 --kills 5 --rate 2500 --agents edge --tiny

It starts a real Kafka (Java and KAFKA_HOME), two workers an agent, feeds `samples/` over and over under new ids, kills
one worker (-9) so many times while events flow, lets the line drain and prints what `edgewise verify` finds.
"""

import argparse
import csv
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import Producer

from schemas.codec import Codec
from schemas.records import TranscriptEvent
from schemas.topics import SENTIMENT, TRANSCRIPTS
from streams.ledger import Verdict
from streams.processes import die_with_parent
from streams.reader import watermarks
from streams.settings import Settings
from streams.topics_admin import create
from streams.verify import verify, wait_until_drained
from tests.kafka.kafka_server import REPOSITORY, bootstrap_servers, kafka_cluster
from tests.unit.tiny_artifact import tiny_artifact

AGENTS = ("edge", "cloud", "monitor")
SLOTS = (0, 1)
DRAIN_S = 600.0


class Line:
    """Workers as processes: for each agent one in each slot, which names its worker id."""

    def __init__(self, settings: Settings, folder: Path, slots: tuple[int, ...] = SLOTS) -> None:
        self._settings = settings
        self._folder = folder
        self._slots = slots
        self._workers: dict[tuple[str, int], subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        for agent in AGENTS:
            for slot in self._slots:
                self.start(agent, slot)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for worker in self._workers.values():
            worker.kill()
            worker.wait()

    def start(self, agent: str, slot: int) -> None:
        """Start the worker of a slot; its log goes to the folder."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EDGEWISE_")}
        changed = self._settings.model_dump(exclude_defaults=True, exclude={"worker_id"})
        environment |= {f"EDGEWISE_{name.upper()}": str(value) for name, value in changed.items()}
        environment |= {"EDGEWISE_WORKER_ID": f"slot-{slot}", "EDGEWISE_LOG_LEVEL": "info"}
        with (self._folder / f"{agent}-{slot}.log").open("ab") as log:
            self._workers[agent, slot] = subprocess.Popen(
                [sys.executable, "-m", "streams.cli", "worker", agent],
                cwd=REPOSITORY,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(),  # noqa: PLW1509
            )

    def kill(self, agent: str, slot: int) -> None:
        """Kill a worker (-9)."""
        self._workers[agent, slot].kill()
        self._workers[agent, slot].wait()

    def stop(self, agent: str, slot: int, number: signal.Signals) -> int:
        """Send a worker a signal and wait for its end; the exit code."""
        self._workers[agent, slot].send_signal(number)
        return self._workers[agent, slot].wait(60)

    def wait_until_up(self, agent: str, slot: int, starts: int) -> None:
        """Waits until the worker's log says for the time number `starts` that it is up."""
        deadline = time.monotonic() + 90
        while self.log(agent, slot).count("is up") < starts:
            if time.monotonic() > deadline or self._workers[agent, slot].poll() is not None:
                raise RuntimeError(f"{agent}-{slot} did not come up: {self.log(agent, slot)[-500:]}")
            time.sleep(0.05)

    def log(self, agent: str, slot: int) -> str:
        """What the workers of a slot have logged."""
        return (self._folder / f"{agent}-{slot}.log").read_text()

    def ended(self) -> list[str]:
        """The workers that ended by themselves, each with the last line of its log."""
        return [
            f"{agent}-{slot}: {self.log(agent, slot).splitlines()[-1:]}"
            for (agent, slot), worker in self._workers.items()
            if worker.poll() is not None
        ]


def events(count: int) -> Iterator[TranscriptEvent]:
    """Real texts under ids and conversations of their own; conversations of ten turns, a hundred at a time."""
    with (REPOSITORY / "samples" / "airline.csv").open(newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    for number, text in zip(range(count), cycle(texts), strict=False):
        block, place = divmod(number, 1000)
        yield TranscriptEvent(
            event_id=f"event-{number}",
            conversation_id=f"conversation-{block * 100 + place % 100}",
            turn=place // 100,
            text=text,
            occurred_at=1_700_000_000_000 + number,
        )


class Feed:
    """Puts events into `transcripts`, a stretch at a time, at a rate."""

    def __init__(self, settings: Settings, count: int, rate: float) -> None:
        self._topic = settings.topic(TRANSCRIPTS)
        self._events = enumerate(events(count))
        self._rate = rate
        self._codec: Codec[TranscriptEvent] = Codec(TRANSCRIPTS)
        self._begun = time.monotonic()
        self._producer = Producer(
            {"bootstrap.servers": settings.bootstrap_servers, "enable.idempotence": True, "linger.ms": 20}
        )

    def send(self, count: int) -> None:
        """The next `count` events, or what is left."""
        for _, (number, event) in zip(range(count), self._events, strict=False):
            ahead = self._begun + number / self._rate - time.monotonic()
            if ahead > 0.01:
                self._producer.poll(ahead)
            self._producer.produce(self._topic, self._codec.encode(event), event.conversation_id.encode())
        left = self._producer.flush(60)
        if left:
            raise RuntimeError(f"the broker did not take {left} events")


def run_with_kills(
    settings: Settings,
    folder: Path,
    *,
    count: int,
    kills: int,
    rate: float,
    seed: int,
    agents: tuple[str, ...] = AGENTS,
) -> Verdict:
    """Feeds `count` events at `rate` a second, kills a worker of `agents` `kills` times meanwhile, drains, and judges.

    Between two kills results must have come: a line that stood still would prove nothing.
    """
    chooser = random.Random(seed)
    create(settings)
    feed = Feed(settings, count, rate)
    with Line(settings, folder) as line:
        stretch = count // (kills + 1)
        for kill in range(kills):
            before = results(settings)
            feed.send(stretch)
            wait_for_results(settings, line, before + 1)
            agent, slot = agents[kill % len(agents)], chooser.choice(SLOTS)
            line.kill(agent, slot)
            line.start(agent, slot)
        feed.send(count)
        wait_until_drained(settings, DRAIN_S)
        if ended := line.ended():
            raise RuntimeError(f"workers ended by themselves: {ended}")
    return verify(settings)


def results(settings: Settings) -> int:
    """Records on `sentiment`, control records included."""
    return sum(mark.high for mark in watermarks(settings, SENTIMENT).values())


def wait_for_results(settings: Settings, line: Line, wanted: int, timeout_s: float = 90.0) -> None:
    """Waits until there are as many. Raises RuntimeError when they don't come."""
    deadline = time.monotonic() + timeout_s
    while results(settings) < wanted:
        if time.monotonic() > deadline:
            raise RuntimeError(f"no results within {timeout_s:g} s; workers that ended: {line.ended()}")
        time.sleep(0.1)


def main() -> int:
    """The command line; exit code 0 only when everything held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--rate", type=float, default=1000.0, help="events a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--agents", nargs="+", default=list(AGENTS), choices=AGENTS, help="whose workers are killed")
    parser.add_argument("--tiny", action="store_true", help="with the tests' models, so that delivery is the load")
    arguments = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name, kafka_cluster(Path(name) / "kafka") as servers:
        models = {
            f"{model}_model": str(tiny_artifact(Path(name), model)) for model in ("edge", "cloud") if arguments.tiny
        }
        verdict = run_with_kills(
            Settings(bootstrap_servers=bootstrap_servers(servers)).model_copy(update=models),
            Path(name),
            count=arguments.events,
            kills=arguments.kills,
            rate=arguments.rate,
            seed=arguments.seed,
            agents=tuple(arguments.agents),
        )
    sys.stdout.write(
        f"seed {arguments.seed}: {verdict.events:,} events, {arguments.kills} kills, {verdict.results:,} results, "
        f"{time.monotonic() - begun:.0f} s\n"
    )
    for kind, fault in verdict.faults.items():
        sys.stdout.write(f"{kind}: {fault.count} {fault.first}\n")
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    sys.exit(main())
