"""The cloud agent: asks the larger model for what the edge deferred, and falls back on the edge's answer."""

import logging
from collections.abc import Sequence
from time import perf_counter

from models.cloud import CloudBackend, CloudError
from models.pricing import Prices
from schemas.codec import DecodeError
from schemas.records import LABELS, CloudRequest, Reason, Route, RoutingEvent, SentimentResult
from schemas.topics import CLOUD_INFERENCE, ROUTING_EVENTS, SENTIMENT
from streams.agents import metrics
from streams.agents.dead_letter import dead_letter, first_failures
from streams.agents.dead_letter_limit import DeadLetterLimit
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.system.clock import Clock, now_ms
from streams.worker.delivery import Output
from streams.worker.transport import Record

logger = logging.getLogger(__name__)

# Requests asked of the cloud at once. They share a deadline, so they must be few enough that the whole batch is well
# within it: the larger model does hundreds a second on one core.
BATCH = 64


class CloudAgent:
    """cloud-inference -> sentiment and routing-events; what is poison -> dead-letters."""

    name = "cloud"
    gather_s = 0.0

    def __init__(self, settings: Settings, backend: CloudBackend, clock: Clock = now_ms) -> None:
        self.source = settings.topic(CLOUD_INFERENCE)
        self.chunk_records = min(settings.chunk_records, BATCH)
        self._settings = settings
        self._backend = backend
        self._clock = clock
        self._prices = Prices(settings.edge_price_usd, settings.cloud_price_usd)
        self._limit = DeadLetterLimit(settings.dead_letter_limit)
        self._requests = codec(settings, CLOUD_INFERENCE)
        self._results = codec(settings, SENTIMENT)
        self._audit = codec(settings, ROUTING_EVENTS)
        self._sentiment = settings.topic(SENTIMENT)
        self._routing_events = settings.topic(ROUTING_EVENTS)

    async def process(self, records: Sequence[Record]) -> list[Output]:
        """Two outputs a request: its answer and its audit event."""
        outputs: list[Output] = []
        requests: list[CloudRequest] = []
        keys: list[bytes | None] = []
        for record in records:
            try:
                requests.append(self._requests.decode(record.value))
            except DecodeError as error:
                outputs.append(dead_letter(self._settings, self.name, record, error.reason, str(error)))
            else:
                keys.append(record.key)
        self._limit.check(self.name, len(records), first_failures(outputs))
        patience_s = self._settings.cloud_deadline_ms / 1000
        for i in range(0, len(requests), BATCH):
            asked = requests[i : i + BATCH]
            begun = perf_counter()
            answers = await self._ask(asked, patience_s) if patience_s else None
            seconds = perf_counter() - begun
            if answers is None:
                # What is behind it in the partition shall not wait for one deadline after another.
                patience_s = max(0.0, patience_s - seconds)
            metrics.INFERENCE_SECONDS.labels(self.name).observe(seconds)
            for j, (request, key) in enumerate(zip(asked, keys[i : i + BATCH], strict=True)):
                answer = None if answers is None else answers[j]
                outputs += self._outputs(request, key, answer, seconds * 1000 / len(asked))
        return outputs

    def reset(self) -> None:
        """Nothing is kept between batches."""

    async def close(self) -> None:
        """Ends the backend."""
        await self._backend.close()

    async def _ask(self, requests: list[CloudRequest], timeout_s: float) -> list[list[float]] | None:
        """The cloud's answers, None where it has none."""
        try:
            answers: list[list[float]] = (await self._backend.score([r.text for r in requests], timeout_s)).tolist()
        except CloudError as error:
            logger.warning("the cloud did not answer, %d events keep the edge's answer: %s", len(requests), error)
            return None
        return answers

    def _outputs(
        self, request: CloudRequest, key: bytes | None, answer: list[float] | None, inference_ms: float
    ) -> tuple[Output, Output]:
        edge = [request.edge_negative, request.edge_neutral, request.edge_positive]
        p = edge if answer is None else answer
        top = p.index(max(p))
        edge_top = edge.index(max(edge))
        degraded = answer is None
        reason: Reason = "cloud_error" if degraded else request.reason
        route: Route = "edge" if degraded else "cloud"
        model = request.edge_model if degraded else self._backend.id
        cost = 0.0 if degraded else self._prices.cloud_usd
        now = self._clock()
        end_to_end_ms = float(max(0, now - request.ingested_at))
        metrics.EVENTS.labels(self.name, "completed", route, reason).inc()
        metrics.LATENCY_SECONDS.labels(self.name, route).observe(end_to_end_ms / 1000)
        metrics.COST_USD.labels(self.name).inc(cost)
        result = SentimentResult(
            event_id=request.event_id,
            conversation_id=request.conversation_id,
            turn=request.turn,
            label=LABELS[top],
            confidence=p[top],
            negative=p[0],
            neutral=p[1],
            positive=p[2],
            route=route,
            reason=reason,
            degraded=degraded,
            model=model,
            occurred_at=request.occurred_at,
            scored_at=now,
        )
        audit = RoutingEvent(
            event_id=request.event_id,
            conversation_id=request.conversation_id,
            turn=request.turn,
            stage="completed",
            route=route,
            reason=reason,
            degraded=degraded,
            complexity=request.complexity,
            length=request.length,
            syntax=request.syntax,
            uncertainty=request.uncertainty,
            emotion=request.emotion,
            edge_label=LABELS[edge_top],
            edge_confidence=edge[edge_top],
            cloud_label=None if degraded else LABELS[top],
            cost_usd=cost,
            cloud_only_cost_usd=self._prices.cloud_usd,
            inference_ms=inference_ms,
            end_to_end_ms=end_to_end_ms,
            pii=request.pii,
            model=model,
            router=request.router,
            occurred_at=request.occurred_at,
            recorded_at=now,
        )
        return (
            Output(self._sentiment, key, self._results.encode(result)),
            Output(self._routing_events, key, self._audit.encode(audit)),
        )
