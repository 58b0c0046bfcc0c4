"""Every fault, on real Kafka, as long and as often as one likes: `make faults`.

    python -m tests.faults --seeds 3 --seconds 60            all of them, on one broker and on three
    python -m tests.faults --record build/faults.jsonl       the same, going on with what was interrupted
    python -m tests.faults --only kill-under-load --brokers 3
    python -m tests.faults --list

After the table come the storms (`tests.faults.storm`): five of 5,000,000 events each, none where faults are chosen.

All are played with the first seed, then all with the next. Prints a table of what was injected and what became of
it, and with --write puts it into docs/faults.md. Exit code 0 only when every row holds.
"""

import argparse
import logging
import sys
import tempfile
import time
import traceback
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from benchmarks.machine import machine
from benchmarks.readme import replaced
from tests.faults import former
from tests.faults.clusters import cluster
from tests.faults.record import Failure, add, load
from tests.faults.scene import Fault, Outcome, play
from tests.faults.storm import EVENTS, SEEDS, storms
from tests.faults.suite import FAULTS
from tests.faults.table import as_markdown, as_table, rows
from tests.kafka.kafka_server import REPOSITORY

# Narrower, names and counts would be cut short; on a narrow terminal, or in a log, lines are rather long.
TABLE_WIDTH = 150

PAGE = REPOSITORY / "docs" / "faults.md"

console = Console()


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3, help="how many times each fault is played")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30.0, help="for how long faults are injected in each")
    parser.add_argument("--brokers", type=int, nargs="+", default=[1, 3], choices=(1, 3), help="sizes of clusters")
    parser.add_argument(
        "--group-protocol",
        choices=("classic", "consumer"),
        help="of the workers' groups, where a fault does not say; consumer: KIP-848. Give it a record of its own",
    )
    parser.add_argument("--only", nargs="+", metavar="FAULT", choices=[fault.name for fault in FAULTS])
    parser.add_argument("--list", action="store_true", help="print what each fault is, and which break it finds")
    parser.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="add what is played to this file, and do not play again what is in it; the table is of all of it",
    )
    parser.add_argument("--events", type=int, default=EVENTS, help="of each storm that follows; 0: no storm")
    parser.add_argument("--write", action="store_true", help="put the table into docs/faults.md")
    arguments = parser.parse_args()
    chosen = _chosen(arguments.only, arguments.group_protocol)
    if arguments.list:
        for fault in chosen:
            console.print(f"[bold]{fault.number}. {fault.name}[/bold]\n    {fault.play.__doc__}")
        return 0
    logging.basicConfig(level=logging.ERROR)
    record: Path | None = arguments.record
    played = load(record) if record else []
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    before = {(each.fault, each.brokers, each.seed) for each in played}
    for brokers in arguments.brokers:
        due = [
            (fault, seed)
            for seed in seeds
            for fault in chosen
            if brokers in fault.brokers and (fault.name, brokers, seed) not in before
        ]
        for outcome in _played(due, brokers, arguments.seconds):
            played.append(outcome)
            if record:
                add(record, outcome)
    outcomes = [each for each in played if isinstance(each, Outcome)]
    failures = [each for each in played if isinstance(each, Failure)]
    found = rows(outcomes)
    Console(width=max(console.width, TABLE_WIDTH)).print(as_table(found))
    for failure in failures:
        console.print(f"failed: {failure}", style="red", markup=False)
    if arguments.write:
        block = as_markdown(found, seconds=arguments.seconds, machine=machine())
        if failures:
            block += "\n\nFailed:\n\n" + "\n".join(f"- {failure}" for failure in failures)
        PAGE.write_text(replaced(PAGE.read_text("utf-8"), "faults", block), "utf-8")
    held = not failures and all(outcome.holds for outcome in outcomes)
    if arguments.events and not arguments.only:
        held &= storms(range(arguments.first_seed, arguments.first_seed + SEEDS), arguments.events)
    return 0 if held else 1


def _chosen(names: Collection[str] | None, group_protocol: str | None) -> list[Fault]:
    """The faults of these names, all where none are given, with groups of that protocol.

    By KIP-848 neither what is played beside the former version, which knows classic groups alone, nor again what is
    played by it anyway.
    """
    by = {"group_protocol": group_protocol} if group_protocol else {}
    others = [fault for fault in FAULTS if fault in former.FAULTS or "group_protocol" in fault.settings]
    known = [fault for fault in FAULTS if group_protocol != "consumer" or fault not in others]
    named = [fault for fault in known if not names or fault.name in names]
    return [replace(fault, settings={**by, **fault.settings}) for fault in named]


def _played(due: list[tuple[Fault, int]], brokers: int, seconds: float) -> Iterable[Outcome | Failure]:
    """What becomes of these faults and seeds, on a cluster of so many brokers."""
    if not due:
        return
    with tempfile.TemporaryDirectory() as name, cluster(Path(name) / "kafka", brokers) as kafka:
        for fault, seed in due:
            begun = time.monotonic()
            folder = Path(name) / f"{fault.name}-{seed}"
            try:
                played: Outcome | Failure = play(fault, kafka, folder, seed=seed, seconds=seconds)
            except Exception as error:  # noqa: BLE001 - one fault's failure is no reason not to play the next
                played = Failure(fault.name, brokers, seed, str(error))
                console.print(traceback.format_exc(), markup=False)
            console.print(f"{played} ({time.monotonic() - begun:.0f} s)", markup=False)
            yield played
            kafka.mend()


if __name__ == "__main__":
    sys.exit(main())
