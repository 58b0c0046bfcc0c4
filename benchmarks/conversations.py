"""What a million conversations take of the agent that keeps them: `python -m benchmarks.conversations`.

Each has a customer's and an agent's turn, in two batches, so that each state is written twice. Nothing of Kafka runs:
what the agent puts out goes to a file, and is what a second agent then reads back, as after a restart. Resident memory
is this process's; time is the processor's, of all its threads.
"""

import argparse
import asyncio
import os
import struct
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from models.escalation import load_escalation_model
from schemas.records import SentimentResult
from schemas.topics import SENTIMENT
from streams.agents.conversation import ConversationAgent
from streams.config.codecs import codec
from streams.config.settings import Settings
from tests.events import RESULT, consumer_record

PER_BATCH = 250  # conversations: 500 results, as many as a worker takes at once
NOON_MS = 1_700_049_600_000
_SIZES = struct.Struct("<HI")


def main() -> None:
    """Prints a row for each tenth of the conversations, and one for the restart."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--conversations", type=int, default=1_000_000)
    wanted = options.parse_args().conversations
    console = Console(width=110)
    console.print("\n".join(f"{heading}: {words}" for heading, words in machine().items()), highlight=False)
    table = Table()
    for heading in ("after conversations", "resident, MiB", "bytes a state", "µs a result"):
        table.add_column(heading, justify="right")
    with tempfile.TemporaryDirectory() as folder:
        stored = Path(folder) / "conversations"
        for row in _grown(stored, wanted):
            table.add_row(*row)
        table.add_row(*_restarted(stored, wanted))
    console.print(table)


def _grown(stored: Path, wanted: int) -> Iterator[tuple[str, ...]]:
    agent = _agent(None)
    encode = codec(Settings(), SENTIMENT).encode
    spent, states, written = 0.0, 0, 0
    yield "0", f"{_resident_mib():.0f}", "", ""
    with stored.open("wb") as out, asyncio.Runner() as runner:
        for first in range(0, wanted, PER_BATCH):
            values = [encode(_result(first + number, turn)) for turn in (0, 1) for number in range(PER_BATCH)]
            for half in (values[:PER_BATCH], values[PER_BATCH:]):
                records = [consumer_record(value, topic=agent.source) for value in half]
                begun = time.process_time()
                outputs = runner.run(agent.process(records))
                spent += time.process_time() - begun
                for output in outputs:
                    _write(out, output.key or b"", output.value or b"")
                    states += 1
                    written += len(output.value or b"")
            done = first + PER_BATCH
            if done * 10 // wanted > first * 10 // wanted:
                yield f"{done:,}", f"{_resident_mib():.0f}", f"{written / states:.0f}", f"{1e6 * spent / 2 / done:.0f}"
    asyncio.run(agent.close())


def _restarted(stored: Path, wanted: int) -> tuple[str, ...]:
    agent = _agent(stored)
    begun = time.process_time()
    first = codec(Settings(), SENTIMENT).encode(_result(wanted, 0))
    asyncio.run(agent.process([consumer_record(first, topic=agent.source)]))
    seconds = time.process_time() - begun
    asyncio.run(agent.close())
    return f"restart: {2 * wanted:,} states read in {seconds:.0f} s", f"{_resident_mib():.0f}", "", ""


def _agent(stored: Path | None) -> ConversationAgent:
    def read_back(_topic: str, _since_ms: int) -> Iterator[tuple[bytes, bytes]]:
        if stored is not None:
            with stored.open("rb") as file:
                while sizes := file.read(_SIZES.size):
                    key, value = _SIZES.unpack(sizes)
                    yield file.read(key), file.read(value)

    return ConversationAgent(Settings(), load_escalation_model("escalation"), read_back, clock=lambda: NOON_MS)


def _write(out: BinaryIO, key: bytes, value: bytes) -> None:
    out.write(_SIZES.pack(len(key), len(value)) + key + value)


def _result(conversation: int, turn: int) -> SentimentResult:
    return SentimentResult(
        event_id=f"call-{conversation:032d}-{turn}",
        conversation_id=f"call-{conversation:032d}",
        turn=turn,
        role="agent" if turn else "customer",
        channel="voice",
        source="benchmark",
        label="negative" if conversation % 3 else "positive",
        negative=0.1 + 0.1 * (conversation % 8),
        neutral=0.1,
        positive=0.8 - 0.1 * (conversation % 8),
        confidence=0.8,
        route=RESULT.route,
        reason=RESULT.reason,
        degraded=False,
        model=RESULT.model,
        occurred_at=NOON_MS + turn,
        scored_at=NOON_MS + turn,
    )


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
