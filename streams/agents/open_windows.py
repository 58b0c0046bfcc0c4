"""The monitor's windows: which are in memory, which are known to be new, which must be read back from `monitoring`."""

from collections.abc import Collection
from typing import NamedTuple

from schemas.topics import MONITORING
from schemas.validation import MAX_AHEAD_MS
from streams.agents.agent import ReadBack
from streams.agents.topic_state import TopicState
from streams.config.settings import Settings
from streams.monitoring.window import Window
from streams.system.clock import Clock

HOUR_MS = 3_600_000

# The clocks of workers and broker agree to within this, and the monitor takes no event that is further ahead of its own
# clock. So a window is never written earlier than this before it starts.
SKEW_MS = MAX_AHEAD_MS

# Each window takes up to 30 KB (two sketches of some 500 bins), so that 1,024 take 30 MB. On 16 partitions an hour of
# windows of a minute needs as many. What is dropped is read back when an event comes for it after all.
CAPACITY = 1024


class WindowKey(NamedTuple):
    """What a window is known by: its start in UTC milliseconds, and its partition of `routing-events`."""

    start: int
    partition: int

    def encoded(self) -> bytes:
        """The Kafka key of the window."""
        return b"%d:%d" % self

    @classmethod
    def decoded(cls, key: bytes) -> "WindowKey | None":
        """The key that `encoded` gave, None for any other."""
        start, _, partition = key.partition(b":")
        try:
            found = cls(int(start), int(partition))
        except ValueError:
            return None
        return found if abs(found.start) < 2**63 else None  # as Avro's longs are, and SQLite's


class OpenWindows:
    """Windows by key; one that may have been written before is read back before it is changed.

    A window counts as new, with nothing read, only when it is known that `monitoring` holds none. Of each partition,
    everything that starts at `_covered_from` or later was read since its positions were last set back, or was made
    here; so was every hour in `_hours`. An ordinary new window is therefore free. The first one after a restart costs a
    read of the last minutes, and a late one a read since its hour.
    """

    def __init__(self, settings: Settings, read_back: ReadBack, clock: Clock, capacity: int = CAPACITY) -> None:
        self._length_ms = settings.window_s * 1000
        self._clock = clock
        self._windows = TopicState(settings, MONITORING, Window.from_record, read_back, capacity)
        self._covered_from: dict[int, int] = {}  # by partition
        self._hours: set[tuple[int, int]] = set()  # partition, hour since 1970

    def read_back(self, keys: Collection[WindowKey]) -> None:
        """Makes every one of `keys` safe to open: reads those from `monitoring` that it may hold.

        Raises `StateError`, and what reading raises.
        """
        missing = [key for key in keys if not self._is_known(key)]
        if not missing:
            return
        recent = self._clock() - HOUR_MS
        since: list[int] = []
        covered = dict(self._covered_from)
        hours = set[tuple[int, int]]()
        for start, partition in missing:
            if start >= recent:
                covered[partition] = min(start, covered.get(partition, start))
                since.append(start - SKEW_MS)
            else:
                hours.add((partition, start // HOUR_MS))
                since.append(start // HOUR_MS * HOUR_MS - SKEW_MS)

        def wanted(encoded: bytes) -> bool:
            key = WindowKey.decoded(encoded)
            if key is None:
                return False
            within = key.partition in covered and key.start >= covered[key.partition]
            return within or (key.partition, key.start // HOUR_MS) in hours

        self._windows.read_back(max(0, min(since)), wanted)
        self._covered_from = covered
        self._hours |= hours

    def open(self, key: WindowKey) -> Window:
        """The window of `key`, for which `read_back` has been called; a new one when nothing is known of it."""
        window = self._windows.get(key.encoded())
        if window is None:
            window = Window(key.start, key.start + self._length_ms, key.partition)
            self._windows.put(key.encoded(), window)
        return window

    def trim(self) -> None:
        """Drops the windows that were not opened for the longest time, down to the capacity."""
        for encoded in self._windows.trim():
            if (key := WindowKey.decoded(encoded)) is not None:
                self._hours.discard((key.partition, key.start // HOUR_MS))
                if key.partition in self._covered_from:
                    self._covered_from[key.partition] = max(self._covered_from[key.partition], key.start + 1)

    def forget(self, partitions: Collection[int]) -> None:
        """Drops all that is known of these partitions of `routing-events`."""
        self._windows.forget(lambda key: (decoded := WindowKey.decoded(key)) is None or decoded.partition in partitions)
        for partition in partitions:
            self._covered_from.pop(partition, None)
        self._hours = {(partition, hour) for partition, hour in self._hours if partition not in partitions}

    def _is_known(self, key: WindowKey) -> bool:
        covered_from = self._covered_from.get(key.partition)
        return (
            key.encoded() in self._windows
            or (covered_from is not None and key.start >= covered_from)
            or (key.partition, key.start // HOUR_MS) in self._hours
        )
