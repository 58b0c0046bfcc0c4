"""A period's days, for charts and tables."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from streams.monitoring.period import Period, day_name
from streams.monitoring.window import Window
from streams.web.document import Table

T = TypeVar("T")


def by_day(period: Period, value: Callable[[Window], T]) -> dict[str, T | None]:
    """`value` of each day from the first with a window to the last; None: a day without one."""
    return {day_name(number): None if window is None else value(window) for number, window in period.all_days.items()}


def day_table(caption: str, period: Period, columns: Mapping[str, Callable[[Window], str]]) -> Table:
    """A row a day that has a window, the latest first."""
    rows = [
        (day_name(number), *(cell(window) for cell in columns.values()))
        for number, window in reversed(period.days.items())
    ]
    return Table(caption, ("day", *columns), rows)
