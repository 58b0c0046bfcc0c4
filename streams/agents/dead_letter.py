"""What becomes of a record that no agent can work on: it is kept, byte for byte, with where from and why."""

from collections.abc import Sequence
from typing import cast

from schemas.codec import DeadLetterReason
from schemas.dead_letter import LETTER_HEADERS, attempts
from schemas.topics import DEAD_LETTERS
from streams.agents import metrics
from streams.agents.agent import KafkaRecord, Output
from streams.config.settings import Settings


def dead_letter(settings: Settings, agent: str, record: KafkaRecord, reason: DeadLetterReason, detail: str) -> Output:
    """`record` for dead-letters, counted: its key, value and headers as they are, then eight headers of ours.

    `detail` is a line for whoever looks into it; like every message, it must hold no customer text. Ours come last, for
    a record that was put back and failed again has them already: of a header given twice, the last one counts.
    """
    metrics.DEAD_LETTERS.labels(agent, reason).inc()
    ours = (
        reason,
        detail,
        record.topic,
        str(record.partition),
        str(record.offset),
        str(record.timestamp),  # UTC milliseconds
        agent,
        str(attempts(record.headers) + 1),
    )
    headers = (*record.headers, *zip(LETTER_HEADERS, (text.encode() for text in ours), strict=True))
    # A header that is null is let through as it is: the producer takes it.
    return Output(settings.topic(DEAD_LETTERS), record.key, record.value, cast(tuple[tuple[str, bytes], ...], headers))


def first_failures(letters: Sequence[Output]) -> int:
    """How many of `letters` failed for the first time.

    Only these speak against the worker: what was redriven and fails again must not stop it, however much there is.
    """
    return sum(attempts(letter.headers) == 1 for letter in letters)
