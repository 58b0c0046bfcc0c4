"""Time as logic sees it: passed in, so that tests choose it."""

import time
from collections.abc import Callable

Clock = Callable[[], int]


def now_ms() -> int:
    """The time now, UTC milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
