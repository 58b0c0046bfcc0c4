"""What may leave the worker: each event's text without personal data, and which events stay altogether."""

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

from models.redaction import Kind, Redaction
from models.residency import LocalRule
from models.router import Decision
from schemas.records import TranscriptEvent
from streams.agents import metrics
from streams.agents.agent import KafkaRecord

logger = logging.getLogger(__name__)


class Found(NamedTuple):
    """What is known of an event before it is routed."""

    text: str  # as it may leave the worker; empty where that is not known
    kinds: tuple[Kind, ...]  # of what was taken out of it
    is_local: bool  # the event stays on the edge

    def decided(self, decision: Decision) -> Decision:
        """The router's decision, or that the event stays."""
        return Decision("edge", "sensitive_local", decision.complexity) if self.is_local else decision


class Sensitive:
    """Redacts the turns of conversations, and keeps those that a rule names, or whose redaction fails, on the edge.

    It is given all turns, those that nobody scores among them: an agent's question tells what the answer is.
    """

    def __init__(self, agent: str, redaction: Redaction, rules: Sequence[LocalRule]) -> None:
        self._redaction = redaction
        self._rules = rules
        self._failures = metrics.REDACTION_FAILURES.labels(agent)
        self._partitions: dict[str, int] = {}  # of the conversations in the batch

    def look(self, events: Sequence[tuple[KafkaRecord, TranscriptEvent]]) -> list[Found]:
        """What was found in each event, in their order. The batch before this one has been committed or set back."""
        self._redaction.checkpoint()
        self._partitions = {event.conversation_id: record.partition for record, event in events}
        failures: Counter[str] = Counter()
        found = [self._look(event, failures) for _, event in events]
        for failure, count in failures.items():
            self._failures.inc(count)
            logger.warning("%d events stay on the edge, because their redaction failed: %s", count, failure)
        return found

    def set_back(self, partitions: Collection[int]) -> None:
        """Takes back the last batch's turns of these partitions, which will come again."""
        again = [talk for talk, partition in self._partitions.items() if partition in partitions]
        self._redaction.restore(again)

    def _look(self, event: TranscriptEvent, failures: Counter[str]) -> Found:
        try:
            redacted = self._redaction.redact(event.conversation_id, event.text)
        except Exception as error:  # noqa: BLE001 - whatever it is, the text must not leave
            # The name of the error alone: its message may hold the text.
            failures[type(error).__name__] += 1
            return Found("", (), is_local=True)
        is_local = any(rule.holds(event, redacted.kinds) for rule in self._rules)
        return Found(redacted.text, redacted.kinds, is_local)
