"""What a stretch of time comes to: the monitor's windows by day and month, UTC, and all together."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from streams.monitoring.window import Window

DAY_MS: Final = 86_400_000


class Period:
    """The windows that start at `since_ms` (UTC) or later, merged by the day on which they start.

    It holds one window a day, whatever their number. Merging is exact, so the days add up to the total.
    """

    def __init__(self, since_ms: int) -> None:
        self.since_ms = since_ms
        self.unreadable = 0  # windows that could not be read, and are in no count
        self._days: dict[int, Window] = {}

    def add(self, window: Window) -> None:
        """Counts `window`, the latest record of its key; one that starts before the period is left out."""
        if window.start >= self.since_ms:
            number = window.start // DAY_MS
            if number not in self._days:
                self._days[number] = Window(window.start, window.end, -1)
            self._days[number].merge(window)

    @property
    def days(self) -> dict[int, Window]:
        """By the number of the day since 1970-01-01, in order; a day without a window is not there."""
        return dict(sorted(self._days.items()))

    @property
    def all_days(self) -> dict[int, Window | None]:
        """From the first day with a window to the last, in order; None: a day without one."""
        if not self._days:
            return {}
        return {number: self._days.get(number) for number in range(min(self._days), max(self._days) + 1)}

    def months(self) -> dict[str, Window]:
        """By the month, `2026-01`, in order."""
        found: dict[str, list[Window]] = {}
        for number, window in self.days.items():
            found.setdefault(day_name(number)[:7], []).append(window)
        return {month: merged(windows) for month, windows in found.items()}

    def total(self) -> Window:
        """All of it, as one window of no partition (-1); it spans from 0 to 0 where there is none."""
        return merged(self._days.values())


def day_name(number: int) -> str:
    """The day as ISO 8601 writes it."""
    return datetime.fromtimestamp(number * DAY_MS // 1000, UTC).date().isoformat()


def merged(windows: Iterable[Window]) -> Window:
    """All of `windows`, as one of no partition (-1); it spans from 0 to 0 where there is none."""
    total = None
    for window in windows:
        if total is None:
            total = Window(window.start, window.end, -1)
        total.merge(window)
    return total or Window(0, 0, -1)
