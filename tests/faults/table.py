"""The table of what faults cost: each fault over its seeds, for the terminal and for docs/faults.md."""

from collections.abc import Iterable, Mapping, Sequence

from rich.table import Table

from tests.faults.scene import Outcome

HEADINGS = (
    "fault",
    "brokers",
    "seeds",
    "injected",
    "events",
    "lost",
    "duplicated",
    "out of order",
    "other faults",
    "dead letters",
    "longest stop, s",
    "recovery, s",
)

COUNTS = ("injected", "events", "lost", "duplicated", "out_of_order", "other", "dead_letters")

Row = Sequence[Outcome]
"""Those of one fault on one size of cluster, for each seed one."""


def rows(outcomes: Iterable[Outcome]) -> list[Row]:
    """In the order of docs/faults.md."""
    found: dict[tuple[int, str, int], list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault((outcome.number, outcome.fault, outcome.brokers), []).append(outcome)
    return [row for _, row in sorted(found.items())]


def cells(row: Row) -> list[str]:
    """A row's texts, in the order of `HEADINGS`: counts added up, of times the longest."""
    first = row[0]
    counts = [sum(getattr(each, name) for each in row) for name in COUNTS]
    times = (max(each.longest_stop_s for each in row), max(each.recovery_s for each in row))
    return [
        f"{first.number}. {first.fault}",
        str(first.brokers),
        str(len(row)),
        *(f"{count:,}" for count in counts),
        *(f"{seconds:.1f}" for seconds in times),
    ]


def totals(found: Sequence[Row]) -> str:
    """What all rows have together, as a sentence's beginning."""
    played = [each for row in found for each in row]
    injected, events = (sum(getattr(each, name) for each in played) for name in ("injected", "events"))
    return f"{len(played):,} plays, {events:,} events, {injected:,} faults"


def as_table(found: Sequence[Row]) -> Table:
    """The table for a terminal; a row that does not hold is red."""
    table = Table(*HEADINGS, caption=totals(found))
    table.columns[0].no_wrap = True
    for row in found:
        table.add_row(*cells(row), style=None if all(each.holds for each in row) else "red")
    return table


def as_markdown(found: Sequence[Row], *, seconds: float, machine: Mapping[str, str]) -> str:
    """The table for the page, and how it was taken."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "|---" + "|--:" * (len(HEADINGS) - 1) + "|"]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in found]
    taken = "; ".join(f"{name}: {value}" for name, value in machine.items())
    how = f"{totals(found)}. Faults were injected for {seconds:g} s a seed; counts are added up, times are the longest."
    return "\n".join([*lines, "", f"{how} Taken on: {taken}."])
