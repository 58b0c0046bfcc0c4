"""The real worker, whose edge agent copies what it reads: delivery is all that it does.

python -m tests.faults.copying_worker worker edge
"""

from collections.abc import Sequence

from schemas.topics import SENTIMENT, TRANSCRIPTS
from streams.agents.agent import Agent, KafkaRecord, Output
from streams.cli.main import main
from streams.config.settings import Settings
from streams.worker import build as worker


class Copying(Agent):
    """`transcripts` -> `sentiment`, as they are."""

    name = "edge"

    def __init__(self, settings: Settings) -> None:
        self.source = settings.topic(TRANSCRIPTS)
        self.chunk_records = settings.chunk_records
        self._target = settings.topic(SENTIMENT)

    async def process(self, records: Sequence[KafkaRecord]) -> list[Output]:
        """One output a record."""
        return [Output(self._target, record.key, record.value) for record in records]


async def build_agent(settings: Settings, name: str) -> Agent:  # noqa: ARG001 - there is one
    """The agent, whatever its name."""
    return Copying(settings)


if __name__ == "__main__":
    worker.build_agent = build_agent
    main()
