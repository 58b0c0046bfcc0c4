"""Records for tests: a plausible one of each kind, with what the test is about changed."""

import dataclasses

from schemas.records import RoutingEvent, SentimentResult, TranscriptEvent
from streams.agents.agent import KafkaRecord

TRANSCRIPT = TranscriptEvent(event_id="e1", conversation_id="c1", turn=1, text="hello", occurred_at=1_700_000_000_000)
RESULT = SentimentResult(
    event_id="e1",
    conversation_id="c1",
    turn=1,
    label="negative",
    confidence=0.95,
    negative=0.95,
    neutral=0.04,
    positive=0.01,
    route="edge",
    reason="optimal_edge",
    degraded=False,
    model="edge@1.0.0",
    occurred_at=1_700_000_000_000,
    scored_at=1_700_000_000_020,
)
ROUTING = RoutingEvent(
    event_id="e1",
    conversation_id="c1",
    turn=1,
    stage="completed",
    route="edge",
    reason="optimal_edge",
    degraded=False,
    complexity=0.2,
    length=0.1,
    syntax=0.2,
    uncertainty=0.1,
    emotion=0.0,
    edge_label="negative",
    edge_confidence=0.95,
    cloud_label=None,
    cost_usd=0.001,
    cloud_only_cost_usd=0.0136,
    inference_ms=1.5,
    end_to_end_ms=20.0,
    pii=(),
    model="edge@1.0.0",
    router="default@1",
    occurred_at=1_700_000_000_000,
    recorded_at=1_700_000_000_020,
)


def routing_event(**changes: object) -> RoutingEvent:
    """A routing event of an event that the edge answered, with `changes`."""
    return dataclasses.replace(ROUTING, **changes)  # type: ignore[arg-type]


def consumer_record(
    value: bytes | None, *, topic: str, partition: int = 0, offset: int = 0, key: bytes | None = b"c1"
) -> KafkaRecord:
    """A record as a worker hands it over."""
    return KafkaRecord(topic, partition, offset, 1_700_000_000_000, key, value)
