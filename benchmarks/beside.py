"""This checkout's workers beside those of another checkout of Edgewise, in turns on one broker: ratios, pair by pair.

    git worktree add ../former 22b0491
    python -m benchmarks.beside ../former --python ../former/.venv/bin/python --redaction off

The other checkout's workers are started with its code on the path, by the interpreter given, and with topics of its
own; broker, traffic and reader are shared. Events are written with the schemas that the other one knows. The machine
should do nothing else.

- *alone*: the edge by itself over a backlog, and its rate over the bare classifier's.
- *line*: the whole line over a backlog.
- *quiet*: latencies of the whole line at 200 events/s, and its workers' processor time for an event.
- *busy*: the same latencies with a loop that spins on each core.
- *start*: from a worker's start to its first result.
- *kill*: of two edge workers one is killed, and not started again: how long a reader waits for an event at most.
"""

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from os import cpu_count
from pathlib import Path
from statistics import median
from time import perf_counter
from types import MappingProxyType
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.bare import texts_per_second
from benchmarks.brokers import installation, results_reader, running
from benchmarks.figure import VoidError, quantile
from benchmarks.killed import longest_wait
from benchmarks.latency import QUIET_RATE, Probe
from benchmarks.line import BARE_S, EDGE_ALONE, MOST_EVENTS, run_line
from benchmarks.scale import Scale, parser, scale
from benchmarks.traffic import Encode, preload
from benchmarks.workers import REPOSITORY, cpu_seconds, working
from schemas import released
from schemas.codec import Codec
from schemas.errors import EdgewiseError
from schemas.topics import TRANSCRIPTS
from streams.system.processes import die_with_parent

# Of what is measured, what is better when it is less.
LOWER_IS_BETTER = ("ms", "µs", "s")

# The shipped models take some 2,000 texts/s on one core: a run of the line then takes the time that `Scale` asks for.
EVENTS_PER_S = 1_500
LEAST_EVENTS = 24_000  # with fewer, everything is done before a steady state begins

START_TIMEOUT_S = 60.0
AGENTS = ("edge", "cloud", "monitor")

Found = Mapping[tuple[str, str], float]


class Side(NamedTuple):
    """One of the two: where its code is, what runs it, and how events are written for both."""

    repository: Path
    python: str
    encode: Encode
    settings: tuple[tuple[str, str], ...] = ()  # of this one alone


def alone(servers: str, side: Side, wanted: Scale) -> Found:
    """The rate of the edge alone, by itself and over the bare classifier's, and its processor time for an event."""
    bare = texts_per_second(wanted.edge_model, min(BARE_S, wanted.run_s))
    run = run_line(servers, wanted, ["edge"], _events(wanted), _settings(side, EDGE_ALONE), *side[:3])
    return {
        ("edge alone", "events/s"): run.rate,
        ("edge alone / bare classifier", ""): run.rate / bare,
        ("edge alone, processor time an event", "µs"): 1e6 * run.cpu,
    }


