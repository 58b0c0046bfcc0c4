"""This checkout's workers beside those of another checkout of Edgewise, in turns on one broker: ratios, pair by pair.

    git worktree add ../former 22b0491
    python -m benchmarks.beside ../former

The other checkout's workers are started with its code on the path and its own topics; broker, traffic and reader are
shared. Both run with the libraries of this environment, which must suit both. The machine should do nothing else.
Processor time counts from when a worker first serves its metrics, which a release may do earlier than another.
"""

import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.brokers import installation, running
from benchmarks.figure import quantile
from benchmarks.latency import QUIET_RATE, Probe
from benchmarks.line import EDGE_ALONE, MOST_EVENTS, run_line
from benchmarks.scale import Scale, parser, scale
from benchmarks.workers import REPOSITORY, working
from schemas.errors import EdgewiseError

# Of what is measured, what is better when it is less.
LOWER_IS_BETTER = ("ms", "µs")

# The shipped models take some 2,000 texts/s on one core: a run of the line then takes the time that `Scale` asks for.
EVENTS_PER_S = 1_500
LEAST_EVENTS = 24_000  # with fewer, everything is done before a steady state begins

Turn = Callable[[str, Path, Scale], Mapping[tuple[str, str], float]]


def edge_alone(servers: str, repository: Path, wanted: Scale) -> Mapping[tuple[str, str], float]:
    """The rate of the edge alone, and its processor time for an event."""
    run = run_line(servers, wanted, ["edge"], _events(wanted), EDGE_ALONE, repository)
    return {
        ("edge alone", "events/s"): run.rate,
        ("edge alone, processor time an event", "µs"): 1e6 * run.cpu,
    }


def whole_line(servers: str, repository: Path, wanted: Scale) -> Mapping[tuple[str, str], float]:
    """The rate of the whole line."""
    run = run_line(servers, wanted, ["edge", "cloud", "monitor"], _events(wanted) // 2, {}, repository)
    return {("whole line", "events/s"): run.rate}


def latency(servers: str, repository: Path, wanted: Scale) -> Mapping[tuple[str, str], float]:
    """Quantiles of the latency of the whole line at 200 events/s."""
    settings = installation(servers, edge_model=wanted.edge_model, cloud_model=wanted.cloud_model)
    with working(settings, ["edge", "cloud", "monitor"], repository) as processes:
        probe = Probe(settings, processes)
        try:
            probe.window(QUIET_RATE, wanted.warm_up_s / 3)
            routes = probe.window(QUIET_RATE, 2 * wanted.window_s)
        finally:
            probe.close()
    taken = [each for route in routes.values() for each in route]
    return {(f"p{100 * q:.0f} at {QUIET_RATE:.0f} events/s", "ms"): quantile(taken, q) for q in (0.5, 0.99)}


TURNS: Mapping[str, Turn] = {"edge": edge_alone, "line": whole_line, "latency": latency}


def main() -> int:
    """Prints the table; the exit code."""
    options = parser(__doc__)
    options.add_argument("other", type=Path, help="the other checkout's folder")
    options.add_argument("--pairs", type=int, default=5, help="how often the two are measured one after the other")
    options.add_argument("--only", choices=TURNS, action="append", help="only this; default: all")
    arguments = options.parse_args()
    wanted = scale(arguments)
    other: Path = arguments.other.resolve()
    logging.basicConfig(level=logging.ERROR)
    pairs: int = 1 if wanted.quick else arguments.pairs
    heading = f"ratio (over 1 is better), pairs: {pairs}"
    table = Table("measured", "broker", "this", "other", heading, "from", "to")
    for broker in wanted.brokers:
        with running(broker) as servers:
            for name in arguments.only or TURNS:
                _compare(table, TURNS[name], broker, servers, other, wanted, pairs)
    Console().print(table)
    return 0


def _events(wanted: Scale) -> int:
    return max(LEAST_EVENTS, min(int(EVENTS_PER_S * wanted.run_s), MOST_EVENTS))


def _compare(table: Table, turn: Turn, broker: str, servers: str, other: Path, wanted: Scale, times: int) -> None:
    pairs = []
    for number in range(times):
        places = (REPOSITORY, other) if number % 2 == 0 else (other, REPOSITORY)  # neither is always the first
        found = {place: turn(servers, place, wanted) for place in places}
        pairs.append((found[REPOSITORY], found[other]))
    for what, unit in pairs[0][0]:
        ours, theirs = ([side[what, unit] for side in sides] for sides in zip(*pairs, strict=True))
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        if unit in LOWER_IS_BETTER:
            ratios = [1 / ratio for ratio in ratios]
        shown = (f"{median(ours):,.1f} {unit}", f"{median(theirs):,.1f} {unit}")
        table.add_row(what, broker, *shown, *(f"{value:.2f}" for value in (median(ratios), min(ratios), max(ratios))))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EdgewiseError as error:
        sys.exit(str(error))
