"""What is wrong with a file, and with one row of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from schemas.errors import UsageError

STDIN: Final = "-"
"""The path that stands for standard input."""


class RecordingError(UsageError):
    """A recording that cannot be read: the message names the file, the line, and what is wrong there."""


class Fault(NamedTuple):
    """A row that cannot be read. `what` never repeats what stands there: it may be a customer's words."""

    line: int  # of the file where it begins, from 1
    what: str
    content: str  # the row as it stands in the file, as far as it is known


OnFault = Callable[[Fault], None]
"""Told of a row that cannot be read: the reader goes on with the next one, unless this raises."""


def named(path: Path | str) -> str:
    """How an error names the file at `path`."""
    return "standard input" if str(path) == STDIN else str(path)


def stop_at(path: Path | str) -> OnFault:
    """What raises RecordingError at the first fault, with the file's name and the line."""

    def stop(fault: Fault) -> None:
        raise RecordingError(f"{named(path)}, line {fault.line}: {fault.what}")

    return stop
