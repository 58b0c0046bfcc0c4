"""An agent of one file: what `test_topology.py` adds to the flow by a row."""

import asyncio
import signal
from collections.abc import Sequence

from schemas.topics import SENTIMENT, TRANSCRIPTS
from streams.agents.agent import Agent, KafkaRecord, Output, ReadBack
from streams.config.settings import Settings


class ShoutAgent(Agent):
    """transcripts -> sentiment: the value in capitals. It stops its worker after the first batch."""

    name = "shout"
    chunk_records = 10

    def __init__(self, settings: Settings) -> None:
        self.source = settings.topic(TRANSCRIPTS)
        self._target = settings.topic(SENTIMENT)

    async def process(self, records: Sequence[KafkaRecord]) -> list[Output]:
        asyncio.get_running_loop().call_later(0, signal.raise_signal, signal.SIGTERM)
        return [Output(self._target, record.key, (record.value or b"").upper()) for record in records]


async def build(settings: Settings, read_back: ReadBack) -> ShoutAgent:  # noqa: ARG001
    return ShoutAgent(settings)
