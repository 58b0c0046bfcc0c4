"""Rows of a recording with fields added, written as JSON lines or CSV."""

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import TextIO

from recordings.encoding import has_utf8
from schemas.errors import UsageError
from streams.system.json_text import finite, json_text

CHUNK = 1_000
"""How many rows are held at a time: memory stays that of a chunk, whatever the file's size."""


def renamed(fields: Mapping[str, object], added: Sequence[str]) -> dict[str, object]:
    """`fields`, in order; one that has the name of a field that will be `added` is kept as `input_` and its name."""
    kept: dict[str, object] = {}
    for name, value in fields.items():
        new = name
        while new in added or (new != name and new in fields):
            new = f"input_{new}"
        kept[new] = value
    return kept


def write_jsonl(rows: Iterable[Mapping[str, object]], out: TextIO) -> None:
    """Writes a JSON object a line; a number that is not finite is null."""
    for row in rows:
        line = json_text(row)
        # Half a surrogate pair, which JSON can name, has no UTF-8: such a row goes out the way it came in, escaped.
        out.write((line if has_utf8(line) else json.dumps(finite(row))) + "\n")


def csv_row_writer(out: TextIO) -> Callable[[Sequence[object]], object]:
    """What writes one row of cells to `out` as CSV, such that readers take the same cells from it."""
    plain = csv.writer(out, lineterminator="\n")
    # A carriage return ends a row for readers, and csv quotes only what is in its own line end.
    quoted = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)

    def write(cells: Sequence[object]) -> None:
        broken = any(isinstance(cell, str) and "\r" in cell for cell in cells)
        (quoted if broken else plain).writerow(cells)

    return write


def write_csv(rows: Iterable[Mapping[str, object]], out: TextIO, added: Sequence[str]) -> None:
    """Writes CSV with a header: the fields of the first `CHUNK` rows, those that were `added` last.

    Nested values are JSON.

    Raises UsageError: a later row has a field that the header lacks.
    """
    remaining = iter(rows)
    first = list(islice(remaining, CHUNK))
    names = dict.fromkeys(name for row in first for name in row if name not in added)
    header = [*names, *added]
    write = csv_row_writer(out)
    write(header)
    for number, row in enumerate(chain(first, remaining), 1):
        if new := [name for name in row if name not in names and name not in added]:
            raise UsageError(
                f"row {number} has the field {new[0]!r}, which none of the first {CHUNK:,} rows has; CSV's columns are "
                "fixed by then: write JSONL instead"
            )
        write([_cell(row.get(name)) for name in header])


def _cell(value: object) -> object:
    value = finite(value)
    if isinstance(value, dict | list | bool):
        value = json_text(value)
    if isinstance(value, str) and not has_utf8(value):
        return value.encode("utf-8", "replace").decode()
    return value
