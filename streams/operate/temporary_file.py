"""A temporary file of SQLite's: what a process keeps that is more than memory should hold."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from schemas.errors import EdgewiseError

MEMORY_KIB: Final = 16 * 1024
"""Of SQLite's cache, however large the file is."""


class TemporaryFileError(EdgewiseError):
    """The temporary file cannot be used."""


def temporary_file(tables: str) -> sqlite3.Connection:
    """A new file (in `TMPDIR`, gone with the process) with `tables`; threads may take turns at it.

    Raises `TemporaryFileError`.
    """
    with explained():
        file = sqlite3.connect("", isolation_level=None, check_same_thread=False)  # an empty name: a temporary file
        file.execute(f"PRAGMA cache_size = -{MEMORY_KIB}")
        file.execute("PRAGMA journal_mode = OFF")
        file.executescript(tables)
    return file


@contextmanager
def explained() -> Iterator[None]:
    """What goes wrong with a file, as an error that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise TemporaryFileError(
            f"the temporary file that records are kept in cannot be used ({error}): is the disk full? Make room, or "
            "set TMPDIR to a folder that can be written to"
        ) from None
