"""When a conversation is over, and when its risk is worth an alarm."""

from pydantic import Field
from pydantic_settings import BaseSettings


class ConversationSettings(BaseSettings):
    """What the conversation agent goes by."""

    conversation_idle_s: int = Field(
        1800,
        ge=1,
        le=2_592_000,
        description="A conversation that has had no result for so long has ended. One that goes on is open again.",
    )
    escalation_model: str = Field(
        "escalation", description="Artifact of the escalation model: a name in models/artifacts or a folder."
    )
    escalation_risk: float = Field(
        0.7,
        ge=0,
        le=1,
        description="A conversation whose risk reaches it is marked as escalated, once. 1: none is.",
    )
