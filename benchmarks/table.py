"""Figures as a table on the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.figure import Figure


def show(title: str, figures: Sequence[Figure]) -> None:
    """Prints `figures`: the median of each, and its least and greatest sample."""
    table = Table("measured", "on", "median", "range", title=title, title_justify="left")
    for column in (2, 3):
        table.columns[column].justify = "right"
    for each in figures:
        table.add_row(each.what, each.where, each.shown, each.spread)
    Console().print(table)
