"""The real worker with a producer that stands still inside a transaction when it is told to.

    python -m tests.faults.stalled_worker worker edge

It stands still for `STALLED_S` once its `stall_file` is there, which it takes away. Only the thread that produces
stands still: the worker stays a member of its group.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from streams.cli.main import main
from streams.kafka import client
from tests.faults.orders import FOLDER

# The broker ends a transaction 20 s after its begin, and looks for such ones every 10 s.
STALLED_S = 32.0


def stall_file(folder: Path, agent: str, worker_id: str) -> Path:
    """What tells a worker to stand still."""
    return folder / f"{agent}-{worker_id}.stall"


class StalledProducer(Producer):
    """Stands still between the records of a transaction and its offsets."""

    def send_offsets_to_transaction(self, *args: Any, **kwargs: Any) -> None:
        stall = stall_file(Path(os.environ[FOLDER]), sys.argv[-1], os.environ["EDGEWISE_WORKER_ID"])
        if stall.exists():
            self.flush(10)  # the transaction is open at the broker, its records written
            stall.unlink()
            time.sleep(STALLED_S)
        super().send_offsets_to_transaction(*args, **kwargs)


if __name__ == "__main__":
    client.Producer = StalledProducer  # type: ignore[attr-defined]
    main()
