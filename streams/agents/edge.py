"""The edge agent: scores transcript events on the worker and routes them."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from time import perf_counter

from models.classifier import Classifier
from models.pricing import Prices
from models.router import Decision, Policy, decide
from schemas.codec import DecodeError
from schemas.records import (
    LABELS,
    CloudRequest,
    Reason,
    Route,
    RoutingEvent,
    SentimentResult,
    Stage,
    TranscriptEvent,
)
from schemas.topics import CLOUD_INFERENCE, ROUTING_EVENTS, SENTIMENT, TRANSCRIPTS
from schemas.validation import validate_event
from streams.agents import metrics
from streams.agents.dead_letter import dead_letter, first_failures
from streams.agents.dead_letter_limit import DeadLetterLimit
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.system.clock import Clock, now_ms
from streams.worker.delivery import Output
from streams.worker.transport import Record


class EdgeAgent:
    """transcripts -> sentiment or cloud-inference, and always routing-events; what is poison -> dead-letters."""

    name = "edge"
    gather_s = 0.0

    def __init__(self, settings: Settings, classifier: Classifier, policy: Policy, clock: Clock = now_ms) -> None:
        self.source = settings.topic(TRANSCRIPTS)
        self.chunk_records = settings.chunk_records
        self._settings = settings
        self._classifier = classifier
        self._policy = policy
        self._clock = clock
        self._prices = Prices(settings.edge_price_usd, settings.cloud_price_usd)
        self._limit = DeadLetterLimit(settings.dead_letter_limit)
        self._events = codec(settings, TRANSCRIPTS)
        self._results = codec(settings, SENTIMENT)
        self._requests = codec(settings, CLOUD_INFERENCE)
        self._audit = codec(settings, ROUTING_EVENTS)
        self._latency = metrics.LATENCY_SECONDS.labels(self.name, "edge")
        self._topics = {name: settings.topic(name) for name in (SENTIMENT, CLOUD_INFERENCE, ROUTING_EVENTS)}

    async def process(self, records: Sequence[Record]) -> list[Output]:
        """Two outputs an event: its answer or its request to the cloud, and its audit event."""
        # In a thread: the model holds the processor for as long as it takes, and the group's heartbeats must go on.
        return await asyncio.to_thread(self._process, records)

    def reset(self) -> None:
        """Nothing is kept between batches."""

    async def close(self) -> None:
        """Holds nothing that outlives the process."""

    def _process(self, records: Sequence[Record]) -> list[Output]:
        outputs: list[Output] = []
        events: list[TranscriptEvent] = []
        sources: list[Record] = []
        now = self._clock()
        for record in records:
            try:
                event = self._events.decode(record.value)
                validate_event(event, max_text_chars=self._settings.max_text_chars, now_ms=now)
            except DecodeError as error:
                outputs.append(dead_letter(self._settings, self.name, record, error.reason, str(error)))
            else:
                events.append(event)
                sources.append(record)
        self._limit.check(self.name, len(records), first_failures(outputs))
        if not events:
            return outputs
        begun = perf_counter()
        probabilities = self._classifier.score([event.text for event in events])
        seconds = perf_counter() - begun
        metrics.INFERENCE_SECONDS.labels(self.name).observe(seconds)
        inference_ms = seconds * 1000 / len(events)
        scored_at = self._clock()
        best = probabilities.argmax(axis=1)
        decisions: Counter[tuple[Stage, Route, Reason]] = Counter()
        for event, record, p, top in zip(events, sources, probabilities.tolist(), best.tolist(), strict=True):
            decision = decide(self._policy, event_id=event.event_id, text=event.text, confidence=p[top])
            outputs += self._outputs(event, record, p, top, decision, inference_ms, scored_at)
            decisions["completed" if decision.route == "edge" else "decided", decision.route, decision.reason] += 1
        # Once a batch, not once an event: a labelled metric costs 2 µs.
        for labels, count in decisions.items():
            metrics.EVENTS.labels(self.name, *labels).inc(count)
        metrics.COST_USD.labels(self.name).inc(self._prices.edge_usd * len(events))
        return outputs

    def _outputs(
        self,
        event: TranscriptEvent,
        record: Record,
        p: list[float],
        top: int,
        decision: Decision,
        inference_ms: float,
        scored_at: int,
    ) -> tuple[Output, Output]:
        complexity = decision.complexity
        key = record.key
        on_edge = decision.route == "edge"
        if on_edge:
            answer = Output(
                self._topics[SENTIMENT],
                key,
                self._results.encode(
                    SentimentResult(
                        event_id=event.event_id,
                        conversation_id=event.conversation_id,
                        turn=event.turn,
                        label=LABELS[top],
                        confidence=p[top],
                        negative=p[0],
                        neutral=p[1],
                        positive=p[2],
                        route="edge",
                        reason=decision.reason,
                        degraded=False,
                        model=self._classifier.id,
                        occurred_at=event.occurred_at,
                        scored_at=scored_at,
                    )
                ),
            )
        else:
            answer = Output(
                self._topics[CLOUD_INFERENCE],
                key,
                self._requests.encode(
                    CloudRequest(
                        event_id=event.event_id,
                        conversation_id=event.conversation_id,
                        turn=event.turn,
                        text=event.text,
                        occurred_at=event.occurred_at,
                        language=event.language,
                        ingested_at=record.timestamp,
                        requested_at=scored_at,
                        reason=decision.reason,
                        complexity=complexity.total,
                        length=complexity.length,
                        syntax=complexity.syntax,
                        uncertainty=complexity.uncertainty,
                        emotion=complexity.emotion,
                        edge_negative=p[0],
                        edge_neutral=p[1],
                        edge_positive=p[2],
                        edge_model=self._classifier.id,
                        router=self._policy.id,
                    )
                ),
            )
        end_to_end_ms = float(max(0, scored_at - record.timestamp))
        stage: Stage = "completed" if on_edge else "decided"
        if on_edge:
            self._latency.observe(end_to_end_ms / 1000)
        audit = RoutingEvent(
            event_id=event.event_id,
            conversation_id=event.conversation_id,
            turn=event.turn,
            stage=stage,
            route=decision.route,
            reason=decision.reason,
            degraded=False,
            complexity=complexity.total,
            length=complexity.length,
            syntax=complexity.syntax,
            uncertainty=complexity.uncertainty,
            emotion=complexity.emotion,
            edge_label=LABELS[top],
            edge_confidence=p[top],
            cloud_label=None,
            cost_usd=self._prices.edge_usd,
            cloud_only_cost_usd=self._prices.cloud_usd if on_edge else 0.0,
            inference_ms=inference_ms,
            end_to_end_ms=end_to_end_ms,
            pii=(),
            model=self._classifier.id,
            router=self._policy.id,
            occurred_at=event.occurred_at,
            recorded_at=scored_at,
        )
        return answer, Output(self._topics[ROUTING_EVENTS], key, self._audit.encode(audit))
