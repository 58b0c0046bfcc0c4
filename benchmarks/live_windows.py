"""What a live view's total costs at each refresh: `python -m benchmarks.live_windows`.

Windows of a minute, of four partitions, as long back as the view goes. Before a refresh one window of each partition
has changed. Beside it stands what it takes to merge all windows at each refresh, as one would without a running total.
"""

import argparse
import random
import time
import tracemalloc
from collections.abc import Callable, Iterator
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from schemas.topics import MONITORING
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.monitoring.running_total import RunningTotal
from streams.monitoring.sketch import add_values
from streams.monitoring.window import Window

PARTITIONS = 4
MINUTE_MS = 60_000
EVENTS = 600  # of a window: ten a second on each partition
MERGED = 500  # windows that are merged one by one, to know what a merge of all would take
SEEDS = 50  # windows of different content


def main() -> None:
    """Prints a row for an hour, a day and a week: the median of the refreshes, and the least and the greatest."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--refreshes", type=int, default=50)
    arguments = options.parse_args()
    console = Console(width=110)
    console.print("\n".join(f"{heading}: {words}" for heading, words in machine().items()), highlight=False)
    table = Table()
    for heading in ("view", "windows", "KB a window", "ms a refresh", "ms, merging all"):
        table.add_column(heading, justify="right")
    decode = codec(Settings(), MONITORING).decode
    for view, hours in (("an hour", 1), ("a day", 24), ("a week", 168)):
        values = dict(window_records(hours * 60))
        tracemalloc.start()
        total = RunningTotal(decode)
        for key, value in values.items():
            total.put(key, value)
        held_kb = tracemalloc.get_traced_memory()[0] / 1_000 / len(values)
        tracemalloc.stop()

        def refresh(total: RunningTotal = total, values: dict[bytes, bytes] = values) -> None:
            for partition in range(PARTITIONS):
                total.put(b"0:%d" % partition, values[b"0:%d" % partition])
            total.window()

        windows = [Window.from_record(decode(value)) for value in list(values.values())[:MERGED]]

        def merge(windows: list[Window] = windows) -> None:
            whole = Window(0, 0, -1)
            for window in windows:
                whole.merge(window)

        refreshes = _timed_ms(refresh, arguments.refreshes)
        merging = [taken / len(windows) * len(values) for taken in _timed_ms(merge, 10)]
        table.add_row(view, f"{len(values):,}", f"{held_kb:.1f}", _shown(refreshes), _shown(merging))
    console.print(table)


def window_records(minutes: int) -> Iterator[tuple[bytes, bytes]]:
    """The records of so many minutes with their keys, in the order of time, of a few seeded contents."""
    rng = random.Random(1)
    encode = codec(Settings(), MONITORING).encode
    contents = []
    for _ in range(SEEDS):
        window = Window(0, 0, 0)
        window.events = EVENTS
        window.routes.update({"edge": EVENTS - 100, "cloud": 100})
        window.labels.update({"negative": 200, "neutral": 200, "positive": 200})
        add_values(window.end_to_end_ms, [rng.lognormvariate(4, 1) for _ in range(EVENTS)])
        add_values(window.inference_ms, [rng.lognormvariate(1, 0.5) for _ in range(EVENTS)])
        contents.append(window)
    for minute in range(minutes):
        for partition in range(PARTITIONS):
            window = contents[(minute * PARTITIONS + partition) % SEEDS]
            window.start, window.end, window.partition = minute * MINUTE_MS, (minute + 1) * MINUTE_MS, partition
            yield b"%d:%d" % (window.start, partition), encode(window.to_record(0))


def _timed_ms(call: Callable[[], None], times: int) -> list[float]:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * 1_000)
    return taken


def _shown(samples: list[float]) -> str:
    return f"{median(samples):,.1f} ({min(samples):,.1f} to {max(samples):,.1f})"


if __name__ == "__main__":
    main()
