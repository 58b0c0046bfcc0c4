"""Where a command writes its result: standard output, or a file that appears only when it is whole."""

import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, TextIO

import typer

from schemas.errors import UsageError
from streams.files.recording import is_device

OutputFormat = Literal["csv", "jsonl"]
STANDARD_OUTPUT: Final = (None, Path("-"))
"""What stands for it as the file to write to."""

ENDINGS: Final[Mapping[str, OutputFormat]] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


@contextmanager
def text_output(path: Path | None, source: str = "-") -> Iterator[TextIO]:
    """The file at `path`, see `whole_file`, or standard output where it is None or `-`, as UTF-8.

    Raises UsageError: it can't be written there, or it is the file `source` that is being read.
    """
    if path in STANDARD_OUTPUT:
        yield sys.stdout
        return
    if _is_same(path, source):
        raise UsageError(f"{path} is the input, which would be lost: name another file")
    with whole_file(path) as file:
        yield file


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """A file to write text to, as UTF-8; it takes the place of `path` at the end.

    What is at `path` stays until then, and stays altogether when the writing fails: what was written so far is then
    beside it, as `path` and `.partial`, and a line on standard error says so. A device or a pipe is written directly.

    Raises UsageError: it can't be written there.
    """
    if is_device(path):
        with path.open("w", encoding="utf-8", newline="") as device:
            yield device
        return
    target = path.resolve()  # of a link, the file that it leads to
    try:
        if target.is_dir():
            raise UsageError(f"{path} can't be written: it is a folder")
        if target.exists() and not os.access(target, os.W_OK):
            raise UsageError(f"{path} can't be written: it is read-only")
        unfinished = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
        file = unfinished.open("x", encoding="utf-8", newline="")
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}") from None
    try:
        with file:
            yield file
        if target.exists():
            shutil.copymode(target, unfinished)
        unfinished.replace(target)
    except BaseException:
        _keep_partial(unfinished, path, target)
        raise


def _is_same(path: Path, other: str) -> bool:
    try:
        return path.samefile(other)
    except OSError:  # one of them is not there, or not to be seen
        return False


def _keep_partial(unfinished: Path, path: Path, target: Path) -> None:
    """Names what was written before a failure for what it is; where nothing was, nothing stays."""
    if not unfinished.stat().st_size:
        unfinished.unlink()
        return
    partial = target.with_name(f"{target.name}.partial")
    unfinished.replace(partial)
    kept = "stays as it was" if target.exists() else "was not written"
    typer.echo(f"edgewise: {path} {kept}; what was done before the failure is in {partial}", err=True)


def output_format(path: Path | None, chosen: OutputFormat | None, default: OutputFormat) -> OutputFormat:
    """The format to write: the one `chosen`, else what the file's ending says, `default` on standard output.

    Raises UsageError: the ending is that of no format that can be written.
    """
    if chosen is not None or path in STANDARD_OUTPUT:
        return chosen or default
    if path.suffix.lower() in ENDINGS:
        return ENDINGS[path.suffix.lower()]
    if is_device(path):
        return default
    raise UsageError(
        f"{path}: its ending is none of those that can be written, {', '.join(ENDINGS)}: take one of them, or name the "
        "format, csv or jsonl, as an option"
    )
