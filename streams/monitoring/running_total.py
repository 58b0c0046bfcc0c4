"""The total of many windows, kept up to date as each of them is replaced: what a live view asks for at each refresh."""

import zlib
from collections.abc import Callable
from math import ceil
from typing import NamedTuple

from schemas.codec import DecodeError
from schemas.records import MonitoringWindow
from streams.monitoring.window import Window


class _Held(NamedTuple):
    """A window as it stands in the total: its span, and its record, packed, for when it is taken out."""

    start: int
    end: int
    packed: bytes


class RunningTotal:
    """The total of the latest record of each window, by the windows' Kafka keys.

    Old counts are taken out and new ones added, which is exact, for counts, nano-dollars and bins are whole numbers. So
    a refresh takes one merge, however many windows there are. A window held takes some 1 KB.
    """

    def __init__(self, decode: Callable[[bytes], MonitoringWindow], *, since_ms: int | None = None) -> None:
        """`decode` reads a record's value; with `since_ms` (UTC) only windows that start then or later count."""
        self._decode = decode
        self._since_ms = since_ms
        self._held: dict[bytes, _Held] = {}
        self._total = Window(0, 0, -1)
        self._span_is_known = True

    def put(self, key: bytes, value: bytes | None) -> None:
        """Puts the record in `value` in the place of what is held under `key`; None (a tombstone) removes that.

        A value that is no window changes nothing.
        """
        window = None
        if value is not None:
            window = self._decoded(value)
            if window is None or (self._since_ms is not None and window.start < self._since_ms):
                return
        if key in self._held:
            self._take_out(key)
        if window is not None and value is not None:
            self._held[key] = _Held(window.start, window.end, zlib.compress(value, 1))
            self._total.merge(window)
        self._span_is_known = False

    def forget_before(self, start_ms: int) -> None:
        """Takes the windows that start before `start_ms` (UTC) out of the total, for good."""
        self._since_ms = max(start_ms, self._since_ms or 0)
        for key in [key for key, held in self._held.items() if held.start < start_ms]:
            self._take_out(key)
        self._span_is_known = False

    def window(self) -> Window:
        """A copy of the total: a window over the whole time, of no partition (-1)."""
        if not self._span_is_known:  # a window taken out may have made it smaller
            self._total.start = min((held.start for held in self._held.values()), default=0)
            self._total.end = max((held.end for held in self._held.values()), default=0)
            self._span_is_known = True
        total = Window(self._total.start, self._total.end, -1)
        total.merge(self._total)
        return total

    def spans(self, most: int) -> list[Window]:
        """All windows in `most` equal spans of time or fewer, merged each; a span without a window is left out.

        A span is a whole number of windows. It takes the time of merging all of them.
        """
        whole = self.window()
        longest = max((held.end - held.start for held in self._held.values()), default=1)
        length = ceil((whole.end - whole.start) / most / longest) * longest
        merged: dict[int, Window] = {}
        for held in self._held.values():
            at = (held.start - whole.start) // length
            window = self._decoded(zlib.decompress(held.packed))
            if window is not None:  # it could be read when it came
                merged.setdefault(at, Window(held.start, held.end, -1)).merge(window)
        return [merged[at] for at in sorted(merged)]

    def _take_out(self, key: bytes) -> None:
        window = self._decoded(zlib.decompress(self._held.pop(key).packed))
        if window is not None:  # it could be read when it came
            self._total.subtract(window)

    def _decoded(self, value: bytes) -> Window | None:
        try:
            return Window.from_record(self._decode(value))
        except (DecodeError, ValueError, OverflowError):
            return None
