"""All measurements, or those that are named: tables on the terminal, and results/latest.json after a full run."""

import logging
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from rich.console import Console

from benchmarks import delivery, latency, line, steps, transaction, worker_cost
from benchmarks.figure import Figure
from benchmarks.machine import machine
from benchmarks.results import LATEST, Results, load, save
from benchmarks.scale import Scale, parser, scale
from benchmarks.table import show
from schemas.errors import EdgewiseError


def main() -> int:
    """The exit code: 0 when every measurement counts."""
    options = parser(__doc__)
    options.add_argument(
        "names", nargs="*", metavar="NAME", help="line, steps, latency, transaction, worker_cost, delivery; none: all"
    )
    arguments = options.parse_args()
    wanted = scale(arguments)
    logging.basicConfig(level=logging.ERROR)
    results = Results(machine(), datetime.now(UTC).date().isoformat())

    def latencies(wanted: Scale) -> list[Figure]:
        measured = results.figures.get("line") or (load().figures.get("line", ()) if LATEST.exists() else ())
        return latency.measure(wanted, {broker: line.whole_line_rate(measured, broker) for broker in wanted.brokers})

    measurements: dict[str, tuple[str, Callable[[Scale], Sequence[Figure]]]] = {
        "line": (line.TITLE, line.measure),
        "steps": (steps.TITLE, steps.measure),
        "latency": (latency.TITLE, latencies),
        "transaction": (transaction.TITLE, transaction.measure),
        "worker_cost": (worker_cost.TITLE, worker_cost.measure),
        "delivery": (delivery.TITLE, delivery.measure),
    }
    if unknown := set(arguments.names) - set(measurements):
        options.error(f"there is no measurement {min(unknown)!r}: it is one of {', '.join(measurements)}")
    Console().print("\n".join(f"{heading}: {words}" for heading, words in results.machine.items()), highlight=False)
    failed = False
    for name in arguments.names or measurements:
        title, measure = measurements[name]
        try:
            results.figures[name] = measure(wanted)
        except EdgewiseError as error:
            failed = True
            print(f"{title}: {error}", file=sys.stderr)
        else:
            show(title, results.figures[name])
    if not wanted.quick:
        save(results)
        print(f"written to {LATEST.parent.parent.name}/{LATEST.parent.name}/{LATEST.name}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
