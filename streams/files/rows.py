"""The rows of a file of any kind: a recording (CSV, JSON lines, text), or what a vendor sends."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, get_args

from schemas.errors import UsageError
from streams.files import recording
from streams.files.formats.registry import FORMATS
from streams.files.recording import STDIN, Row, read_recording
from streams.files.vendor_file import ENDINGS, LeftOutCounts, Vendor, vendor_rows

BY_CONTENT: Final = "json"
"""The name of the format that says only that a file is JSON: which it is, its content tells."""


def read_rows(
    path: Path | str,
    *,
    columns: Mapping[str, str] | None = None,
    file_format: str | None = None,
    vendor: Vendor = Vendor(),  # noqa: B008 - frozen
    on_left_out: Callable[[LeftOutCounts], object] = lambda _: None,
) -> Iterator[Row]:
    """The rows of the file at `path`, or of standard input for `-`, in order.

    The format is `file_format`, else what the file's ending says, else its content. `columns` are of recordings;
    `vendor`, with a mapping or the roles and the start that a vendor does not tell, is of vendors' files. `on_left_out`
    is told what in a vendor's file was no turn.

    Raises UsageError: there is no such format, or both a format and a mapping are given. RecordingError.
    """
    if vendor.mapping is not None and file_format is not None:
        raise UsageError("--format and --mapping: give one of them, a mapping describes a format of its own")
    ending = "" if str(path) == STDIN else Path(path).suffix.lower()
    if vendor.mapping is None and file_format is None and ending not in ENDINGS:
        return read_recording(path, columns=columns)
    for plain in get_args(recording.Format):
        if file_format == plain:
            return read_recording(path, columns=columns, file_format=plain)
    if file_format not in {None, BY_CONTENT, *FORMATS}:
        raise UsageError(
            f"--format {file_format}: there are {', '.join(get_args(recording.Format))}, {BY_CONTENT} (its content "
            f"tells), {', '.join(FORMATS)}"
        )
    name = file_format if file_format in FORMATS else None if file_format == BY_CONTENT else ENDINGS.get(ending)
    chosen = vendor if vendor.mapping is not None else replace(vendor, name=name)
    given = {field: column for field, column in (columns or {}).items() if field != column}
    return vendor_rows(path, chosen, given, on_left_out)
