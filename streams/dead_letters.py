"""What becomes of a record that no agent can work on: it is kept, byte for byte, with where from and why."""

from typing import TYPE_CHECKING

from schemas.codec import DeadLetterReason
from schemas.topics import DEAD_LETTERS
from streams import metrics
from streams.delivery import Output
from streams.settings import Settings

if TYPE_CHECKING:
    from streams.transport import Record


def dead_letter(settings: Settings, agent: str, record: "Record", reason: DeadLetterReason, detail: str) -> Output:
    """`record` for dead-letters, counted: its key, value and headers as they are, then seven headers of ours.

    `detail` is a line for whoever looks into it; like every message, it must hold no customer text. Ours come last, for
    a record that was put back and failed again has them already: of a header given twice, the last one counts.
    """
    metrics.DEAD_LETTERS.labels(agent, reason).inc()
    origin: dict[str, str] = {
        "edgewise-reason": reason,
        "edgewise-detail": detail,
        "edgewise-topic": record.topic,
        "edgewise-partition": str(record.partition),
        "edgewise-offset": str(record.offset),
        "edgewise-timestamp": str(record.timestamp),  # UTC milliseconds
        "edgewise-agent": agent,
    }
    headers = (*record.headers, *((name, text.encode()) for name, text in origin.items()))
    return Output(settings.topic(DEAD_LETTERS), record.key, record.value, headers)
