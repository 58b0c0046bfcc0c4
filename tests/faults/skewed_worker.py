"""The real worker, through its own command line, on a machine whose clock is minutes off.

python -m tests.faults.skewed_worker worker edge
"""

import os
import sys
import time
from types import SimpleNamespace

from streams.cli.main import main
from streams.system import clock

MINUTE_MS = 60_000

# By agent and worker id; the others are right. Events that the one edge worker sends to the cloud are answered seven
# minutes before they were decided. The monitor takes what is up to ten minutes ahead of its own clock.
SKEWS_MS = {
    ("edge", "slot-1"): 5 * MINUTE_MS,
    ("cloud", "slot-0"): -2 * MINUTE_MS,
    ("monitor", "slot-1"): -4 * MINUTE_MS,
}


if __name__ == "__main__":
    skew_ns = SKEWS_MS.get((sys.argv[-1], os.environ["EDGEWISE_WORKER_ID"]), 0) * 1_000_000
    vars(clock)["time"] = SimpleNamespace(time_ns=lambda: time.time_ns() + skew_ns)
    main()
