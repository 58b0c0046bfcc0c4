"""An agent's state over a topic of its own with more keys than memory holds: read back into a temporary file."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from schemas.errors import EdgewiseError
from schemas.topics import Topic
from schemas.validation import MAX_AHEAD_MS
from streams.agents.agent import ReadBack
from streams.system.clock import Clock

# SQLite's cache: so much of the file is held in memory, however large the file is.
MEMORY_KIB: Final = 16 * 1024

# What was written by other workers since the last time is read back; clocks may differ by so much.
_SKEW_MS = MAX_AHEAD_MS

# A value that nobody has looked at since it was read back.
UNSEEN: Final = -1

_DAY_MS = 24 * 60 * 60 * 1000

_TABLE = """
CREATE TABLE state (key BLOB PRIMARY KEY, value BLOB NOT NULL, partition INTEGER, due_at INTEGER, kept_at INTEGER)
WITHOUT ROWID;
CREATE INDEX due ON state (partition, due_at) WHERE due_at IS NOT NULL;
"""


_INSERT = "INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?, ?)"


class StateFileError(EdgewiseError):
    """The temporary file cannot be written or read."""


class Entry(NamedTuple):
    """A key's value, the input partition it belongs to, and when it is due (UTC ms), None: never."""

    key: bytes
    value: bytes
    partition: int
    due_at: int | None


class StateFile:
    """The latest value of every key of `topic`, as the agent has written it and as other workers have.

    The topic is the store. The file is a copy that begins empty and goes with the process, so that a key can be looked
    up without a read of the topic; SQLite makes it in `TMPDIR`, without a name. Changes are kept apart until `keep`,
    and `take_back` undoes them, as a transaction is committed or aborted.
    """

    def __init__(self, topic: Topic[Any], read_back: ReadBack, clock: Clock, kept_days: int) -> None:
        """`kept_days`: what was not written for so long is forgotten, as the topic's retention does."""
        self._topic = topic
        self._read_back = read_back
        self._clock = clock
        self._kept_ms = kept_days * _DAY_MS
        self._read_at_ms: int | None = None  # when the topic was last read
        self._swept_at_ms = clock()
        self._is_stale = True
        with _explained():
            # An empty name is a temporary file. One thread at a time uses it, but not always the same.
            self._file = sqlite3.connect("", isolation_level="DEFERRED", check_same_thread=False)
            self._file.execute(f"PRAGMA cache_size = -{MEMORY_KIB}")
            self._file.executescript(_TABLE)

    def refresh(self) -> None:
        """Reads back what may have been written by others, if `take_back` was called; the first time, all there is.

        Raises what reading raises, and `StateFileError`.
        """
        if not self._is_stale:
            return
        now = self._clock()
        since = 0 if self._read_at_ms is None else max(0, self._read_at_ms - _SKEW_MS)
        for number, (key, value) in enumerate(self._read_back(self._topic, since)):
            if key is None:  # nothing that an agent wrote
                continue
            with _explained():
                if value is None:
                    self._file.execute("DELETE FROM state WHERE key = ?", (key,))
                else:
                    # Due at once, what was written last first: of a month's conversations those that are open.
                    self._file.execute(_INSERT, (key, value, UNSEEN, -number, now))
        self.keep()
        self._read_at_ms, self._is_stale = now, False

    def values(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The values of those of `keys` that have one. Raises `StateFileError`."""
        with _explained():
            found = {
                key: self._file.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone() for key in keys
            }
        return {key: row[0] for key, row in found.items() if row is not None}

    def due(self, now_ms: int, partition: int, most: int) -> list[tuple[bytes, bytes]]:
        """Keys and values of `partition`, at most so many, that are due at `now_ms` (UTC). Raises `StateFileError`.

        In partition `UNSEEN` are those that were read back; `put` says where they belong.
        """
        asked = "SELECT key, value FROM state WHERE partition = ? AND due_at <= ? ORDER BY due_at LIMIT ?"
        with _explained():
            return self._file.execute(asked, (partition, now_ms, most)).fetchall()

    def put(self, entries: Sequence[Entry]) -> None:
        """Holds `entries`, until `take_back` unless `keep` is called before. Raises `StateFileError`."""
        now = self._clock()
        with _explained():
            self._file.executemany(_INSERT, ((*entry, now) for entry in entries))

    def keep(self) -> None:
        """What was put is committed to the topic. Raises `StateFileError`."""
        now = self._clock()
        with _explained():
            if now - self._swept_at_ms >= _DAY_MS:
                self._file.execute("DELETE FROM state WHERE kept_at < ?", (now - self._kept_ms,))
                self._swept_at_ms = now
            self._file.commit()

    def take_back(self) -> None:
        """What was put since `keep` was never committed; and others may have written since."""
        with _explained():
            self._file.rollback()
        self._is_stale = True

    def close(self) -> None:
        """Ends the file."""
        self._file.close()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StateFileError(
            f"the temporary file of the agent's state cannot be used ({error}): is the disk full? Make room, or set "
            "TMPDIR to a folder that can be written to"
        ) from None
