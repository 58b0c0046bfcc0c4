"""The monitor's windows in memory, over `monitoring` as their store, from which they are read back when needed."""

from collections import OrderedDict
from collections.abc import Collection

from schemas.codec import DecodeError
from schemas.errors import EdgewiseError
from schemas.topics import MONITORING
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.reader import read_topic
from streams.monitoring.window import Window
from streams.system.clock import Clock

HOUR_MS = 3_600_000
# The clocks of workers and broker agree to within this: a window is never written earlier than this before it starts.
SKEW_MS = 600_000
# Windows held. Each takes up to 30 KB (two sketches of some 500 bins), so that is 30 MB; 16 partitions need it for an
# hour of windows of a minute. What is dropped is read back when an event comes for it after all.
CAPACITY = 1024

Key = tuple[int, int]  # window start, partition of routing-events


class StateError(EdgewiseError):
    """A window that `monitoring` holds cannot be read, so its events cannot be counted on."""


def window_key(key: Key) -> bytes:
    """The Kafka key of a window: its start and source partition."""
    return b"%d:%d" % key


class OpenWindows:
    """Windows by key; one that may have been written before is read back before it is changed.

    A window counts as new, with nothing read, only when it is known that `monitoring` holds none:
    everything that starts at `_covered_from` or later and not in the future has been read since the last reset, or was
    made here; so has every hour in `_hours`. An ordinary new window is therefore free, the first one after a restart
    costs a read of the last minutes, a late one a read since its hour, and one from the future, which may have been
    written at any time, a read of the whole topic.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._codec = codec(settings, MONITORING)
        self._windows: OrderedDict[Key, Window] = OrderedDict()
        self._covered_from: int | None = None
        self._hours: set[int] = set()

    def read_back(self, keys: Collection[Key]) -> None:
        """Make every one of `keys` safe to open: read those from `monitoring` that it may hold.

        Raises what `read_topic` raises, and `StateError`.
        """
        now = self._clock()
        missing = [start for start, partition in keys if not self._is_known((start, partition), now)]
        if not missing:
            return
        near = [start for start in missing if now - HOUR_MS <= start <= now + SKEW_MS]
        other = [start for start in missing if start not in near]
        since = [start - SKEW_MS for start in near]
        since += [0 if start > now + SKEW_MS else start // HOUR_MS * HOUR_MS - SKEW_MS for start in other]
        covered_from = min([*near, *([] if self._covered_from is None else [self._covered_from])], default=None)
        hours = {start // HOUR_MS for start in other}

        latest: dict[Key, bytes | None] = {}
        for message in read_topic(self._settings, MONITORING, since_ms=max(0, min(since))):
            key = _parse_key(message.key())
            if key is None or key in self._windows:
                continue
            if (covered_from is not None and key[0] >= covered_from) or key[0] // HOUR_MS in hours:
                latest[key] = message.value()
        for key in sorted(latest):
            self._restore(key, latest[key])
        self._covered_from = covered_from
        self._hours |= hours

    def open(self, key: Key) -> Window:
        """The window of `key`, for which `read_back` has been called; a new one when nothing is known of it."""
        window = self._windows.get(key)
        if window is None:
            start, partition = key
            window = self._windows[key] = Window(start, start + self._settings.window_s * 1000, partition)
        self._windows.move_to_end(key)
        return window

    def trim(self) -> None:
        """Drop the windows that were not opened for the longest time, down to the capacity."""
        while len(self._windows) > CAPACITY:
            key = next(iter(self._windows))
            del self._windows[key]
            self._hours.discard(key[0] // HOUR_MS)
            if self._covered_from is not None:
                self._covered_from = max(self._covered_from, key[0] + 1)

    def _is_known(self, key: Key, now: int) -> bool:
        start, _ = key
        covered = self._covered_from is not None and self._covered_from <= start <= now + SKEW_MS
        return key in self._windows or covered or start // HOUR_MS in self._hours

    def _restore(self, key: Key, value: bytes | None) -> None:
        if value is None:
            return  # a tombstone: somebody deleted the window
        try:
            self._windows[key] = Window.from_record(self._codec.decode(value))
        except (DecodeError, ValueError) as error:
            raise StateError(
                f"the window {window_key(key).decode()} in topic {self._settings.topic(MONITORING)} cannot be read "
                f"({error}): delete that key, and its events are counted from zero, or restore its value"
            ) from None


def _parse_key(key: bytes | str | None) -> Key | None:
    """The key that `window_key` wrote, or None for any other."""
    start, _, partition = key.partition(b":") if isinstance(key, bytes) else (b"", b"", b"")
    try:
        return int(start), int(partition)
    except ValueError:
        return None
