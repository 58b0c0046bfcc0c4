"""The topics' names, without an installation's prefix, and the record that each one carries."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.records import (
    Alert,
    CloudRequest,
    MonitoringWindow,
    Record,
    RoutingEvent,
    SentimentResult,
    TranscriptEvent,
)

TRANSCRIPTS: Final = "transcripts"
SENTIMENT: Final = "sentiment"
CLOUD_INFERENCE: Final = "cloud-inference"
ROUTING_EVENTS: Final = "routing-events"
MONITORING: Final = "monitoring"
ALERTS: Final = "alerts"
DEAD_LETTERS: Final = "dead-letters"  # other topics' values, untouched: it has no record of its own

RECORD_TYPES: Final[Mapping[str, type[Record]]] = MappingProxyType(
    {
        TRANSCRIPTS: TranscriptEvent,
        SENTIMENT: SentimentResult,
        CLOUD_INFERENCE: CloudRequest,
        ROUTING_EVENTS: RoutingEvent,
        MONITORING: MonitoringWindow,
        ALERTS: Alert,
    }
)
