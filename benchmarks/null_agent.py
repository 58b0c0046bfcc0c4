"""A process with Edgewise's delivery and an agent that does no work: two outputs an event.

Arguments: bootstrap servers, prefix of the output topics, input topic.
"""

import asyncio
import sys
from collections.abc import Sequence

from benchmarks.null_work import answer
from schemas.topics import ROUTING_EVENTS, SENTIMENT
from streams.agents.agent import Agent, KafkaRecord, Output
from streams.config.settings import Settings
from streams.worker.app import serve


class NullAgent(Agent):
    """Every record, made smaller, to two topics."""

    name = "null"

    def __init__(self, settings: Settings, source: str) -> None:
        self.source = source
        self.chunk_records = settings.chunk_records
        self._topics = settings.topic(SENTIMENT), settings.topic(ROUTING_EVENTS)

    async def process(self, records: Sequence[KafkaRecord]) -> list[Output]:
        """Two outputs for each of `records`."""
        outputs = []
        for record in records:
            value = answer(record.value or b"")
            outputs += [Output(topic, record.key, value) for topic in self._topics]
        return outputs


if __name__ == "__main__":
    bootstrap, prefix, input_topic = sys.argv[1:]
    chosen = Settings(bootstrap_servers=bootstrap, topic_prefix=prefix, worker_id="bench")
    asyncio.run(serve(chosen, NullAgent(chosen, input_topic)))
