"""Tables on standard output."""

from collections.abc import Sequence


def print_table(*rows: Sequence[str]) -> None:
    """Prints rows in aligned columns, whole whatever the terminal's width, so that they can be piped."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
