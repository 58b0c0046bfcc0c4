"""The real worker, through its own command line, on a machine whose clock is hours off.

python -m tests.faults.skewed_worker worker edge
"""

import os
import sys
import time
from types import SimpleNamespace

from streams.cli.main import main
from streams.system import clock

HOUR_MS = 3_600_000

# By agent and worker id; the others are right. Events that the one edge worker sends to the cloud are answered five
# hours before they were decided.
SKEWS_MS = {("edge", "slot-1"): 3 * HOUR_MS, ("cloud", "slot-0"): -2 * HOUR_MS, ("monitor", "slot-1"): -9 * HOUR_MS}


if __name__ == "__main__":
    skew_ns = SKEWS_MS.get((sys.argv[-1], os.environ["EDGEWISE_WORKER_ID"]), 0) * 1_000_000
    vars(clock)["time"] = SimpleNamespace(time_ns=lambda: time.time_ns() + skew_ns)
    main()
