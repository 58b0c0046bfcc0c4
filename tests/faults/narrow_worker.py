"""The real worker with a producer that is soon full.

python -m tests.faults.narrow_worker worker edge
"""

import logging
from typing import Any

from confluent_kafka import Producer

from streams.cli.main import main
from streams.config.settings import Settings
from streams.worker import delivery

FULL = "the producer's queue is full"

# Fewer than the outputs of the batch that comes when a broker has stood still for 3 s, some hundred events: the queue
# fills up in the middle of a transaction. With room for ten, a backlog would take longer than a transaction may.
QUEUE = 100

logger = logging.getLogger(__name__)
_producer_config = delivery.producer_config


class NarrowProducer(Producer):
    """Logs that its queue is full."""

    def produce(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().produce(*args, **kwargs)
        except BufferError:
            logger.info(FULL)
            raise


def producer_config(settings: Settings) -> dict[str, Any]:
    """The worker's own, with room for a few records."""
    return _producer_config(settings) | {"queue.buffering.max.messages": QUEUE}


if __name__ == "__main__":
    delivery.producer_config = producer_config
    delivery.Producer = NarrowProducer  # type: ignore[attr-defined]
    main()