def line(servers: str, side: Side, wanted: Scale) -> Found:
    """The rate of the whole line."""
    run = run_line(servers, wanted, [*AGENTS], _events(wanted) // 2, _settings(side), *side[:3])
    return {("whole line", "events/s"): run.rate}


def quiet(servers: str, side: Side, wanted: Scale) -> Found:
    """Latencies of the whole line, and the processor time of its workers for an event."""
    return _latency(servers, side, wanted, "quiet")


def busy(servers: str, side: Side, wanted: Scale) -> Found:
    """Latencies of the whole line with a loop that spins on each core."""
    with _spinning():
        return _latency(servers, side, wanted, "busy")


def start(servers: str, side: Side, wanted: Scale) -> Found:
    """The time from an edge worker's start to its first result, while an event waits."""
    settings = installation(servers, edge_model=wanted.edge_model, **_settings(side, EDGE_ALONE))
    preload(settings, 1, side.encode)
    consumer = results_reader(settings)
    try:
        consumer.poll(1.0)  # it is connected and waits by the time the worker starts
        begun = perf_counter()
        with working(settings, ["edge"], side.repository, side.python) as processes:
            while True:
                message = consumer.poll(0.05)
                seconds = perf_counter() - begun
                if message is not None and message.error() is None:
                    return {("start to first result", "s"): seconds}
                processes["edge"].check()
                if seconds > START_TIMEOUT_S:
                    raise VoidError(f"no result within {START_TIMEOUT_S:g} s of the worker's start")
    finally:
        consumer.close()


def kill(servers: str, side: Side, wanted: Scale) -> Found:
    """How long a reader waits at most when one of two edge workers is killed and stays down."""
    return {("longest wait after a kill -9", "s"): longest_wait(servers, wanted, *side[:3])}


TURNS: Mapping[str, Callable[[str, Side, Scale], Found]] = {
    "alone": alone, "line": line, "quiet": quiet, "busy": busy, "start": start, "kill": kill,
}  # fmt: skip


def main() -> int:
    """Prints the table; the exit code."""
    options = parser(__doc__)
    options.add_argument("other", type=Path, help="the other checkout's folder")
    options.add_argument("--python", default=sys.executable, help="the interpreter of the other's workers")
    options.add_argument(
        "--redaction", default="rules", help="what this checkout redacts by; `off` where the other has none"
    )
    options.add_argument("--pairs", type=int, default=5, help="how often the two are measured one after the other")
    options.add_argument("--only", choices=TURNS, action="append", help="only this; default: all")
    arguments = options.parse_args()
    wanted = scale(arguments)
    other: Path = arguments.other.resolve()
    python = str(Path(arguments.python).absolute())
    logging.basicConfig(level=logging.ERROR)
    pairs: int = 1 if wanted.quick else arguments.pairs
    encode = _encoder_of(other)
    ours = Side(REPOSITORY, sys.executable, encode, (("redaction", arguments.redaction),))
    sides = (ours, Side(other, python, encode))
    heading = f"ratio (over 1 is better), pairs: {pairs}"
    table = Table("measured", "broker", "this", "other", heading, "from", "to")
    for broker in wanted.brokers:
        with running(broker) as servers:
            for name in arguments.only or TURNS:
                _compare(table, partial(TURNS[name], servers), broker, sides, wanted, pairs)
    Console().print(table)
    return 0


def _events(wanted: Scale) -> int:
    return max(LEAST_EVENTS, min(int(EVENTS_PER_S * wanted.run_s), MOST_EVENTS))


def _settings(side: Side, more: Mapping[str, float] = MappingProxyType({})) -> dict[str, Any]:
    return {**more, **dict(side.settings)}


def _encoder_of(other: Path) -> Encode:
    """What writes events with the newest schema of the other checkout."""
    ours, released.AVRO_FOLDER = released.AVRO_FOLDER, other / "schemas" / "avro"
    try:
        return Codec(TRANSCRIPTS).encode
    finally:
        released.AVRO_FOLDER = ours


def _latency(servers: str, side: Side, wanted: Scale, how: str) -> Found:
    settings = installation(servers, edge_model=wanted.edge_model, cloud_model=wanted.cloud_model, **_settings(side))
    with working(settings, AGENTS, side.repository, side.python) as processes:
        probe = Probe(settings, processes, encode=side.encode)
        try:
            probe.window(QUIET_RATE, wanted.warm_up_s / 3)
            before = sum(cpu_seconds(process.popen.pid) for process in processes.values())
            routes = probe.window(QUIET_RATE, 2 * wanted.window_s)
            spent = sum(cpu_seconds(process.popen.pid) for process in processes.values()) - before
        finally:
            probe.close()
    taken = sum(map(len, routes.values()))
    found = {
        (f"{how}: {route}'s answers, p{100 * q:.0f}", "ms"): quantile(routes[route], q)
        for route in ("edge", "cloud")
        for q in (0.5, 0.99)
        if routes[route]
    }
    return {**found, (f"{how}: processor time of the workers an event", "ms"): 1e3 * spent / taken}


@contextmanager
def _spinning() -> Iterator[None]:
    command = [sys.executable, "-c", "while True: pass"]
    loops = [
        subprocess.Popen(command, preexec_fn=die_with_parent())  # noqa: PLW1509 - calls the C library only
        for _ in range(cpu_count() or 1)
    ]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def _compare(
    table: Table,
    turn: Callable[[Side, Scale], Found],
    broker: str,
    sides: tuple[Side, Side],
    wanted: Scale,
    times: int,
) -> None:
    pairs = []
    for number in range(times):
        order = sides if number % 2 == 0 else sides[::-1]  # neither is always the first
        found = {side: turn(side, wanted) for side in order}
        pairs.append((found[sides[0]], found[sides[1]]))
    for what, unit in pairs[0][0]:
        ours, theirs = ([side[what, unit] for side in each] for each in zip(*pairs, strict=True))
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        if unit in LOWER_IS_BETTER:
            ratios = [1 / ratio for ratio in ratios]
        shown = (f"{median(ours):,.2f} {unit}", f"{median(theirs):,.2f} {unit}")
        table.add_row(what, broker, *shown, *(f"{value:.2f}" for value in (median(ratios), min(ratios), max(ratios))))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EdgewiseError as error:
        sys.exit(str(error))
