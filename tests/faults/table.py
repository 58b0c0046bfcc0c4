"""The table of what faults cost: each fault's worst over its seeds, for the terminal and for docs/faults.md."""

from collections.abc import Iterable, Mapping, Sequence

from rich.table import Table

from tests.faults.scene import Outcome

HEADINGS = (
    "fault",
    "brokers",
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


def worst(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """One row for each fault and size of cluster: counts added up over its seeds, of times the longest; `seed` is 0."""
    groups: dict[tuple[int, str, int], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.number, outcome.fault, outcome.brokers), []).append(outcome)
    return [
        Outcome(
            number=number,
            fault=fault,
            brokers=brokers,
            seed=0,
            injected=sum(each.injected for each in group),
            events=sum(each.events for each in group),
            lost=sum(each.lost for each in group),
            duplicated=sum(each.duplicated for each in group),
            out_of_order=sum(each.out_of_order for each in group),
            other=sum(each.other for each in group),
            dead_letters=sum(each.dead_letters for each in group),
            longest_stop_s=max(each.longest_stop_s for each in group),
            recovery_s=max(each.recovery_s for each in group),
        )
        for (number, fault, brokers), group in sorted(groups.items())
    ]


def cells(row: Outcome) -> list[str]:
    """A row's texts, in the order of `HEADINGS`."""
    counts = (row.injected, row.events, row.lost, row.duplicated, row.out_of_order, row.other, row.dead_letters)
    times = (row.longest_stop_s, row.recovery_s)
    return [
        f"{row.number}. {row.fault}",
        str(row.brokers),
        *(f"{count:,}" for count in counts),
        *(f"{seconds:.1f}" for seconds in times),
    ]


def as_table(rows: Sequence[Outcome]) -> Table:
    """The table for a terminal; a row that does not hold is red."""
    table = Table(*HEADINGS)
    for row in rows:
        table.add_row(*cells(row), style=None if row.holds else "red")
    return table


def as_markdown(rows: Sequence[Outcome], *, seeds: int, seconds: float, machine: Mapping[str, str]) -> str:
    """The table for the page, and how it was taken."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "|---" * 2 + "|--:" * (len(HEADINGS) - 2) + "|"]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in rows]
    taken = "; ".join(f"{name}: {value}" for name, value in machine.items())
    how = f"{seeds} seeds each, faults injected for {seconds:g} s in each; counts are added up, times are the longest."
    return "\n".join([*lines, "", f"{how} Taken on: {taken}."])
