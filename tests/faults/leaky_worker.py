"""The real worker, through its own command line, that opens a file twice a second and never closes it.

python -m tests.faults.leaky_worker worker monitor
"""

import os
import threading
import time

from streams.cli.main import main

PAUSE_S = 0.5


def _leak() -> None:
    while True:
        os.open(os.devnull, os.O_RDONLY)
        time.sleep(PAUSE_S)


if __name__ == "__main__":
    threading.Thread(target=_leak, name="leak", daemon=True).start()
    main()
