"""Tables on standard output."""

import sys
from collections.abc import Sequence


def aligned(*rows: Sequence[str]) -> list[str]:
    """Rows in aligned columns, a line each, whole whatever the terminal's width."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def print_table(header: Sequence[str], *rows: Sequence[str]) -> None:
    """Prints rows under a header.

    On a terminal the columns share its width, and a cell that is too long goes on below. In a pipe a row stays on one
    line, however long, for `grep` and `awk` go by lines.
    """
    if not sys.stdout.isatty():
        print("\n".join(aligned(header, *rows)))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in header:
        table.add_column(Text(name), overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))  # as `Text`, for brackets in a cell are no markup
    Console().print(table)
