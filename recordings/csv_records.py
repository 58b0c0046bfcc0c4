"""CSV as records."""

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from recordings.dialect import Dialect
from recordings.encoding import Checked
from recordings.fault import Fault, OnFault, RecordingError, named

# A whole call in one cell may be longer than 128 KiB, which is the most that csv reads by default.
_LONGEST_CELL: Final = 64 * 1024 * 1024


def csv_records(
    lines: Checked,
    dialect: Dialect,
    path: Path | str,
    on_fault: OnFault,
    on_header: Callable[[list[str], int], object] = lambda _header, _line: None,
) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row under the header, with the line where it begins, as its cells by the header's names.

    Empty lines are none. Columns without a name at the header's end, which spreadsheets leave behind, are none where
    they are empty. `on_header` is told of the header's names and its line, `on_fault` of a row that has more or fewer
    cells than the header, or that is no CSV.

    Raises RecordingError: there is no header, or it has a name twice.
    """
    reader = _rows(lines, dialect)
    line, header, fault = next(((line, cells, fault) for line, cells, fault in reader if cells or fault), (0, [], ""))
    if fault:
        raise RecordingError(f"{named(path)}, line {line}: {fault}")
    if not header:
        raise RecordingError(f"{named(path)}: empty, where a CSV file begins with a header")
    names = _header(header, path, line)
    on_header(names, line)
    width = len(names)
    for at, cells, damage in reader:
        if len(cells) > width and not any(cells[width:]):
            del cells[width:]
        if len(cells) == width and not damage:
            yield at, dict(zip(names, cells))  # noqa: B905 - they are of one length
        elif cells or damage:
            wrong = damage or f"{len(cells)} cells, where the header has {width}"
            on_fault(Fault(at, wrong, dialect.delimiter.join(cells)))


def _rows(lines: Checked, dialect: Dialect) -> Iterator[tuple[int, list[str], str]]:
    """The cells of each row, with the line where it begins and what is wrong with it; an empty line has no cells."""
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    text = iter(lines)
    if dialect.skip:
        next(text, None)  # as it is: a line with half a quotation has no cells
    reader = csv.reader(text, **dialect.options)  # type: ignore[arg-type]
    begins = lines.number + 1
    while True:
        cells: list[str] = []
        fault = ""
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fault = f"not CSV: {error}"
        yield begins, cells, lines.take_fault() or fault
        begins = lines.number + 1


def _header(cells: Sequence[str], path: Path | str, line: int) -> list[str]:
    header = list(cells)
    while len(header) > 1 and not header[-1].strip():
        header.pop()
    if len(set(header)) != len(header):
        # What stands there is not repeated: without a header it is a customer's words.
        second = next(i for i, name in enumerate(header) if name in header[:i])
        first = header.index(header[second])
        raise RecordingError(
            f"{named(path)}, line {line}: columns {first + 1} and {second + 1} of its {len(header)} are the same; no "
            "header?"
        )
    return header
