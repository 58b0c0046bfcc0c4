"""CSV as records."""

import csv
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice, tee
from pathlib import Path
from typing import TYPE_CHECKING, Final

from recordings.dialect import Dialect
from recordings.encoding import Checked
from recordings.fault import Fault, OnFault, RecordingError, named

if TYPE_CHECKING:
    from _csv import Reader

# A whole call in one cell may be longer than 128 KiB, which is the most that csv reads by default.
_LONGEST_CELL: Final = 64 * 1024 * 1024

# The lines of a row are kept, for a fault that tells it as it stands. They are let go of once in so many.
_KEPT_LINES: Final = 64


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
    cells than the header, or that is no CSV: its content is its lines as they stand. A quote that is not closed takes
    the lines behind it along, and the fault says up to which.

    Raises RecordingError: there is no header, or it has a name twice.
    """
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    # Excel's line `sep=;` is passed as it is: with half a quotation in it, it has no cells.
    kept = _Kept(islice(chain.from_iterable(lines.runs()), dialect.skip, None))
    first = 1 + dialect.skip
    reader = csv.reader(kept.lines, **dialect.options)  # type: ignore[arg-type]
    header, at, fault = _first(reader, lines)
    if fault:
        raise RecordingError(f"{named(path)}, line {first + at}: {fault}")
    if not header:
        raise RecordingError(f"{named(path)}: empty, where a CSV file begins with a header")
    names = _header(header, path, first + at)
    on_header(names, first + at)
    width = len(names)
    # Of a file of millions of rows what is done to each is what it takes: csv itself counts the lines.
    at = reader.line_num
    while True:
        try:
            for cells in reader:
                if not lines.fault and (len(cells) == width or (len(cells) > width and not any(cells[width:]))):
                    yield first + at, dict(zip(names, cells))  # noqa: B905 - what is beyond is empty
                elif cells or lines.fault:
                    wrong = lines.take_fault() or f"{len(cells)} cells, where the header has {width}"
                    on_fault(kept.fault(first, at, reader.line_num, wrong))
                at = reader.line_num
                if at - kept.dropped >= _KEPT_LINES:
                    kept.drop(at)
        except csv.Error as error:
            on_fault(kept.fault(first, at, reader.line_num, lines.take_fault() or f"not CSV: {error}"))
            at = reader.line_num
        else:
            return


class _Kept:
    """The `lines` of a file, and behind them those that were read and not `dropped`: so many were."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines, self._behind = tee(lines)
        self.dropped = 0

    def drop(self, end: int) -> None:
        """Lets go of the first `end` lines, which were read."""
        next(islice(self._behind, end - self.dropped, end - self.dropped), None)
        self.dropped = end

    def fault(self, first: int, start: int, end: int, what: str) -> Fault:
        """That of the row that has the lines from `start` to `end`, from 0; `first` is the number of line 0."""
        self.drop(start)
        content = "".join(islice(self._behind, end - start)).rstrip("\r\n")
        self.dropped = end
        more = f"; it goes on to line {first + end - 1:,}" if end - start > 1 else ""
        return Fault(first + start, what + more, content)


def _first(reader: "Reader", lines: Checked) -> tuple[list[str], int, str]:
    """The first row with cells, how many lines stand before it, and what is wrong with it; no cells where none is."""
    before = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return [], before, ""
        except csv.Error as error:
            return [], before, lines.take_fault() or f"not CSV: {error}"
        if cells or lines.fault:
            return cells, before, lines.take_fault()
        before = reader.line_num


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
