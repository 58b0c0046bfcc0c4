"""Figures, tables and pictures as Markdown."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

ABSENT = "–"
"""Stands for a figure that was not measured."""

_NUMBER = re.compile(rf"-?\d|{ABSENT}$|-$")


def number(value: float | None, digits: int = 3) -> str:
    """`1,234.568`, or `ABSENT`."""
    return ABSENT if value is None else f"{value:,.{digits}f}"


def megabytes(count: float) -> str:
    """A number of bytes as `1.55 MB`: 10^6 bytes."""
    return f"{count / 1e6:.2f} MB"


def percent(share: float | None, digits: int = 1) -> str:
    """A share as `98.3 %`."""
    return ABSENT if share is None else f"{100 * share:.{digits}f} %"


def between(ends: Sequence[float | None] | None, digits: int = 3) -> str:
    """An interval as ` (0.824 to 0.862)`, with a space before it, or nothing; an end that is None is open."""
    if ends is None:
        return ""
    low, high = (number(end, digits) if end is not None else "unbounded" for end in ends)
    return f" ({low} to {high})"


def figure(figures: Mapping[str, Any], name: str, digits: int = 3) -> str:
    """The figure `name` with the interval that stands beside it as `NAME_interval`."""
    return number(figures.get(name), digits) + between(figures.get(f"{name}_interval"), digits)


def timing(measured: Mapping[str, Any] | None, digits: int = 2) -> str:
    """The median of repeated timings, with the least and the greatest."""
    if measured is None:
        return ABSENT
    return number(measured["value"], digits) + between(measured.get("spread"), digits)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; columns of numbers are right-aligned."""
    lines = [[cell.replace("|", "\\|") for cell in line] for line in (headings, *rows)]
    columns = list(zip(*lines[1:], strict=True)) or [() for _ in headings]
    rule = ["---:" if column and all(map(_NUMBER.match, column)) else "---" for column in columns]
    return "\n".join("| " + " | ".join(line) + " |" for line in (lines[0], rule, *lines[1:]))


def picture(name: str, says: str) -> str:
    """An image of the same folder; `says` is what one sees there, for those who do not."""
    return f"![{says}]({name})"
