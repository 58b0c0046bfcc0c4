"""The cloud agent: asks the larger model for what the edge deferred, and falls back on the edge's answer."""

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from time import perf_counter

from models.cloud import Answer, CloudBackend, Failure, Question
from models.pricing import Prices
from schemas.records import CloudRequest
from schemas.topics import BUDGET, CLOUD_INFERENCE, ROUTING_EVENTS, SENTIMENT
from streams.agents import metrics
from streams.agents.agent import CHUNKS, Agent, KafkaRecord, Output, ReadBack
from streams.agents.answers import cloud_audit, cloud_result
from streams.agents.budget import TICK_S, Budget, budget_limits
from streams.agents.decoding import Decoder
from streams.config.backends import start_backend
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.system.clock import Clock, now_ms
from streams.system.tracing import step

logger = logging.getLogger(__name__)


class CloudAgent(Agent):
    """cloud-inference -> sentiment and routing-events; what is poison -> dead-letters."""

    name = "cloud"

    def __init__(
        self, settings: Settings, backend: CloudBackend, clock: Clock = now_ms, budget: Budget | None = None
    ) -> None:
        self.source = settings.topic(CLOUD_INFERENCE)
        # What `process` is given is answered under one deadline, and is paid again where it is not committed: it is no
        # more than the backend takes at once. One that takes fewer than `CHUNKS` is asked more often.
        self.chunk_records = max(1, min(settings.chunk_records, backend.batch // CHUNKS))
        self.tick_s = 0.0 if budget is None else TICK_S
        self.unused = (BUDGET,) if budget is None else ()
        self._backend = backend
        self._budget = budget
        self._clock = clock
        self._deadline_s = settings.cloud_deadline_ms / 1000
        self._cloud_only_usd = Prices(settings.edge_price_usd, settings.cloud_price_usd).cloud_usd
        self._requests = Decoder(settings, self.name, CLOUD_INFERENCE)
        self._results = codec(settings, SENTIMENT)
        self._audit = codec(settings, ROUTING_EVENTS)
        self._sentiment = settings.topic(SENTIMENT)
        self._routing_events = settings.topic(ROUTING_EVENTS)

    async def prepare(self, records: Sequence[KafkaRecord]) -> Sequence[Output]:
        """The claim of what the calls for `records` may cost, where there is a budget."""
        if self._budget is None:
            return ()
        size = sum(len(record.value or b"") for record in records)
        return self._budget.claim(self._backend.most_nanodollars(len(records), size, self._deadline_s))

    async def tick(self, now_ms: int, partitions: Collection[int]) -> Sequence[Output]:
        """What is left of a lease that is not used: others may claim it."""
        return () if self._budget is None else self._budget.give_back(now_ms)

    def committed(self) -> None:
        """Tells the budget that others see what was claimed, spent and given back."""
        if self._budget is not None:
            self._budget.committed()

    async def process(self, records: Sequence[KafkaRecord]) -> list[Output]:
        """Two outputs a request: its answer and its audit event; and what the lease has come to."""
        requests, outputs = self._requests.decode_all(records)
        if self._budget is not None:
            await self._budget.decide()
        for start in range(0, len(requests), self._backend.batch):
            outputs += await self._answered(requests[start : start + self._backend.batch])
        if self._budget is not None:
            outputs += self._budget.settle()
        return outputs

    async def _answered(self, requests: Sequence[tuple[KafkaRecord, CloudRequest]]) -> list[Output]:
        outputs: list[Output] = []
        begun = perf_counter()
        questions = [Question(request.text, request.language, request.role) for _, request in requests]
        with step("ask cloud", {"messaging.batch.message_count": len(questions)}, "client") as asked:
            answers = await self._backend.answer(questions, self._deadline_s)
            asked.tell({"edgewise.failures": sum(isinstance(answer, Failure) for answer in answers)})
        seconds = perf_counter() - begun
        metrics.INFERENCE_SECONDS.labels(self.name).observe(seconds)
        inference_ms = seconds * 1000 / len(requests)
        failures: Counter[str] = Counter()
        for (record, request), answer in zip(requests, answers, strict=True):
            if isinstance(answer, Failure):
                failures[answer.detail] += 1
            outputs += self._outputs(record, request, answer, inference_ms)
        for detail, count in failures.items():
            logger.warning("the cloud did not answer, %d events keep the edge's answer: %s", count, detail)
        return outputs

    async def close(self) -> None:
        """Ends the backend."""
        await self._backend.close()

    def _outputs(
        self, record: KafkaRecord, request: CloudRequest, given: Answer | Failure, inference_ms: float
    ) -> tuple[Output, Output]:
        now, key = self._clock(), request.conversation_id.encode()
        answer, reason = (given, request.reason) if isinstance(given, Answer) else (None, given.reason)
        result = cloud_result(request, answer, reason, now_ms=now)
        audit = cloud_audit(
            request,
            answer,
            reason,
            spent=given.spent,
            cloud_only_cost_usd=self._cloud_only_usd,
            inference_ms=inference_ms,
            end_to_end_ms=float(max(0, now - request.ingested_at)),
            budget_used=None if self._budget is None else self._budget.share_used,
            now_ms=now,
        )
        record.span.tell({"edgewise.route": audit.route, "edgewise.reason": reason})
        metrics.EVENTS.labels(self.name, "completed", audit.route, reason).inc()
        metrics.LATENCY_SECONDS.labels(self.name, audit.route).observe(audit.end_to_end_ms / 1000)
        metrics.COST_USD.labels(self.name).inc(audit.cost_usd)
        metrics.TOKENS.inc(audit.tokens_in + audit.tokens_out)
        return (
            Output(self._sentiment, key, self._results.encode(result), record.span.headers),
            Output(self._routing_events, key, self._audit.encode(audit)),
        )


async def build(settings: Settings, read_back: ReadBack) -> CloudAgent:
    """The agent with its backend ready.

    Raises ArtifactError, UsageError: the backend cannot be what the settings say; CloudError: it does not start.
    """
    budget = Budget(settings, read_back) if budget_limits(settings) else None
    backend, model = await start_backend(settings, None if budget is None else budget.lease)
    agent = CloudAgent(settings, backend, budget=budget)
    agent.model = model
    return agent
