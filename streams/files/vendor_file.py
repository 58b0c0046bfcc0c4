"""A vendor's file as the rows of a recording: one object, an array of objects, or an object a line; or captions."""

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from schemas.records import Role
from streams.files.formats.description import Description, read_described
from streams.files.formats.error import FormatError
from streams.files.formats.field import Field
from streams.files.formats.registry import FORMATS, read, recognise
from streams.files.formats.turn import Hints, LeftOut, Reading, Turn
from streams.files.recording import STDIN, RecordingError, Row, json_rows, text_of

ENDINGS: Final[Mapping[str, str | None]] = {".json": None, ".vcon": "vcon", ".vtt": "webvtt", ".srt": "srt"}
"""What the ending of a file says of its format; None: its content does."""

_TEXTS: Final = frozenset({"webvtt", "srt"})

# The whole file is held, and as Python's objects it is some ten times larger.
_LARGEST_FILE: Final = 256 * 1024 * 1024
_ID_DIGITS: Final = 12

LeftOutCounts = Mapping[LeftOut, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """How a vendor's file is read: the format's name (None: by its content) or a mapping, and what it does not say.

    `base_ms` is the start of conversations that tell only offsets, in UTC milliseconds. With `timed`, a file whose
    times cannot be told without it is refused.
    """

    name: str | None = None
    mapping: Description | None = None
    roles: Mapping[str, Role] = field(default_factory=dict)
    base_ms: int | None = None
    timed: bool = False


def vendor_rows(
    path: Path | str,
    vendor: Vendor,
    columns: Mapping[str, str],
    on_left_out: Callable[[LeftOutCounts], object] = lambda _: None,
) -> Iterator[Row]:
    """The turns of the file at `path`, or of standard input for `-`, as rows.

    A row's fields are a turn's, with `attributes` as a mapping. A turn that comes twice is given once, the later for
    the earlier. A conversation without an id of the vendor's has one made of the file's name and SHA-256. JSON that is
    of no vendor's format is read as `jsonl` is, with `columns`: each object of an array is a row, or with a list
    `turns` a conversation. `on_left_out` is told what was no turn, once.

    Raises RecordingError: the file cannot be read, is of another format, or lacks something.
    """
    content = _content(path)
    text = _text(content, path)
    values = [(1, text)] if vendor.name in _TEXTS else list(_values(text, path))
    if vendor.name is None and vendor.mapping is None and not _is_vendors(values):
        yield from _plain(values, path, columns.get("text", "text"))
        return
    if columns:
        raise RecordingError(f"{_name(path)}: a vendor's format has no columns: --mapping says where its fields are")
    own = f"{_stem(path)}-{hashlib.sha256(content).hexdigest()[:_ID_DIGITS]}"
    hints = Hints(conversation_id=own, base_ms=vendor.base_ms, name=str(path), roles=vendor.roles)
    turns: dict[str, tuple[int, Turn]] = {}
    left_out: Counter[LeftOut] = Counter()
    for number, (line, value) in enumerate(values, 1):
        each = hints if number == 1 else replace(hints, conversation_id=f"{own}-{number}")
        reading = _read(value, each, vendor, _at(path, line, len(values)))
        left_out.update(reading.left_out)
        for turn in reading.turns:
            left_out["repeated"] += turns.pop(turn.event_id, None) is not None
            turns[turn.event_id] = line, turn
    if vendor.timed:
        _require_times((turn for _, turn in turns.values()), path)
    on_left_out(+left_out)
    for number, (line, turn) in enumerate(turns.values(), 1):
        yield Row(number, line, _fields(turn), turn.text)


def _read(value: object, hints: Hints, vendor: Vendor, where: str) -> Reading:
    try:
        if vendor.mapping is not None:
            return read_described(vendor.mapping, Field(value), hints)
        return read(value, hints, vendor.name)
    except FormatError as error:
        raise RecordingError(f"{where}: {error}") from None


def _require_times(turns: Iterable[Turn], path: Path | str) -> None:
    if any(turn.occurred_at is None and "offset_ms" in turn.attributes for turn in turns):
        raise RecordingError(
            f"{_name(path)}: its times count from the start of the conversation, and nothing tells when that was: give "
            "--time-base, such as 2026-01-31T12:00:00Z"
        )


def _fields(turn: Turn) -> dict[str, object]:
    return {
        "event_id": turn.event_id,
        "conversation_id": turn.conversation_id,
        "turn": turn.turn,
        "role": turn.role,
        "channel": turn.channel,
        "language": turn.language,
        "text": turn.text,
        "occurred_at": turn.occurred_at,
        "source": turn.source,
        "attributes": dict(turn.attributes),
    }


def _content(path: Path | str) -> bytes:
    try:
        if str(path) == STDIN:
            content = sys.stdin.buffer.read(_LARGEST_FILE + 1)
        else:
            with Path(path).open("rb") as file:
                content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from None
    if len(content) > _LARGEST_FILE:
        raise RecordingError(f"{_name(path)}: over {_LARGEST_FILE // 1024**2} MiB, which is read at once: split it")
    return content


def _text(content: bytes, path: Path | str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RecordingError(f"{_at(path, line, 2)}: not UTF-8: convert the file first") from None


def _values(text: str, path: Path | str) -> Iterator[tuple[int, Any]]:
    """What the JSON of a file holds, with the line on which each begins: members of an array, objects of lines."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            where = _at(path, error.lineno, 2)
            raise RecordingError(f"{where}: not JSON: {error.msg} (column {error.colno})") from None
    except (RecursionError, ValueError):  # a thousand brackets; an integer of over 4,300 digits
        raise RecordingError(f"{_name(path)}: {_UNREADABLE}") from None
    else:
        yield from ((1, member) for member in (value if isinstance(value, list) else [value]))
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, _value_of_line(line, number, path)


_UNREADABLE: Final = "not JSON that can be read: nested too deep, or a number too long"


def _value_of_line(line: str, number: int, path: Path | str) -> Any:
    where = _at(path, number, 2)
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise RecordingError(f"{where}: not JSON: {error.msg} (column {error.colno})") from None
    except (RecursionError, ValueError):
        raise RecordingError(f"{where}: {_UNREADABLE}") from None


def _is_vendors(values: list[tuple[int, Any]]) -> bool:
    return any(recognise(value) is not None for _, value in values)


def _plain(values: list[tuple[int, Any]], path: Path | str, text_column: str) -> Iterator[Row]:
    number = 0
    for line, value in values:
        where = _at(path, line, len(values))
        if not isinstance(value, dict):
            raise RecordingError(f"{where}: not a JSON object")
        for fields in json_rows(value, path, line):
            if text_column not in fields:
                raise RecordingError(f"{where}: {_UNKNOWN}")
            number += 1
            text = text_of(fields[text_column])
            yield Row(number, line, fields, text or "", text is not None)


_UNKNOWN: Final = (
    "no vendor's format that is known, and no object with a text: name the format with --format, or describe it with "
    f"--mapping; known are {', '.join(FORMATS)}"
)


def _stem(path: Path | str) -> str:
    return "stdin" if str(path) == STDIN else Path(path).stem[:100].encode("utf-8", "replace").decode()


def _name(path: Path | str) -> str:
    return "standard input" if str(path) == STDIN else str(path)


def _at(path: Path | str, line: int, objects: int) -> str:
    return f"{_name(path)}, line {line}" if objects > 1 else _name(path)
