"""Recordings: files of transcripts, a text a row, or a conversation an object: CSV, JSON, plain lines."""

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from itertools import chain, islice
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any, Final, NamedTuple

from recordings.fault import STDIN, Fault, OnFault, RecordingError, named, stop_at
from recordings.read import FORMATS, Format, Found, ending_of, values
from recordings.source import opened
from streams.files.columns import Columns, is_missing
from streams.files.formats.registry import recognise

_NAME_IT = "name the one that holds the text with --column text=NAME"
# What the text's column is called elsewhere.
_USUAL_NAMES = (
    "body", "comment", "content", "feedback", "message", "review", "sentence", "text", "transcript", "tweet",
    "utterance",
)  # fmt: skip


class Row(NamedTuple):
    """A row of a recording: one text to score."""

    number: int  # in the recording, from 1
    line: int  # of the file where it begins, from 1
    fields: Mapping[str, object]  # all of them, in the file's order
    text: str  # empty where there is none
    is_text: bool = True  # False where something else stands in its place: true, a list, an object, NaN
    conversation: int = 0  # which of the objects with turns it is from, counted from 1; 0: from none
    counted: bool = False  # whether its `turn` is its place in such an object, and none of its own
    last: bool = False  # whether such an object ends with it
    is_vendors: bool = False  # whether it is a turn that a vendor's format has read, with the role map in mind


def read_recording(
    path: Path | str,
    *,
    columns: Mapping[str, str] | None = None,
    file_format: Format | None = None,
    encoding: str | None = None,
    limit: int | None = None,
    on_fault: OnFault | None = None,
    on_found: Callable[[Found], object] = lambda _found: None,
) -> Iterator[Row]:
    """The rows of the recording at `path`, or of standard input for `-`, in order; it is read as they are taken.

    The format is `file_format`, else what the file's ending says, of standard input its beginning; the encoding is
    `encoding`, else the byte order mark's, else UTF-8. `columns` maps fields to the columns that hold them. Plain lines
    have one field, `text`. `on_fault` is told of rows that cannot be read; without it the first one raises.

    Raises RecordingError as soon as it meets what makes the rest unreadable: the rows before it were given by then.
    """
    asked = dict(columns or {})
    chosen = file_format or _format_of(path)
    text_column = asked.get("text", "text")
    told = on_fault or stop_at(path)
    header: list[str] = []

    def check(found: list[str], line: int) -> None:
        header.extend(found)
        _check_header(found, path, line, asked)

    with opened(path) as source:
        recognised: list[Found] = []

        def note(found: Found) -> None:
            recognised.append(found)
            on_found(found)

        read = values(
            source, path, chosen, text_column=text_column, encoding=encoding, asked=file_format is not None,
            on_fault=told, on_header=check, on_found=note,
        )  # fmt: skip
        first = list(islice(read, 1))
        plain = bool(recognised) and recognised[0].format == "lines"
        column = "text" if plain else text_column
        yield from rows_of(chain(first, read), path, {} if plain or header else asked, column, limit, told)


def rows_of(
    read: Iterator[tuple[int, Any]],
    path: Path | str,
    asked: Mapping[str, str],
    text_column: str,
    limit: int | None,
    on_fault: OnFault,
    no_text: str | None = None,
) -> Iterator[Row]:
    """The rows that values are, with the lines where they begin; `limit` of them at most.

    An object with a list `turns` is a conversation: each turn is a row, with the conversation's other fields before its
    own. What the turn has under any usual name goes before the conversation's, which is then kept as `conversation_`
    and its name: a call's `created_at` is not the time of a turn with a `timestamp`. A row without the column
    `text_column` has an empty text, where other rows have it; `no_text` is what to say where none has.

    Raises RecordingError: no row has a column that is `asked` for, or `text_column`.
    """
    missing = dict.fromkeys([text_column, *asked.values()])
    first: tuple[int, Mapping[str, object]] | None = None
    number = conversations = 0
    columns = Columns(asked)
    make = tuple.__new__  # twice as fast as Row(...), of which a file has millions
    for line, value in read:
        if not missing and isinstance(value, dict) and "turns" not in value and isinstance(value.get(text_column), str):
            number += 1  # of nearly all rows this is all there is to do
            yield make(Row, (number, line, value, value[text_column], True, 0, False, False, False))
        else:
            conversations += _is_conversation(value)
            for fields, within in islice(
                _rows_in(value, line, conversations, columns, on_fault), None if limit is None else limit - number
            ):
                number += 1
                if missing:
                    first = first or (line, fields)
                    for name in [name for name in missing if name in fields]:
                        del missing[name]
                text = text_of(fields.get(text_column))
                yield make(Row, (number, line, fields, text or "", text is not None, *within, False))
        if number == limit:
            break
    if missing and first is not None:
        line, fields = first
        name = next(iter(missing))
        if name == text_column and no_text is not None:
            raise RecordingError(f"{named(path)}, line {line}: {no_text}")
        raise RecordingError(
            f"{named(path)}, line {line}: no column {name!r}, nor in any later row; there are "
            f"{', '.join(fields) or 'none'}: " + (_NAME_IT + _vendors(fields) if name == text_column else "name one")
        )


