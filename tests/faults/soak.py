"""A line for a long time, under load, with a worker killed now and then: what grows that must not?

    python -m tests.faults.soak --minutes 25 --rate 700 --tiny

It starts a real Kafka (Java 17 and KAFKA_HOME) and two workers an agent. The workers of slot 1 are killed (-9), in
turns, those of slot 0 never: of these it prints how memory, open files and threads went, of the results how their
latency went, by tenths of the run, and what `edgewise verify` finds. Exit code 0 only when that holds, no worker ended
by itself, and neither files nor threads grow. A million events take about 1 GB of memory here.
"""

import argparse
import logging
import random
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from streams.agents.topology import VERIFIED_AGENTS as AGENTS
from streams.config.settings import Settings
from streams.operate.topics import create
from streams.verify.drain import wait_until_drained
from streams.verify.read_line import verify
from streams.verify.verdict import Verdict
from tests.faults.clusters import HEAP
from tests.faults.growth import Slope, grows, slope
from tests.faults.line import SLOTS, Exit, Line
from tests.faults.load import Load
from tests.faults.proc import Taken, taken
from tests.faults.watch import Watch
from tests.kafka.kafka_server import bootstrap_servers, kafka_cluster
from tests.tiny_artifact import tiny_artifact

STEADY, KILLED = SLOTS

# While a worker warms up it takes memory that it keeps: of a run, so much is left out of the slopes.
WARM_UP = 0.2
# Enough for slopes; a sample of three workers takes a millisecond or two.
SAMPLES = 300
LONGEST_PAUSE_S = 5.0
STRETCHES = 10
DRAIN_S = 600.0

Sampled = list[tuple[float, Taken]]
"""What a worker took, and when, in seconds since the load began."""

console = Console()


class Plan(NamedTuple):
    """How long, at which rate in events a second, a kill in so many seconds on average."""

    seconds: float
    rate: float
    kill_every_s: float
    seed: int


class Worker(NamedTuple):
    """How a worker went that was never killed, its warm-up left out but for `resident_mib`."""

    resident_mib: Sequence[float]
    """The median of each stretch: steps look like a slope, but do not go on."""
    memory: Slope
    first: Taken
    last: Taken
    growing: tuple[str, ...]
    """Of `files` and `threads` those that grow."""


class Latency(NamedTuple):
    """From an event's handing to the producer to its result's reaching a consumer, in ms; times since the beginning."""

    from_s: float
    to_s: float
    events: int
    p50_ms: float
    p99_ms: float


class Report(NamedTuple):
    """What came of a soak."""

    verdict: Verdict
    lost: int
    """By the consumer downstream, which knows nothing of the verifier; the same for `duplicated`."""
    duplicated: int
    workers: Mapping[str, Worker]
    latency: Sequence[Latency]
    kills: int
    exits: Sequence[Exit]

    @property
    def holds(self) -> bool:
        """Nothing lost, nothing twice, nothing leaked, and nobody died who was not killed."""
        grew = any(worker.growing for worker in self.workers.values())
        return self.verdict.holds and not (self.lost or self.duplicated or grew or self.exits)


class Sampler:
    """Takes samples of the line's steady workers in a thread, while its block runs."""

    def __init__(self, line: Line, pause_s: float) -> None:
        self.samples: dict[str, Sampled] = {f"{agent}-{STEADY}": [] for agent in AGENTS}
        self._pids = {f"{agent}-{STEADY}": line.pid(agent, STEADY) for agent in AGENTS}
        self._pause_s = pause_s
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        begun = time.monotonic()
        while not self._ending.wait(self._pause_s):
            for worker, pid in self._pids.items():
                if (now := taken(pid)) is not None:
                    self.samples[worker].append((time.monotonic() - begun, now))


def soak(settings: Settings, line: Line, plan: Plan) -> Report:
    """Load the running `line` as `plan` says, kill its workers of slot 1 now and then, drain and judge.

    Raises RuntimeError: a worker does not come up, or results do not come any more.
    """
    rng = random.Random(plan.seed)
    for agent in AGENTS:
        for slot in SLOTS:
            line.wait_until_up(agent, slot)
    kills = 0
    with Load(settings, plan.rate) as load, Watch(settings, wait_s=0.01) as watch:
        load.start()
        begun = time.monotonic()
        with Sampler(line, min(plan.seconds / SAMPLES, LONGEST_PAUSE_S)) as sampler:
            while (pause_s := min(_left(begun, plan), plan.kill_every_s * rng.uniform(0.5, 1.5))) > 0:
                time.sleep(pause_s)
                if _left(begun, plan) > 0:
                    agent = AGENTS[kills % len(AGENTS)]
                    ups = line.ups(agent, KILLED)
                    line.kill(agent, KILLED)
                    line.start(agent, KILLED)
                    line.wait_until_up(agent, KILLED, ups + 1)
                    watch.wait_for(int(plan.rate))
                    kills += 1
        load.stop()
        wait_until_drained(settings, DRAIN_S)
        lost = _never_seen(load, watch)
    return Report(
        verdict=verify(settings),
        lost=lost,
        duplicated=sum(watch.times.values()) - len(watch.times),
        workers={name: _went(samples) for name, samples in sampler.samples.items()},
        latency=_latency(load.sent, watch.seen),
        kills=kills,
        exits=line.exits,
    )


def _left(begun: float, plan: Plan) -> float:
    return begun + plan.seconds - time.monotonic()


