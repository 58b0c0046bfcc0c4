"""The real worker with a producer that is soon full.

python -m tests.faults.narrow_worker worker edge
"""

import logging
from typing import Any

from confluent_kafka import Producer

from streams.cli.main import main
from streams.kafka import client
from streams.worker import producer

FULL = "the producer's queue is full"

# Fewer than the outputs of the batch that comes when a broker has stood still for 3 s, some hundred events: the queue
# fills up in the middle of a transaction. With room for ten, a backlog would take longer than a transaction may.
QUEUE = 100

logger = logging.getLogger(__name__)


class NarrowProducer(Producer):
    """Logs that its queue is full."""

    def produce(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().produce(*args, **kwargs)
        except BufferError:
            logger.warning(FULL)  # of what is not ours, the log has only warnings
            raise


if __name__ == "__main__":
    producer.PRODUCER_OPTIONS = {**producer.PRODUCER_OPTIONS, "queue.buffering.max.messages": QUEUE}
    client.Producer = NarrowProducer  # type: ignore[attr-defined]
    main()
