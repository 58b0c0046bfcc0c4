"""The rows of a file of any kind: a recording (CSV, JSON, text), or what a vendor sends."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from recordings.fault import OnFault
from recordings.read import PLAIN, Found, ending_of
from schemas.errors import UsageError
from streams.files.formats.registry import FORMATS
from streams.files.recording import Row, read_recording
from streams.files.vendor_file import ENDINGS, LeftOutCounts, Vendor, vendor_rows

BY_CONTENT: Final = "json"
"""The name of the format that says only that a file is JSON: which it is, its content tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """How a file is read, as a command's options say it.

    `columns` maps fields to the columns of a recording that hold them. The format is `file_format`, else what the
    file's ending says, else its content; `encoding` where it is not what the file's beginning tells. `vendor`, with a
    mapping or the roles and the start that a vendor does not tell, is of vendors' files. `limit` is how many rows are
    read, from the first.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    file_format: str | None = None
    encoding: str | None = None
    limit: int | None = None
    vendor: Vendor = field(default_factory=Vendor)


def read_rows(
    path: Path | str,
    given: Input = Input(),
    *,
    on_left_out: Callable[[LeftOutCounts], object] = lambda _: None,
    on_fault: OnFault | None = None,
    on_found: Callable[[Found], object] = lambda _: None,
) -> Iterator[Row]:
    """The rows of the file at `path`, or of standard input for `-`, in order.

    `on_left_out` is told what in a vendor's file was no turn, `on_fault` of rows that cannot be read: without it the
    first one raises. `on_found` is told what the file was recognised as.

    Raises UsageError: there is no such format, or both a format and a mapping are given. RecordingError.
    """
    file_format, vendor = given.file_format, given.vendor
    if vendor.mapping is not None and file_format is not None:
        raise UsageError("--format and --mapping: give one of them, a mapping describes a format of its own")
    plain = next((each for each in PLAIN if each == file_format), None)
    ending = ending_of(path)
    if plain is not None or (vendor.mapping is None and file_format is None and ending not in ENDINGS):
        return read_recording(
            path,
            columns=given.columns,
            file_format=plain,
            encoding=given.encoding,
            limit=given.limit,
            on_fault=on_fault,
            on_found=on_found,
        )
    if file_format not in {None, BY_CONTENT, *FORMATS}:
        raise UsageError(
            f"--format {file_format}: there are {', '.join(PLAIN)}, {BY_CONTENT} (its content tells), "
            f"{', '.join(FORMATS)}"
        )
    name = file_format if file_format in FORMATS else None if file_format == BY_CONTENT else ENDINGS.get(ending)
    return vendor_rows(
        path,
        vendor if vendor.mapping is not None else replace(vendor, name=name),
        {field: column for field, column in given.columns.items() if field != column},
        encoding=given.encoding,
        limit=given.limit,
        on_left_out=on_left_out,
        on_fault=on_fault,
        on_found=on_found,
    )
