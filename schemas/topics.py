"""The topics, without an installation's prefix, and the record that each one carries."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Generic, Self, TypeVar

from schemas.records import (
    Alert,
    BudgetLease,
    CloudRequest,
    ConversationState,
    MonitoringWindow,
    Notification,
    PersonLabel,
    Record,
    RoutingEvent,
    SentimentResult,
    ShadowResult,
    Silence,
    TranscriptEvent,
)

R = TypeVar("R", bound=Record)


class Topic(str, Generic[R]):
    """A topic's name without the prefix, which also knows the type of the topic's records."""

    __slots__ = ("record_type",)
    record_type: type[R]

    def __new__(cls, name: str, record_type: type[R]) -> Self:
        """The topic called `name`, whose values are records of `record_type`."""
        topic = super().__new__(cls, name)
        topic.record_type = record_type
        return topic


TRANSCRIPTS: Final = Topic("transcripts", TranscriptEvent)
SENTIMENT: Final = Topic("sentiment", SentimentResult)
CLOUD_INFERENCE: Final = Topic("cloud-inference", CloudRequest)
ROUTING_EVENTS: Final = Topic("routing-events", RoutingEvent)
SHADOW: Final = Topic("shadow", ShadowResult)
MONITORING: Final = Topic("monitoring", MonitoringWindow)
CONVERSATIONS: Final = Topic("conversations", ConversationState)
LABELS: Final = Topic("labels", PersonLabel)
ALERTS: Final = Topic("alerts", Alert)
SILENCES: Final = Topic("silences", Silence)
NOTIFICATIONS: Final = Topic("notifications", Notification)
BUDGET: Final = Topic("budget", BudgetLease)
DEAD_LETTERS: Final = "dead-letters"  # other topics' values, untouched: it has no record of its own
DELIVERIES: Final = "deliveries"  # digests of ids, what `edgewise ingest` has taken: no record either

TOPICS: Final[Mapping[str, Topic[Any]]] = MappingProxyType(
    {
        topic: topic
        for topic in (
            TRANSCRIPTS,
            SENTIMENT,
            CLOUD_INFERENCE,
            ROUTING_EVENTS,
            SHADOW,
            MONITORING,
            CONVERSATIONS,
            LABELS,
            ALERTS,
            SILENCES,
            NOTIFICATIONS,
            BUDGET,
        )
    }
)
"""The topics whose records have a schema, by name."""
