"""Every conversation's risk and where its state lies, of any number of them: what the page lists, and looks up."""

from collections import Counter
from collections.abc import Iterable
from math import isfinite
from threading import Lock
from typing import Final, NamedTuple

from schemas.records import ConversationState
from streams.operate.temporary_file import explained, temporary_file

_TABLES: Final = """
CREATE TABLE conversations (key BLOB PRIMARY KEY, partition INTEGER, place INTEGER, written_at INTEGER, risk REAL,
    status TEXT, channel TEXT, turns INTEGER, last_turn_at INTEGER, reasons TEXT)
WITHOUT ROWID;
CREATE INDEX risks ON conversations (risk);
"""


class StateRecord(NamedTuple):
    """A record of `conversations`; without a state it was deleted, or cannot be read."""

    partition: int
    offset: int
    key: bytes
    written_at: int  # UTC ms
    state: ConversationState | None


class Place(NamedTuple):
    """Where a record is in its topic."""

    partition: int
    offset: int


class Listed(NamedTuple):
    """What a list says of a conversation: nothing of what was said."""

    conversation_id: str
    risk: float
    status: str
    channel: str
    turns: int
    last_turn_at: int  # UTC ms
    reasons: tuple[str, ...]


class RiskIndex:
    """The latest state of each conversation, in short, in a temporary file. Threads may share it.

    What the file does not hold, the turns, is read again from where the state lies in `conversations`.
    """

    def __init__(self) -> None:
        self._file = temporary_file(_TABLES)
        self._lock = Lock()
        self._by_status: Counter[str] = Counter()
        self.changes = 0  # counts what `put` has done

    def put(self, records: Iterable[StateRecord]) -> None:
        """Takes `records`, of each key in the order in which they were written. Raises `TemporaryFileError`."""
        with self._lock, explained():
            self._file.execute("BEGIN")
            for record in records:
                self._put(record)
                self.changes += 1
            self._file.execute("COMMIT")

    def forget_before(self, written_ms: int) -> None:
        """Takes those out that were last written before `written_ms` (UTC). Raises `TemporaryFileError`."""
        with self._lock, explained():
            gone = "FROM conversations WHERE written_at < ?"
            for status, count in self._file.execute(f"SELECT status, count(*) {gone} GROUP BY status", (written_ms,)):
                self._by_status[status] -= count
            self._file.execute(f"DELETE {gone}", (written_ms,))

    def by_status(self) -> dict[str, int]:
        """How many conversations are open, ended and timed out."""
        with self._lock:
            return {status: count for status, count in sorted(self._by_status.items()) if count}

    def at_risk(self, threshold: float) -> dict[str, int]:
        """The same of those whose risk is `threshold` or more."""
        asked = "SELECT status, count(*) FROM conversations WHERE risk >= ? GROUP BY status ORDER BY status"
        with self._lock, explained():
            return dict(self._file.execute(asked, (threshold,)).fetchall())

    def highest(self, most: int, status: str | None = None, after: int = 0) -> list[Listed]:
        """Up to `most` of them, the highest risk first, without the first `after`; with `status` those that have it."""
        asked = (
            "SELECT key, risk, status, channel, turns, last_turn_at, reasons FROM conversations "
            "WHERE ?1 IS NULL OR status = ?1 ORDER BY risk DESC, key LIMIT ?2 OFFSET ?3"
        )
        with self._lock, explained():
            rows = self._file.execute(asked, (status, most, after)).fetchall()
        return [
            Listed(
                key.decode(errors="replace"), risk, held, channel, turns, at, tuple(filter(None, reasons.split(",")))
            )
            for key, risk, held, channel, turns, at, reasons in rows
        ]

    def place(self, conversation_id: str) -> Place | None:
        """Partition and offset of the conversation's state in `conversations`; None: it is not known."""
        asked = "SELECT partition, place FROM conversations WHERE key = ?"
        with self._lock, explained():
            row = self._file.execute(asked, (conversation_id.encode(errors="replace"),)).fetchone()
        return None if row is None else Place(*row)

    def close(self) -> None:
        """Ends the file."""
        with self._lock:
            self._file.close()

    def _put(self, record: StateRecord) -> None:
        held = self._file.execute("SELECT status FROM conversations WHERE key = ?", (record.key,)).fetchone()
        if held is not None:
            self._by_status[held[0]] -= 1
        if record.state is None or not isfinite(record.state.risk):  # SQLite has no NaN, and a list no place for it
            self._file.execute("DELETE FROM conversations WHERE key = ?", (record.key,))
            return
        state = record.state
        self._by_status[state.status] += 1
        place = (record.key, record.partition, record.offset, record.written_at)
        figures = (state.risk, state.status, state.channel, state.turns.get("overall", 0), state.last_turn_at)
        row = (*place, *figures, ",".join(state.risk_reasons))
        self._file.execute("INSERT OR REPLACE INTO conversations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
