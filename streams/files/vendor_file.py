"""A vendor's file as the rows of a recording: one object, an array of objects, or an object a line; or captions."""

import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from recordings.encoding import ESCAPED, Checked, decoded
from recordings.fault import STDIN, Fault, OnFault, RecordingError, named, stop_at
from recordings.json_records import is_lines, json_lines, json_values
from recordings.read import Found
from recordings.source import Source, opened
from schemas.records import Role
from streams.files.formats.description import Description, read_described
from streams.files.formats.error import FormatError
from streams.files.formats.field import Field
from streams.files.formats.registry import FORMATS, read, recognise
from streams.files.formats.turn import Hints, LeftOut, Reading, Turn, endings
from streams.files.recording import Row, rows_of

ENDINGS: Final[Mapping[str, str | None]] = {".json": None, ".vcon": "vcon", ".vtt": "webvtt", ".srt": "srt"}
"""What the ending of a file says of its format; None: its content does."""

NO_START: Final = (
    "its times count from the start of the conversation, and nothing tells when that was: give --time-base, such as "
    "2026-01-31T12:00:00Z"
)
"""Why a vendor's file is refused that tells only how long after the start its turns were."""

_TEXTS: Final = frozenset({"webvtt", "srt"})

# How many objects of a file are looked at, for one that is a vendor's.
_LOOKED_AT: Final = 100

# A vendor's file is held whole, and as Python's objects it is some ten times larger.
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
    *,
    encoding: str | None = None,
    limit: int | None = None,
    on_left_out: Callable[[LeftOutCounts], object] = lambda _: None,
    on_fault: OnFault | None = None,
    on_found: Callable[[Found], object] = lambda _: None,
) -> Iterator[Row]:
    """The turns of the file at `path`, or of standard input for `-`, as rows; `limit` of them at most.

    A row's fields are a turn's, with `attributes` as a mapping. A turn that comes twice is given once, the later for
    the earlier. A conversation without an id of the vendor's has one made of the file's name and SHA-256. JSON that is
    of no vendor's format is read as `jsonl` is, with `columns`, however long it is: each object of an array is a row,
    or with a list `turns` a conversation. `on_left_out` is told what was no turn, once; `on_fault` of lines and objects
    that cannot be read, without it the first one raises.

    Raises RecordingError: the file cannot be read, is of another format, or lacks something.
    """
    told = on_fault or stop_at(path)
    with opened(path) as source:
        source.most = _LARGEST_FILE
        text = decoded(source, encoding)
        if vendor.name in _TEXTS:
            on_found(Found(vendor.name or "", text.encoding, source.packed))
            yield from _turns(
                [(1, _whole(source, text, path))], source, path, vendor, columns, limit, on_left_out, told
            )
            return
        values = _values(source, text, path, told)
        first = list(islice(values, _LOOKED_AT))
        name = vendor.name or next((name for _, value in first if (name := recognise(value)) is not None), None)
        on_found(Found("mapping" if vendor.mapping else name or "json", text.encoding, source.packed))
        if name is None and vendor.mapping is None:
            source.most = None  # a row at a time
            column = columns.get("text", "text")
            yield from rows_of(chain(first, values), path, columns, column, limit, told, _UNKNOWN)
            return
        yield from _turns([*first, *values], source, path, vendor, columns, limit, on_left_out, told)


def _turns(
    values: Sequence[tuple[int, Any]],
    source: Source,
    path: Path | str,
    vendor: Vendor,
    columns: Mapping[str, str],
    limit: int | None,
    on_left_out: Callable[[LeftOutCounts], object],
    on_fault: OnFault,
) -> Iterator[Row]:
    if columns:
        raise RecordingError(f"{named(path)}: a vendor's format has no columns: --mapping says where its fields are")
    own = f"{_stem(path)}-{source.sha256[:_ID_DIGITS]}"
    hints = Hints(conversation_id=own, base_ms=vendor.base_ms, name=str(path), roles=vendor.roles)
    turns: dict[str, tuple[int, Turn]] = {}
    left_out: Counter[LeftOut] = Counter()
    for number, (line, value) in enumerate(values, 1):
        each = hints if number == 1 else replace(hints, conversation_id=f"{own}-{number}")
        try:
            reading = _read(value, each, vendor)
        except FormatError as error:
            if len(values) == 1:
                raise RecordingError(f"{named(path)}: {error}") from None
            on_fault(Fault(line, str(error), json.dumps(value)))
            continue
        left_out.update(reading.left_out)
        for turn in reading.turns:
            left_out["repeated"] += turns.pop(turn.event_id, None) is not None
            turns[turn.event_id] = line, turn
    ends = endings(turn for _, turn in turns.values())
    if vendor.timed:
        _require_times((turn for _, turn in turns.values()), path)
    on_left_out(+left_out)
    for number, (line, turn) in enumerate(islice(turns.values(), limit), 1):
        last = turn.event_id in ends
        fields = _fields(turn, last=last)
        yield Row(number, line, fields, turn.text, counted=turn.counted, last=last, is_vendors=True)


def _read(value: object, hints: Hints, vendor: Vendor) -> Reading:
    if vendor.mapping is not None:
        return read_described(vendor.mapping, Field(value), hints)
    return read(value, hints, vendor.name)


def _require_times(turns: Iterable[Turn], path: Path | str) -> None:
    if any(turn.occurred_at is None and "offset_ms" in turn.attributes for turn in turns):
        raise RecordingError(f"{named(path)}: {NO_START}")


def _fields(turn: Turn, *, last: bool) -> dict[str, object]:
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
        "last": last,
    }


def _whole(source: Source, text: "io.TextIOWrapper[io.BufferedReader]", path: Path | str) -> str:
    """All of a file of captions."""
    source.lines = False
    content = text.read()
    if not content.isascii() and (bad := ESCAPED.search(content)):
        line = content.count("\n", 0, bad.start()) + 1
        raise RecordingError(f"{named(path)}, line {line}: not {text.encoding.upper()}: give --encoding")
    return content


def _values(
    source: Source, text: "io.TextIOWrapper[io.BufferedReader]", path: Path | str, on_fault: OnFault
) -> Iterator[tuple[int, Any]]:
    """What the JSON of a file holds, with the line on which each begins: members of an array, objects of lines."""
    start = source.head.decode(text.encoding, "ignore").lstrip("\ufeff \t\r\n")
    if (name := recognise(start)) is not None:
        raise RecordingError(f"{named(path)}: not JSON: it looks like {name}: give --format {name}")
    if is_lines(start):
        return json_lines(Checked(text), on_fault)
    source.lines = False
    return json_values(text, path, _LARGEST_FILE)


_UNKNOWN: Final = (
    "no vendor's format that is known, and no object with a text: name the format with --format, or describe it with "
    f"--mapping; known are {', '.join(FORMATS)}"
)


def _stem(path: Path | str) -> str:
    return "stdin" if str(path) == STDIN else Path(path).stem[:100].encode("utf-8", "replace").decode()
