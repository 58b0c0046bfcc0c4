"""What the conversation agent writes of results."""

from collections.abc import Iterable

from models.escalation import load_escalation_model
from schemas.records import ConversationState, SentimentResult
from streams.monitoring.conversation import Conversation

NEVER = 2.0
"""A threshold that no risk reaches."""


def states_of(results: Iterable[SentimentResult]) -> list[ConversationState]:
    """The state of each of their conversations."""
    found: dict[str, Conversation] = {}
    for result in results:
        found.setdefault(result.conversation_id, Conversation(result.conversation_id)).add(result, 0)
    model = load_escalation_model("escalation")
    return [conversation.to_record(model, NEVER, 0) for conversation in found.values()]
