"""The monitor's windows merged by hour as they come, of any number of them: what a page that stays open shows."""

import zlib
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Final, NamedTuple

from schemas.codec import DecodeError
from schemas.records import MonitoringWindow
from streams.agents.open_windows import HOUR_MS, WindowKey
from streams.monitoring.period import DAY_MS, Period, merged
from streams.monitoring.window import Window
from streams.operate.temporary_file import explained, temporary_file

_TABLES: Final = """
CREATE TABLE windows (key BLOB PRIMARY KEY, place INTEGER, start INTEGER, events INTEGER, state INTEGER, value BLOB)
WITHOUT ROWID;
CREATE INDEX starts ON windows (start);
CREATE INDEX waiting ON windows (start) WHERE state = 0;
CREATE INDEX unreadable ON windows (start) WHERE state = 2;
"""

# What has become of a window's latest record.
_WAITS, _IS_MERGED, _IS_UNREADABLE = range(3)


class WindowRecord(NamedTuple):
    """A record of `monitoring`."""

    offset: int
    key: bytes
    value: bytes | None


class HourlyWindows:
    """The latest record of each window, in a temporary file, and all of them merged by the hour in which they start.

    In memory are the hours alone, some 20 KB each. A record that replaces another is exchanged for it: merging is
    exact, so the hours add up to what `edgewise verify` recounts. Records may come in any order, as their offsets tell
    which is the later one, and are merged when `merge` is called, the latest windows first. Threads may share it.
    """

    def __init__(self, decode: Callable[[bytes], MonitoringWindow], since_ms: int) -> None:
        """`decode` reads a record's value; only windows that start at `since_ms` (UTC) or later count."""
        self._decode = decode
        self._since_ms = since_ms
        self._file = temporary_file(_TABLES)
        self._lock = Lock()
        self._hours: dict[int, Window] = {}
        self._days: dict[int, Window] = {}  # of hours; one that has changed is not there
        self.changes = 0  # counts what `merge` has done

    def put(self, records: Iterable[WindowRecord]) -> None:
        """Keeps what is later than what is held, to be merged; a record whose key is no window's is left out.

        Raises `TemporaryFileError`.
        """
        latest: dict[bytes, WindowRecord] = {}
        for record in records:
            if record.key not in latest or latest[record.key].offset < record.offset:
                latest[record.key] = record
        with self._lock, explained():
            self._file.execute("BEGIN")
            for record in latest.values():
                named = WindowKey.decoded(record.key)
                if named is not None and named.start >= self._since_ms:
                    self._put(named.start, record)
            self._file.execute("COMMIT")

    def merge(self, most: int) -> int:
        """Merges up to `most` windows that wait, the latest first; how many there were. Raises `TemporaryFileError`."""
        asked = "SELECT key, value FROM windows WHERE state = 0 ORDER BY start DESC LIMIT ?"
        with self._lock, explained():
            waiting = self._file.execute(asked, (most,)).fetchall()
            self._file.execute("BEGIN")
            for key, value in waiting:
                window = None if value is None else self._decoded(zlib.decompress(value))
                if window is not None:
                    self._hour(window).merge(window)
                state = _IS_MERGED if window is not None or value is None else _IS_UNREADABLE
                events = 0 if window is None else window.events
                self._file.execute("UPDATE windows SET state = ?, events = ? WHERE key = ?", (state, events, key))
            self._file.execute("COMMIT")
            self.changes += len(waiting)
        return len(waiting)

    def forget_before(self, start_ms: int) -> None:
        """Takes the hours that start before `start_ms` (UTC) out, for good. Raises `TemporaryFileError`."""
        first = start_ms // HOUR_MS * HOUR_MS
        with self._lock, explained():
            self._since_ms = max(self._since_ms, first)
            self._file.execute("DELETE FROM windows WHERE start < ?", (first,))
            for hour in [hour for hour in self._hours if hour * HOUR_MS < first]:
                self._take_hour_out(hour)

    def hours(self, since_ms: int, until_ms: int) -> dict[int, Window]:
        """The hours with windows from that of `since_ms` on that start before `until_ms` (UTC), in order, as copies."""
        with self._lock:
            wanted = sorted(hour for hour in self._hours if since_ms // HOUR_MS <= hour and hour * HOUR_MS < until_ms)
            return {hour: merged([self._hours[hour]]) for hour in wanted}

    def period(self, since_ms: int) -> Period:
        """The days from that of `since_ms` (UTC) on."""
        with self._lock, explained():
            by_day: dict[int, list[Window]] = {}
            for hour, window in sorted(self._hours.items()):
                day = hour * HOUR_MS // DAY_MS
                if day >= since_ms // DAY_MS and day not in self._days:
                    by_day.setdefault(day, []).append(window)
            self._days |= {day: merged(windows) for day, windows in by_day.items()}
            period = Period(max(since_ms, self._since_ms) // DAY_MS * DAY_MS)
            for day in sorted(self._days):
                period.add(self._days[day])
            period.unreadable = self._count(_IS_UNREADABLE)
            return period

    def events_since(self, start_ms: int) -> int:
        """The events, scored and answered, of the windows that start at `start_ms` (UTC) or later."""
        with self._lock, explained():
            asked = "SELECT coalesce(sum(events), 0) FROM windows WHERE start >= ?"
            return int(self._file.execute(asked, (start_ms,)).fetchone()[0])

    def waiting(self) -> int:
        """How many windows are yet to be merged."""
        with self._lock, explained():
            return self._count(_WAITS)

    def close(self) -> None:
        """Ends the file."""
        with self._lock:
            self._file.close()

    def _put(self, start: int, record: WindowRecord) -> None:
        asked = "SELECT place, state, value FROM windows WHERE key = ?"
        held = self._file.execute(asked, (record.key,)).fetchone()
        if held is not None:
            place, state, value = held
            if place >= record.offset:
                return
            if state == _IS_MERGED and value is not None:
                self._take_out(value)
        packed = None if record.value is None else zlib.compress(record.value, 1)
        row = (record.key, record.offset, start, 0, _WAITS, packed)
        self._file.execute("INSERT OR REPLACE INTO windows VALUES (?, ?, ?, ?, ?, ?)", row)

    def _take_out(self, value: bytes) -> None:
        window = self._decoded(zlib.decompress(value))
        if window is not None:  # it could be read when it came
            self._hour(window).subtract(window)

    def _hour(self, window: Window) -> Window:
        """The hour that `window` belongs to, which is going to change."""
        hour = window.start // HOUR_MS
        self._days.pop(hour * HOUR_MS // DAY_MS, None)
        return self._hours.setdefault(hour, Window(window.start, window.end, -1))

    def _take_hour_out(self, hour: int) -> None:
        del self._hours[hour]
        self._days.pop(hour * HOUR_MS // DAY_MS, None)

    def _count(self, state: int) -> int:
        return int(self._file.execute("SELECT count(*) FROM windows WHERE state = ?", (state,)).fetchone()[0])

    def _decoded(self, value: bytes) -> Window | None:
        try:
            return Window.from_record(self._decode(value))
        except (DecodeError, ValueError, OverflowError):
            return None
