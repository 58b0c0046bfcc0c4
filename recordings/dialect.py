"""The dialect of a CSV file: what is between its cells, and how a quote stands in one."""

import csv
from collections import Counter
from typing import Final, NamedTuple

_DELIMITERS: Final = ",;\t|"
_NAMES: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


class Dialect(NamedTuple):
    """How cells are told apart. `skip`: the file begins with Excel's line `sep=;`, which is no row."""

    delimiter: str = ","
    backslash: bool = False  # a quote in a cell is \" rather than ""
    quoted: bool = True  # False: a quote is a character like any other, as in many tab-separated files
    skip: bool = False

    @property
    def options(self) -> dict[str, object]:
        """The options of `csv.reader`."""
        return {
            "delimiter": self.delimiter,
            "doublequote": not self.backslash,
            "escapechar": "\\" if self.backslash else None,
            "quoting": csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE,
            "strict": True,
        }

    def __str__(self) -> str:
        """In words, such as `semicolons`."""
        known = [_NAMES.get(self.delimiter, repr(self.delimiter))]
        known += ['quotes as \\"'] * self.backslash + ["no quotes"] * (not self.quoted)
        return ", ".join(known)


def recognised_dialect(head: str, text_column: str) -> Dialect:
    """The dialect of a CSV file that begins with `head`, of which the last line may be cut.

    It is the one in which the header has `text_column`, the rows fit the header best, and there are most columns; of
    equal ones, the plainest. Nothing is guessed of a file of one column: it has commas.
    """
    lines = head.splitlines(keepends=True)
    lines = lines[:-1] if len(lines) > 1 and not lines[-1].endswith(("\n", "\r")) else lines
    named = lines[0].strip().strip('"').lower() if lines else ""
    if (named.startswith("sep=") and len(named) == len("sep=") + 1) or named == "sep=":
        chosen = lines[0].strip().strip('"')[len("sep=") :] or "\t"
        rest = [Dialect(chosen, skip=True), *[Dialect(chosen, backslash=True, skip=True)] * ('\\"' in head)]
        return max(rest, key=lambda each: _fit(each, lines[1:], text_column))
    candidates = [Dialect(delimiter) for delimiter in _DELIMITERS]
    candidates += [Dialect(delimiter, backslash=True) for delimiter in _DELIMITERS if '\\"' in head]
    candidates.append(Dialect("\t", quoted=False))
    return max(candidates, key=lambda each: _fit(each, lines, text_column))


def _fit(dialect: Dialect, lines: list[str], text_column: str) -> tuple[bool, float, int]:
    """How well `lines` are of the dialect: the column is there, the share of rows that fit, how many columns."""
    reader = csv.reader(lines, **dialect.options)  # type: ignore[arg-type]
    counts: Counter[int] = Counter()
    header: list[str] = []
    faults = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            # A quote that the head cuts open is no fault.
            faults += not str(error).startswith("unexpected end")
            continue
        if cells and not header:
            header = cells
        elif cells:
            counts[len(cells)] += 1
    rows = counts.total() + faults
    return text_column in header, counts[len(header)] / rows if rows else 1.0, len(header)
