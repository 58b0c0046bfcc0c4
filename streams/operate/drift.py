"""The windows of `monitoring` that a drift reference is made of, or compared with one."""

from collections.abc import Iterator

from schemas.topics import MONITORING
from schemas.validation import MAX_AHEAD_MS
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.monitoring.drift import Reference
from streams.monitoring.reference_file import LatestRelease
from streams.monitoring.window import Window
from streams.operate.latest_records import latest_records


def freeze(settings: Settings, since_ms: int, until_ms: int) -> Reference:
    """The reference of the windows that start at `since_ms` (UTC) or later and before `until_ms`.

    Of these it takes those that the newest versions and policy among them have answered alone; models of several names
    answer beside each other. Memory does not grow with the windows' number.

    Raises DriftReferenceError: too few events; what `latest_records` raises.
    """
    release = LatestRelease()
    for window in _windows(settings, since_ms, until_ms):
        release.add(window)
    return release.reference()


def merged(settings: Settings, since_ms: int, until_ms: int) -> Window:
    """All windows of that time as one, of no partition (-1). Raises what `latest_records` raises."""
    total: Window | None = None
    for window in _windows(settings, since_ms, until_ms):
        if total is None:
            total = Window(window.start, window.end, -1)
        total.merge(window)
    return total or Window(since_ms, until_ms, -1)


def _windows(settings: Settings, since_ms: int, until_ms: int) -> Iterator[Window]:
    """In the order of time, for so their keys are ordered; what is no window is left out."""
    # Workers' clocks, and so windows, are ahead of Kafka's by so much at most.
    for record in latest_records(Cluster(settings), MONITORING, since_ms - MAX_AHEAD_MS):
        if record is None or not since_ms <= record.window_start < until_ms:
            continue
        try:
            yield Window.from_record(record)
        except (ValueError, OverflowError):
            continue
