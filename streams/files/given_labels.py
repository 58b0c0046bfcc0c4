"""What people say events' sentiments are, from a file of rows."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from recordings.fault import Fault, OnFault, named
from recordings.read import FORMATS, Format, ending_of, values
from recordings.source import opened
from schemas.errors import UsageError
from schemas.records import LABELS, Label
from schemas.validation import CLOCK_SKEW_MS, MAX_ID_CHARS
from streams.files.columns import COLUMNS, Columns
from streams.files.identity import given_id
from streams.files.recorded_time import Times, milliseconds

LABEL_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "event_id": COLUMNS["event_id"],
    "conversation_id": COLUMNS["conversation_id"],
    "label": ("label",),
    "labelled_at": ("labelled_at", "labeled_at"),
    "labeller": ("labeller", "labeler", "annotator"),
    "source": ("source",),
}
"""The columns that a label's fields are taken from, as `COLUMNS` says of an event's."""

_LABEL_OF: Final[Mapping[str, Label]] = {label: label for label in LABELS}


class GivenLabel(NamedTuple):
    """A row: what a person says of an event."""

    event_id: str
    conversation_id: str
    label: Label
    labelled_at: int  # UTC ms
    labeller: str | None
    source: str


def given_labels(
    path: Path | str,
    columns: Mapping[str, str],
    file_format: str | None,
    encoding: str | None,
    now_ms: int,
    on_fault: OnFault,
) -> Iterator[GivenLabel]:
    """The labels of the rows of a CSV or JSON file, or of standard input for `-`, in order.

    `columns` maps fields to the columns that hold them, where those are not called as `LABEL_COLUMNS` says. A row
    without a time was labelled now, one without a source comes from the file. `on_fault` is told of a row that is no
    label.

    Raises UsageError: no such format; RecordingError: the file cannot be read, or is not of its format.
    """
    chosen = _format(path, file_format)
    found = Columns(columns, LABEL_COLUMNS)
    name = path.name if isinstance(path, Path) else named(path)
    times = Times(latest_ms=now_ms + CLOCK_SKEW_MS)
    with opened(path) as source:
        read = values(
            source, path, chosen, text_column=columns.get("label", "label"), encoding=encoding,
            asked=file_format is not None, on_fault=on_fault,
        )  # fmt: skip
        for line, value in read:
            try:
                yield _label(value, found, name, now_ms, times)
            except ValueError as error:
                on_fault(Fault(line, str(error), json.dumps(value, ensure_ascii=False)))


def _format(path: Path | str, asked: str | None) -> Format | None:
    """What `--format` says, else the file's ending; None: the content tells."""
    known: dict[str, Format] = {"csv": "csv", "jsonl": "jsonl", "json": "jsonl"}
    if asked is not None:
        if asked not in known:
            raise UsageError(f"--format {asked}: labels are read from {', '.join(known)}")
        return known[asked]
    ending = ending_of(path)
    chosen = "jsonl" if ending == ".json" else FORMATS.get(ending)
    if chosen == "lines" or (chosen is None and ending):
        raise UsageError(f"{path}: its ending says nothing of labels: give --format {', '.join(known)}")
    return chosen


def _label(value: object, columns: Columns, name: str, now_ms: int, times: Times) -> GivenLabel:
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - of all that is wrong with a row
    found, _ = columns.split(value)

    def text(field: str) -> str | None:
        given = given_id(value, found.get(field))
        if given is not None and len(given) > MAX_ID_CHARS:
            raise ValueError(f"its {field} is longer than {MAX_ID_CHARS} characters")
        return given

    event_id, conversation_id, label = (_needed(field, text) for field in ("event_id", "conversation_id", "label"))
    if (known := _LABEL_OF.get(label.strip().lower())) is None:
        raise ValueError(f"its label is none of {', '.join(LABELS)}")
    at = found.get("labelled_at")
    return GivenLabel(
        event_id,
        conversation_id,
        known,
        now_ms if at is None else _time(value[at], times),
        text("labeller"),
        text("source") or name,
    )


def _needed(field: str, text: Callable[[str], str | None]) -> str:
    found = text(field)
    if found is None:
        usual = " or ".join(LABEL_COLUMNS[field][:3])
        raise ValueError(f"it has no {field}: name its column as --column {field}=NAME, or call it {usual}")
    return found


def _time(value: object, times: Times) -> int:
    try:
        return milliseconds(value, times)
    except ValueError as error:
        raise ValueError(f"its labelled_at {error}") from None