def text_of(value: object) -> str | None:
    """The text that a field holds, none at all as an empty one; None where it holds something else.

    A number is one: a message of digits comes as a number from what turns tables into JSON.
    """
    if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, int | float):
        return json.dumps(value)
    return "" if value is None else value if isinstance(value, str) else None


def is_device(path: Path) -> bool:
    """Whether a device or a pipe is at `path`; not where nobody may look."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (S_ISREG(mode) or S_ISDIR(mode))


def can_be_read_twice(path: Path | str) -> bool:
    """Whether what is at `path` is still there when it was read: not standard input, nor a pipe like `<(zcat a.gz)`."""
    return str(path) != STDIN and not is_device(Path(path))


def digest(path: Path) -> str:
    """SHA-256 of the file's content, in hexadecimal: what a recording is known by. Raises RecordingError."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from None


def _format_of(path: Path | str) -> Format | None:
    """What the file's ending says; None for standard input."""
    ending = ending_of(path)
    if not ending and named(path) == "standard input":
        return None
    try:
        return FORMATS[ending]
    except KeyError:
        raise RecordingError(
            f"{path}: its ending does not tell the format ({', '.join(FORMATS)}, .json, .vtt, .srt and .vcon do): give "
            "--format csv, jsonl, lines, json (its content tells), or a vendor's"
        ) from None


_ONE_COLUMN: Final = "1 column"


def _check_header(header: list[str], path: Path | str, line: int, asked: Mapping[str, str]) -> None:
    # What stands there is not repeated: without a header it is a customer's words.
    text_column = asked.get("text", "text")
    count = f"{len(header)} columns" if len(header) > 1 else _ONE_COLUMN
    if text_column not in header:
        usual = [name for name in header if name.strip().lower() in {*_USUAL_NAMES, text_column.lower()}]
        hint = f"; is it {usual[0]!r}?" if usual else ""
        raise RecordingError(
            f"{named(path)}, line {line}: {count}, none of them {text_column!r}; no header? {_NAME_IT}{hint}"
        )
    for field, column in asked.items():
        if column not in header:
            near = get_close_matches(column, header, n=1, cutoff=0.8)
            hint = f"; is it {near[0]!r}?" if near else ""
            raise RecordingError(
                f"{named(path)}, line {line}: {count}, none of them {column!r}, which --column {field}={column} asks "
                f"for{hint}"
            )


class _Within(NamedTuple):
    """The fields of a `Row` that an object with turns tells."""

    conversation: int = 0
    counted: bool = False
    last: bool = False


_ALONE: Final = _Within()


def _is_conversation(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("turns"), list)


def _rows_in(
    value: Any, line: int, conversation: int, columns: Columns, on_fault: OnFault
) -> Iterator[tuple[Mapping[str, object], _Within]]:
    """The fields of the row that a value is, or of each turn of the conversation, which is that number of the file."""
    if not isinstance(value, dict):
        on_fault(Fault(line, "not a JSON object", json.dumps(value)))
    elif _is_conversation(value):
        turns = value["turns"]
        for fields, place in _turns(value, turns, line, columns, on_fault):
            yield fields, _Within(conversation, "turn" not in turns[place - 1], last=place == len(turns))
    else:
        yield value, _ALONE


def _turns(
    conversation: dict[str, object], turns: list[object], line: int, columns: Columns, on_fault: OnFault
) -> Iterator[tuple[dict[str, object], int]]:
    """The fields of each turn, with its place, from 1."""
    shared = {name: value for name, value in conversation.items() if name != "turns"}
    if "id" in shared:
        shared.setdefault("conversation_id", shared["id"])
        del shared["id"]
    for place, turn in enumerate(turns, 1):
        if isinstance(turn, dict):
            hidden = _hidden(shared, turn, columns)
            kept = {f"conversation_{name}" if name in hidden else name: value for name, value in shared.items()}
            yield kept | {"turn": place} | turn, place
        else:
            on_fault(Fault(line, f"turn {place} is not a JSON object", json.dumps(turn)))


def _hidden(shared: Mapping[str, object], turn: Mapping[str, object], columns: Columns) -> set[str]:
    """The names of a conversation's fields that would go before what the turn has under another name.

    Ids are none of them: what was sent under the conversation's keeps its id.
    """
    hidden: set[str] = set()
    for field, names in columns.plan({**shared, **turn}).fields:
        if field not in {"event_id", "conversation_id"}:
            own = next((place for place, name in enumerate(names) if not is_missing(turn.get(name))), 0)
            hidden.update(name for name in names[:own] if name not in turn and not is_missing(shared[name]))
    return hidden


def _vendors(fields: Mapping[str, object]) -> str:
    name = recognise(fields)
    return "" if name is None else f"; or, as it looks like {name}, give --format {name}"
