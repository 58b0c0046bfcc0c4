"""The real worker with a producer that is soon full, and that stands still inside a transaction when it is told to.

    python -m tests.faults.narrow_worker worker edge

It stands still for `STALLED_S` once its `stall_file` is there, which it takes away. Only the thread that produces
stands still: the worker stays a member of its group.
"""

import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from streams import delivery
from streams.cli import main
from streams.settings import Settings
from tests.faults.orders import FOLDER

FULL = "the producer's queue is full"

# Fewer than the outputs of any batch of eight events: the queue fills up in the middle of a transaction.
QUEUE = 10

# The broker ends a transaction 20 s after its begin, and looks for such ones every 10 s.
STALLED_S = 32.0

logger = logging.getLogger(__name__)
_producer_config = delivery.producer_config


def stall_file(folder: Path, agent: str, worker_id: str) -> Path:
    """What tells a worker to stand still."""
    return folder / f"{agent}-{worker_id}.stall"


class NarrowProducer(Producer):
    """Says that its queue is full, and stands still between the records of a transaction and its offsets."""

    def produce(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().produce(*args, **kwargs)
        except BufferError:
            logger.info(FULL)
            raise

    def send_offsets_to_transaction(self, *args: Any, **kwargs: Any) -> None:
        stall = stall_file(Path(os.environ[FOLDER]), sys.argv[-1], os.environ["EDGEWISE_WORKER_ID"])
        if stall.exists():
            self.flush(10)  # the transaction is open at the broker, its records written
            stall.unlink()
            time.sleep(STALLED_S)
        super().send_offsets_to_transaction(*args, **kwargs)


def producer_config(settings: Settings) -> dict[str, Any]:
    """The worker's own, with room for a few records."""
    return _producer_config(settings) | {"queue.buffering.max.messages": QUEUE}


if __name__ == "__main__":
    delivery.producer_config = producer_config
    delivery.Producer = NarrowProducer  # type: ignore[attr-defined]
    main()
