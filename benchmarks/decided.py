"""Recorded texts as the line decides them: by the real edge agent, and by the cloud model where that defers."""

import asyncio
from dataclasses import replace
from pathlib import Path

from models.artifact import load_artifact
from models.classifier import Classifier
from schemas.records import LABELS, RoutingEvent
from schemas.topics import ROUTING_EVENTS, TRANSCRIPTS
from streams.agents.agent import KafkaRecord
from streams.agents.edge import build
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.files.recorded_event import recorded_events
from streams.files.recording import digest, read_recording

SAMPLES = Path(__file__).parent.parent / "samples"
NOW = 1_764_547_200_000  # 2025-12-01, a Monday


def decided(path: Path) -> list[list[RoutingEvent]]:
    """The completed audit events of a recording's turns, by conversation, as the edge agent and the cloud decide."""
    settings = Settings()
    agent = asyncio.run(build(settings, lambda *_: iter(())))
    encode, audit = codec(settings, TRANSCRIPTS).encode, codec(settings, ROUTING_EVENTS).decode
    events = [event for _, event in recorded_events(read_recording(path), path, digest(path), {}, lambda: NOW)]
    records = [
        KafkaRecord(TRANSCRIPTS, 0, at, NOW, event.conversation_id.encode(), encode(event))
        for at, event in enumerate(events)
    ]
    made = [audit(out.value) for out in asyncio.run(agent.process(records)) if out.topic == ROUTING_EVENTS]
    asked = {event.event_id: event for event in events}
    deferred = [event for event in made if event.stage == "decided"]
    cloud = Classifier(load_artifact(settings.cloud_model))
    of = [asked[event.event_id] for event in deferred]
    scores = cloud.score([event.text for event in of], [event.role for event in of])
    answered = {
        event.event_id: replace(
            event,
            stage="completed",
            cloud_label=LABELS[int(row.argmax())],
            cloud_confidence=float(row.max()),
            model=cloud.id,
        )
        for event, row in zip(deferred, scores, strict=True)
    }
    by_conversation: dict[str, list[RoutingEvent]] = {}
    for event in made:
        final = answered.get(event.event_id, event)
        if final.scored:
            by_conversation.setdefault(final.conversation_id, []).append(final)
    return list(by_conversation.values())
