"""The real worker, with transactions that take a while when it is told to, as slow brokers' do.

    python -m tests.faults.late_worker worker edge

While its `slow_file` is there, it stands still for `STILL_S` twice in each transaction: when its records are with the
broker, and before it commits. It writes to that file the number of the transaction, and which of the two it is.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from streams.cli.main import main
from streams.kafka import client
from streams.worker import delivery
from tests.faults.orders import FOLDER

STILL_S = 4.0

# Longer than it takes until a request times out (6 s) and is made again, so that its transaction is committed.
TIMEOUT_MS = 20_000


def slow_file(folder: Path, agent: str, worker_id: str) -> Path:
    """What tells a worker to take its time."""
    return folder / f"{agent}-{worker_id}.slow"


# Where no worker runs, as in the test that gives the order, it is the file of nobody.
_SLOW = slow_file(
    Path(os.environ.get(FOLDER, os.devnull)), sys.argv[-1], os.environ.get("EDGEWISE_WORKER_ID", "nobody")
)


class SlowProducer(Producer):
    """Stands still in each transaction."""

    begun = 0

    def begin_transaction(self) -> None:
        super().begin_transaction()
        SlowProducer.begun += 1

    def send_offsets_to_transaction(self, *args: Any, **kwargs: Any) -> None:
        if _SLOW.exists():
            self.flush(10)
        self._stand("records")
        super().send_offsets_to_transaction(*args, **kwargs)
        self._stand("offsets")

    def _stand(self, where: str) -> None:
        if _SLOW.exists():
            _SLOW.write_text(f"{self.begun} {where}")
            time.sleep(STILL_S)


if __name__ == "__main__":
    delivery.FIRST_TIMEOUT_MS = TIMEOUT_MS
    client.Producer = SlowProducer  # type: ignore[attr-defined]
    main()
