"""What may leave the worker of each event in a batch."""

import logging
from collections import Counter
from collections.abc import Collection, Sequence

from models.redaction import Redaction
from models.residency import Found, LocalRule, look
from schemas.records import TranscriptEvent
from streams.agents import metrics
from streams.agents.agent import KafkaRecord

logger = logging.getLogger(__name__)


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
        found = [look(event, self._redaction, self._rules) for _, event in events]
        failures = Counter(each.failure for each in found if each.failure is not None)
        for failure, count in failures.items():
            self._failures.inc(count)
            logger.warning("%d events stay on the edge, because their redaction failed: %s", count, failure)
        return found

    def keep(self) -> None:
        """Notes that the last batch is committed: its turns do not come again, whoever gets their partitions next."""
        self._partitions = {}

    def set_back(self, partitions: Collection[int]) -> None:
        """Takes back the last batch's turns of these partitions, which will come again; none once it is committed."""
        again = [talk for talk, partition in self._partitions.items() if partition in partitions]
        self._redaction.restore(again)
