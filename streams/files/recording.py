"""Recordings: files of transcripts, read a row at a time: CSV, JSON lines (a turn or a conversation a line), text."""

import csv
import hashlib
import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final, Literal

from schemas.errors import UsageError

Format = Literal["csv", "jsonl", "lines"]
FORMATS: Final[Mapping[str, Format]] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".txt": "lines"}

STDIN: Final = "-"

# A recording may hold what belongs in dead-letters, such as a text of 1 MB; csv alone refuses cells over 128 KiB.
_LONGEST_CELL = 64 * 1024 * 1024


_NAME_IT = "name the one that holds the text with --column text=NAME"
# What the text's column is called elsewhere.
_USUAL_NAMES = (
    "body", "comment", "content", "feedback", "message", "review", "sentence", "text", "transcript", "tweet",
    "utterance",
)  # fmt: skip


class RecordingError(UsageError):
    """A recording that cannot be read: the message names the file, the line, and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a recording: one text to score."""

    number: int  # in the recording, from 1
    line: int  # of the file where it begins, from 1
    fields: Mapping[str, object]  # all of them, in the file's order
    text: str  # empty where there is none
    is_text: bool = True  # False where something else stands in its place: true, a list, an object, NaN


def read_recording(
    path: Path | str, *, columns: Mapping[str, str] | None = None, file_format: Format | None = None
) -> Iterator[Row]:
    """The rows of the recording at `path`, or of standard input for `-`, in order; it is read as they are taken.

    The format is `file_format`, else what the file's ending says, of standard input its first line. Plain lines have
    one field, `text`. In JSON lines an object with a list `turns` is a conversation: each turn is a row, with the
    conversation's other fields before its own; an `id` beside `turns` is the conversation's. `columns` maps the name
    `text` to the field that holds the text. A row without that field has an empty text, where other rows have it.

    Raises RecordingError as soon as it meets what cannot be read: the rows before it have been given by then.
    """
    chosen = file_format or _format_of(path)
    text_column = (columns or {}).get("text", "text")
    with _open(path) as file:
        first = b"" if chosen is not None else file.readline()
        chosen = chosen or recognised_format(first, text_column)
        lines = _decoded(chain([first], file) if first else file, path)
        missing: RecordingError | None = None
        if chosen == "csv":
            rows = _csv_rows(lines, path, text_column)
        elif chosen == "jsonl":
            rows = _json_rows(lines, path)
        else:
            rows = ((number, {"text": line.rstrip("\r\n")}) for number, line in lines)
            text_column = "text"
        for number, (line, fields) in enumerate(rows, 1):
            text = fields.get(text_column)
            missing = _at(path, line, _no_text(text_column, fields)) if number == 1 else missing
            if text_column in fields:
                missing = None
            words = text_of(text)
            yield Row(number, line, fields, words or "", words is not None)
        if missing is not None:
            raise missing


def text_of(value: object) -> str | None:
    """The text that a field holds, none at all as an empty one; None where it holds something else.

    A number is one: a message of digits comes as a number from what turns tables into JSON.
    """
    if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, int | float):
        return json.dumps(value)
    return "" if value is None else value if isinstance(value, str) else None


def digest(path: Path) -> str:
    """SHA-256 of the file's content, in hexadecimal: what a recording is known by. Raises RecordingError."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from None


def recognised_format(first_line: bytes, text_column: str) -> Format:
    """The format of what begins with that line: a JSON object, a CSV header with `text_column`, or else plain lines."""
    line = first_line.decode("utf-8-sig", errors="replace").strip()
    if line.startswith("{"):
        return "jsonl"
    try:
        return "csv" if text_column in next(csv.reader([line], strict=True), []) else "lines"
    except csv.Error:
        return "lines"


def _format_of(path: Path | str) -> Format | None:
    """What the file's ending says; None for standard input."""
    if str(path) == STDIN:
        return None
    try:
        return FORMATS[Path(path).suffix.lower()]
    except KeyError:
        raise RecordingError(
            f"{path}: its ending does not tell the format ({', '.join(FORMATS)}, .json, .vtt, .srt and .vcon do): give "
            "--format csv, jsonl, lines, or a vendor's"
        ) from None


@contextmanager
def _open(path: Path | str) -> Iterator[IO[bytes]]:
    with ExitStack() as stack:
        try:
            file = sys.stdin.buffer if str(path) == STDIN else stack.enter_context(Path(path).open("rb"))
        except OSError as error:
            raise RecordingError(f"{path}: {error.strerror}") from None
        yield file