def _never_seen(load: Load, watch: Watch) -> int:
    """How many events have no result, once all that were committed could have been read."""
    try:
        watch.wait_for_all(set(load.sent))
    except RuntimeError:
        watch.count()  # raises if that was because a result could not be read
    return len(load.sent.keys() - watch.seen.keys())


def _went(samples: Sampled) -> Worker:
    warm = samples[int(len(samples) * WARM_UP) :]
    times = [when for when, _ in warm]
    counts = {"files": [now.files for _, now in warm], "threads": [now.threads for _, now in warm]}
    stretches = np.array_split([now.resident_mib for _, now in samples], STRETCHES)
    return Worker(
        resident_mib=[float(np.median(stretch)) for stretch in stretches],
        memory=slope(times, [now.resident_mib for _, now in warm]),
        first=warm[0][1],
        last=warm[-1][1],
        growing=tuple(name for name, values in counts.items() if grows(values)),
    )


def _latency(sent: Mapping[str, float], seen: Mapping[str, float]) -> list[Latency]:
    """By stretches of the run; an event belongs to that in which it was sent."""
    answered = np.array([(when, seen[each] - when) for each, when in sent.items() if each in seen])
    begun = answered[0, 0]
    ends = np.linspace(begun, answered[-1, 0], STRETCHES + 1)
    stretches = []
    for i in range(STRETCHES):
        inside = (answered[:, 0] >= ends[i]) & (answered[:, 0] <= ends[i + 1])
        stretches.append(_percentiles(answered[inside], ends[i] - begun, ends[i + 1] - begun))
    return stretches


def _percentiles(answered: NDArray[np.float64], from_s: float, to_s: float) -> Latency:
    p50, p99 = np.percentile(answered[:, 1] * 1000, (50, 99)) if len(answered) else (np.nan, np.nan)
    return Latency(from_s, to_s, len(answered), float(p50), float(p99))


def drift(stretches: Sequence[Latency]) -> tuple[float, float]:
    """By how many ms p50 and p99 went up from the first third of the run to the last: medians of their stretches."""
    third = len(stretches) // 3
    first, last = stretches[:third], stretches[-third:]
    return (
        float(np.median([each.p50_ms for each in last]) - np.median([each.p50_ms for each in first])),
        float(np.median([each.p99_ms for each in last]) - np.median([each.p99_ms for each in first])),
    )


def show(report: Report, plan: Plan) -> None:
    """Print it."""
    workers = Table("worker", "resident, MiB", "MiB an hour (95 %)", "open files", "threads", "grows")
    for name, each in report.workers.items():
        first, last, memory = each.first, each.last, each.memory
        workers.add_row(
            name,
            f"{first.resident_mib:.1f} -> {last.resident_mib:.1f}",
            f"{memory.an_hour:+.1f} ({memory.low:+.1f} to {memory.high:+.1f})",
            f"{first.files} -> {last.files} ({last.files - first.files:+d})",
            f"{first.threads} -> {last.threads} ({last.threads - first.threads:+d})",
            ", ".join(each.growing) or "no",
        )
    console.print(workers)
    stretches = Table("minutes", "events", "p50, ms", "p99, ms", *(f"{name}, MiB" for name in report.workers))
    residents = zip(*(worker.resident_mib for worker in report.workers.values()), strict=True)
    for stretch, resident in zip(report.latency, residents, strict=True):
        minutes = f"{stretch.from_s / 60:.1f} to {stretch.to_s / 60:.1f}"
        latency = (f"{stretch.p50_ms:.0f}", f"{stretch.p99_ms:.0f}")
        stretches.add_row(minutes, f"{stretch.events:,}", *latency, *(f"{mib:.1f}" for mib in resident))
    console.print(stretches)
    p50, p99 = drift(report.latency)
    console.print(f"Latency, first third to last: p50 {p50:+.0f} ms, p99 {p99:+.0f} ms.")
    verdict = report.verdict
    faults = ", ".join(f"{fault.count:,} {name.replace('_', ' ')}" for name, fault in verdict.faults.items())
    console.print(
        f"{verdict.events:,} events in {plan.seconds / 60:g} minutes, {report.kills} kills, seed {plan.seed}. "
        f"edgewise verify: {'holds' if verdict.holds else 'DOES NOT HOLD'}: {faults}. "
        f"Downstream: {report.lost:,} lost, {report.duplicated:,} duplicated."
    )
    for left in report.exits:
        console.print(f"ended by itself: {left}", markup=False)


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--rate", type=float, default=200.0, help="events a second")
    parser.add_argument("--kill-every", type=float, default=60.0, metavar="SECONDS", help="on average")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tiny", action="store_true", help="tiny models instead of the real ones, for higher rates")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    plan = Plan(arguments.minutes * 60, arguments.rate, arguments.kill_every, arguments.seed)
    with tempfile.TemporaryDirectory() as name, kafka_cluster(Path(name) / "kafka", heap=HEAP) as servers:
        folder = Path(name)
        settings = Settings(bootstrap_servers=bootstrap_servers(servers), topic_prefix="soak.")
        if arguments.tiny:
            models = {f"{model}_model": str(tiny_artifact(folder, model)) for model in ("edge", "cloud")}
            settings = settings.model_copy(update=models)
        create(settings)
        with Line(settings, folder, restarts=True) as line:
            report = soak(settings, line, plan)
    show(report, plan)
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(main())
