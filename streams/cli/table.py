"""Tables on standard output."""

from collections.abc import Sequence


def aligned(*rows: Sequence[str]) -> list[str]:
    """Rows in aligned columns, a line each, whole whatever the terminal's width."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def print_table(*rows: Sequence[str]) -> None:
    """Prints rows in aligned columns, so that they can be piped."""
    print("\n".join(aligned(*rows)))
