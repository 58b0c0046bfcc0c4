"""Which conversations are at risk of escalation, of any number of them."""

from collections import Counter
from heapq import heappush, heappushpop
from typing import NamedTuple

from schemas.records import ConversationState, ConversationStatus


class RiskyConversation(NamedTuple):
    """What is told of one: nothing of what was said."""

    risk: float
    conversation_id: str
    status: ConversationStatus
    channel: str
    turns: int
    last_turn_at: int  # UTC ms
    reasons: tuple[str, ...]


class AtRisk:
    """Counts conversations, and keeps the `most` whose risk is highest, from `threshold` on."""

    def __init__(self, threshold: float, most: int) -> None:
        self.threshold = threshold
        self.conversations: Counter[str] = Counter()  # by status
        self.at_risk: Counter[str] = Counter()  # of these
        self._most = most
        self._highest: list[RiskyConversation] = []  # a heap

    def add(self, state: ConversationState) -> None:
        """Counts the latest state of a conversation."""
        self.conversations[state.status] += 1
        if state.risk < self.threshold:
            return
        self.at_risk[state.status] += 1
        found = RiskyConversation(
            state.risk,
            state.conversation_id,
            state.status,
            state.channel,
            state.turns.get("overall", 0),
            state.last_turn_at,
            state.risk_reasons,
        )
        if len(self._highest) < self._most:
            heappush(self._highest, found)
        else:
            heappushpop(self._highest, found)

    def highest(self) -> list[RiskyConversation]:
        """The highest risk first."""
        return sorted(self._highest, reverse=True)