def _decoded(file: Iterable[bytes], path: Path | str) -> Iterator[tuple[int, str]]:
    """Numbered lines with their ends; a byte order mark, as spreadsheets write it, is left out."""
    for number, line in enumerate(_lines(file, path), 1):
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise _at(path, number, f"not UTF-8 (byte {error.start + 1} of the line): convert the file first") from None


def _lines(file: Iterable[bytes], path: Path | str) -> Iterator[bytes]:
    try:
        yield from file
    except OSError as error:  # a folder, a disk that fails
        raise RecordingError(f"{path}: {error.strerror}") from None


def _csv_rows(
    lines: Iterator[tuple[int, str]], path: Path | str, text_column: str
) -> Iterator[tuple[int, dict[str, object]]]:
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    reader = csv.reader((line for _, line in lines), strict=True)
    begins = 1
    header: list[str] | None = None
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _at(path, begins, f"not CSV: {error}") from None
        if cells is None:
            break
        line, begins = begins, reader.line_num + 1
        if not cells:
            continue  # an empty line
        if header is None:
            header = cells
            _check_header(header, path, line, text_column)
        elif len(cells) != len(header):
            raise _at(path, line, f"{len(cells)} cells, where the header has {len(header)}")
        else:
            yield line, dict(zip(header, cells, strict=True))
    if header is None:
        raise RecordingError(f"{path}: empty, where a CSV file begins with a header")


def _check_header(header: list[str], path: Path | str, line: int, text_column: str) -> None:
    # What stands there is not repeated: without a header it is a customer's words.
    if len(set(header)) != len(header):
        second = next(i for i, name in enumerate(header) if name in header[:i])
        first = header.index(header[second])
        raise _at(path, line, f"columns {first + 1} and {second + 1} of its {len(header)} are the same; no header?")
    if text_column not in header:
        usual = [name for name in header if name.strip().lower() in _USUAL_NAMES]
        hint = f"; is it {usual[0]!r}?" if usual else ""
        count = f"{len(header)} columns" if len(header) > 1 else "1 column"
        raise _at(path, line, f"{count}, none of them {text_column!r}; no header? {_NAME_IT}{hint}")


def _json_rows(lines: Iterator[tuple[int, str]], path: Path | str) -> Iterator[tuple[int, dict[str, object]]]:
    for number, line in lines:
        if not line.strip():
            continue
        try:
            value: Any = json.loads(line)
        except json.JSONDecodeError as error:
            raise _at(path, number, f"not JSON: {error.msg} (column {error.colno})") from None
        except (RecursionError, ValueError):  # a thousand brackets; an integer of over 4,300 digits
            raise _at(path, number, "not JSON that can be read: nested too deep, or a number too long") from None
        if not isinstance(value, dict):
            raise _at(path, number, "not a JSON object")
        for fields in json_rows(value, path, number):
            yield number, fields


def json_rows(value: dict[str, object], path: Path | str, line: int) -> Iterator[dict[str, object]]:
    """The fields of each row that an object is: one, or one a turn. Raises RecordingError: a turn is no object."""
    if isinstance(value.get("turns"), list):
        yield from _turns(value, path, line)
    else:
        yield value


def _turns(conversation: dict[str, object], path: Path | str, line: int) -> Iterator[dict[str, object]]:
    turns = conversation["turns"]
    shared = {name: value for name, value in conversation.items() if name != "turns"}
    if "id" in shared:
        shared.setdefault("conversation_id", shared["id"])
        del shared["id"]
    for place, turn in enumerate(turns if isinstance(turns, list) else [], 1):
        if not isinstance(turn, dict):
            raise _at(path, line, f"turn {place} is not a JSON object")
        yield shared | {"turn": place} | turn


def _no_text(text_column: str, fields: Mapping[str, object]) -> str:
    return (
        f"no column {text_column!r}, nor in any later row; there are {', '.join(fields) or 'none'}: {_NAME_IT}"
        + _vendors(fields)
    )


def _vendors(fields: Mapping[str, object]) -> str:
    from streams.files.formats.registry import recognise

    name = recognise(fields)
    return "" if name is None else f"; or, as it looks like {name}, give --format {name}"


def _at(path: Path | str, line: int, what: str) -> RecordingError:
    name = "standard input" if str(path) == STDIN else path
    return RecordingError(f"{name}, line {line}: {what}")
