"""Where the edge agent's own time goes, step by step, in one process without a broker.

What a worker spends beyond these steps is fetching, producing and committing: `benchmarks.line` shows it as a whole.
"""

import asyncio
from collections.abc import Callable
from itertools import islice
from time import perf_counter

from benchmarks.command import alone
from benchmarks.figure import Figure, figure
from benchmarks.scale import Scale
from benchmarks.traffic import events
from models.artifact import load_artifact
from models.classifier import Classifier
from models.router import Scored, policy
from models.text_validation import validate_text
from schemas.codec import Codec
from schemas.topics import TRANSCRIPTS
from schemas.validation import validate_event
from streams.agents.agent import CHUNKS, KafkaRecord
from streams.agents.edge import EdgeAgent
from streams.config.redaction import build_redaction
from streams.config.settings import Settings
from streams.system.clock import now_ms

TITLE = "The edge agent by step"

WHERE = "one process"


def measure(wanted: Scale) -> list[Figure]:
    """Microseconds an event, in batches of the size that a busy edge agent gets."""
    settings = Settings()
    artifact = load_artifact(wanted.edge_model)
    classifier = Classifier(artifact, threads=settings.model_threads, token_budget=settings.token_budget)
    routing = policy("default", calibrated_threshold=artifact.confidence_threshold)
    redaction = build_redaction(settings)
    agent = EdgeAgent(settings, classifier, routing, redaction)
    codec = Codec(TRANSCRIPTS)
    batch = list(islice(events(), CHUNKS * settings.chunk_records))
    now = now_ms()
    records = [
        KafkaRecord(TRANSCRIPTS, 0, offset, now, event.conversation_id.encode(), codec.encode(event))
        for offset, event in enumerate(batch)
    ]
    texts = [event.text for event in batch]
    confidences = classifier.score(texts).max(axis=1).tolist()

    def decoding() -> None:
        for record in records:
            event = codec.decode(record.value)
            validate_event(event, now_ms=now)
            validate_text(event.text, max_chars=settings.max_text_chars)

    def scoring() -> None:
        classifier.score(texts)

    def routing_each() -> None:
        pairs = zip(batch, confidences, strict=True)
        routing.decide([Scored(event.event_id, event.text, confidence) for event, confidence in pairs])

    def redacting() -> None:
        for event in batch:
            redaction.redact(event.conversation_id, event.text)

    def everything() -> None:
        asyncio.run(agent.process(records))

    steps = (decoding, scoring, redacting, routing_each, everything)
    times: list[list[float]] = [[_microseconds(step, len(records)) for step in steps] for _ in range(_rounds(wanted))]
    decode, score, redact, route, whole = zip(*times, strict=True)
    rest = [total - sum(parts) for *parts, total in times]
    return [
        figure("edge agent, an event", WHERE, "µs", whole),
        figure("· decoding and checking", WHERE, "µs", decode),
        figure("· tokenising and scoring", WHERE, "µs", score),
        figure("· redacting", WHERE, "µs", redact),
        figure("· routing", WHERE, "µs", route),
        figure("· making and encoding two outputs", WHERE, "µs", rest),
    ]


def _rounds(wanted: Scale) -> int:
    return 2 if wanted.quick else 7


def _microseconds(step: Callable[[], None], number: int) -> float:
    begun = perf_counter()
    step()
    return (perf_counter() - begun) * 1e6 / number


if __name__ == "__main__":
    alone(TITLE, __doc__, measure)
