"""Any file of rows, as the values of its rows."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Final, Literal, get_args

from recordings.csv_records import csv_records
from recordings.dialect import Dialect, recognised_dialect
from recordings.encoding import Checked, decoded
from recordings.fault import STDIN, Fault, OnFault, RecordingError, named, stop_at
from recordings.json_records import is_lines, json_lines, json_values
from recordings.source import HEAD, Source

Format = Literal["csv", "jsonl", "lines"]
FORMATS: Final[Mapping[str, Format]] = {
    ".csv": "csv", ".tsv": "csv", ".tab": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".txt": "lines",
}  # fmt: skip
PLAIN: Final = get_args(Format)
_SRT: Final = re.compile(r"\d{1,9}\s*\n\s*\d\d:\d\d:\d\d[.,]\d{3} -->")
_JSON: Final = re.compile(r"\[\s*\{|\{\s*[\r\n]")  # an array of objects, or an object over several lines
_PACKED: Final = (".gz", ".gzip", ".zst", ".zstd")


@dataclass(frozen=True, slots=True)
class Found:
    """What a file was recognised as. `packed` is gzip, zstd or ""; `dialect` is a CSV file's."""

    format: str
    encoding: str
    packed: str = ""
    dialect: Dialect | None = None

    def __str__(self) -> str:
        """In words: `csv (semicolons), UTF-16-LE, gzip`."""
        form = f"{self.format} ({self.dialect})" if self.dialect else self.format
        return ", ".join([form, self.encoding.upper(), *([self.packed] if self.packed else [])])


def ending_of(path: Path | str) -> str:
    """The ending that tells the format: `.jsonl` of `calls.jsonl.gz`; "" for standard input."""
    if str(path) == STDIN:
        return ""
    suffixes = [suffix.lower() for suffix in PurePath(path).suffixes]
    while suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def values(  # noqa: PLR0913 - each is given by its name
    source: Source,
    path: Path | str,
    file_format: Format | None,
    *,
    text_column: str = "text",
    encoding: str | None = None,
    asked: bool = True,
    on_fault: OnFault | None = None,
    on_header: Callable[[list[str], int], object] = lambda _header, _line: None,
    on_found: Callable[[Found], object] = lambda _found: None,
) -> Iterator[tuple[int, Any]]:
    """What stands in each row of `source`, with the line where it begins.

    Of CSV it is a mapping of the header's names to texts, of lines a mapping of `text`, of JSON any value. The format
    is `file_format`, else recognised by the beginning; not `asked`: only the file's ending says so. `text_column` tells
    a header from a line of text. `on_header` is told of a CSV file's columns. `on_fault` is told of a row that cannot
    be read; where it is None the first one raises.

    Raises RecordingError: what makes the rest unreadable; also a file that is of another format than said.
    """
    told = on_fault or stop_at(path)
    text = decoded(source, encoding)
    head = _head(source, text.encoding)
    chosen = file_format or recognised_format(head, text_column)
    if file_format is not None and (other := _other_format(file_format, head, text_column, asked=asked)):
        way = f"{other}, or lines if each line is a text" if other == "csv" else other
        raise RecordingError(f"{named(path)}: not {file_format}: it looks like {other}: give --format {way}")
    dialect = recognised_dialect(head, text_column) if chosen == "csv" else None
    on_found(Found(chosen, text.encoding, source.packed, dialect))
    if chosen == "jsonl":
        yield from _json(source, text, head, path, told)
        return
    lines = Checked(text)
    if dialect is not None:
        yield from csv_records(lines, dialect, path, told, on_header)
        return
    for line in lines:
        content = line.rstrip("\r\n")
        if fault := lines.take_fault():
            told(Fault(lines.number, fault, content))
        else:
            yield lines.number, {"text": content}


def _json(
    source: Source, text: "io.TextIOWrapper[io.BufferedReader]", head: str, path: Path | str, on_fault: OnFault
) -> Iterator[tuple[int, Any]]:
    """Lines, or else an array, or objects that go over several lines."""
    start = head.lstrip()
    if start.startswith("[") or start.partition("\n")[0].rstrip() == "{":
        source.lines = False
        return json_values(text, path)
    return json_lines(Checked(text), on_fault)


def recognised_format(head: str, text_column: str) -> Format:
    """The format of what begins with `head`: a JSON object or array, a CSV header with `text_column`, else lines."""
    line = head.lstrip()[:1]
    if line == "{" or (line == "[" and head.lstrip()[1:].lstrip()[:1] in {"{", "]"}):
        return "jsonl"
    return "csv" if text_column in _header(head, text_column) else "lines"


def _header(head: str, text_column: str) -> list[str]:
    """The cells of the first row, if what begins with `head` is CSV; none where it cannot be."""
    dialect = recognised_dialect(head, text_column)
    lines = head.splitlines(keepends=True)[dialect.skip :]
    try:
        return next(csv.reader(lines, **dialect.options), [])  # type: ignore[arg-type]
    except csv.Error:
        return []


def _other_format(said: Format, head: str, text_column: str, *, asked: bool) -> str:
    """The name of what a file looks like that is not of the format `said`; "" where it may be.

    Anything may be lines of text, for whoever asks for them.
    """
    start = head.lstrip()
    if said == "lines" and asked:
        return ""
    if start.startswith("WEBVTT"):
        return "webvtt"
    if _SRT.match(start):
        return "srt"
    if said != "jsonl" and start.startswith("{") and is_lines(start):
        return "jsonl"
    if said != "jsonl" and _JSON.match(start):
        return "json"
    header = _header(head, text_column) if said == "lines" else []
    return "csv" if len(header) > 1 and text_column in header else ""


def _head(source: Source, encoding: str) -> str:
    """The beginning as text, as far as it can be decoded."""
    return source.head[:HEAD].decode(encoding, "ignore").removeprefix("\ufeff")
