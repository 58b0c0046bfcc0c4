"""What reading a period takes, without Kafka: `python -m benchmarks.period`.

Windows of a minute, of four partitions, each written twice, as far back as the period goes: sorted in the temporary
file, decoded and merged by day, as `edgewise report` does it. A row is a process of its own, for its memory.
"""

import resource
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from benchmarks.live_windows import PARTITIONS, window_records
from benchmarks.machine import machine
from schemas.codec import Codec
from schemas.topics import MONITORING
from streams.monitoring.period import Period
from streams.monitoring.window import Window
from streams.operate.latest_records import latest_values

DAYS = (1, 7)
TIMES_WRITTEN = 2


def main() -> None:
    """Prints a row for each period; with a number of days, what its process measures."""
    if len(sys.argv) > 1:
        print(*_measured(int(sys.argv[1])))
        return
    console = Console(width=110)
    console.print("\n".join(f"{heading}: {words}" for heading, words in machine().items()), highlight=False)
    table = Table("days", "windows", "most memory, MiB", "processor time, s")
    for days in DAYS:
        command = [sys.executable, "-m", "benchmarks.period", str(days)]
        measured = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        table.add_row(str(days), f"{days * 24 * 60 * PARTITIONS:,}", *measured)
    console.print(table)


def _measured(days: int) -> tuple[str, str]:
    """The most memory that the process had, and what the work took, without the making of the records."""
    minutes, decode = days * 24 * 60, Codec(MONITORING).decode
    began = time.process_time()
    deque(_written(minutes), maxlen=0)
    made = time.process_time()
    period = Period(0)
    for value in latest_values(_written(minutes)):
        period.add(Window.from_record(decode(value)))
    taken = time.process_time() - made - (made - began)
    if len(period.days) != days:
        raise RuntimeError("something else was measured")
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}", f"{taken:.1f}"


def _written(minutes: int) -> Iterator[tuple[bytes, bytes]]:
    for key, value in window_records(minutes):
        for _ in range(TIMES_WRITTEN):
            yield key, value


if __name__ == "__main__":
    main()
