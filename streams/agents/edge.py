"""The edge agent: scores transcript events on the worker and routes them."""

from collections import Counter
from collections.abc import Collection, Sequence
from time import perf_counter, process_time
from typing import NamedTuple

from models import language_detection, rules
from models.admission import Admitted
from models.classifier import Classifier
from models.pricing import EdgePrice, Prices
from models.redaction import Redaction
from models.residency import Found
from models.router import Decision, Router, Scored
from models.spending import Spending
from models.text_validation import validate_text
from schemas.records import Reason, Route, Stage, TranscriptEvent
from schemas.topics import CLOUD_INFERENCE, ROUTING_EVENTS, SENTIMENT, TRANSCRIPTS
from schemas.validation import validate_event
from streams.agents import metrics
from streams.agents.agent import Agent, KafkaRecord, Output, ReadBack
from streams.agents.answers import cloud_request, edge_audit, edge_result, unscored_audit
from streams.agents.decoding import Decoder
from streams.agents.edge_model import EdgeModel, PromotedModels, load_edge_model, promoted_models
from streams.agents.sensitive import Sensitive
from streams.config.admission import build_admission
from streams.config.codecs import codec
from streams.config.redaction import build_redaction
from streams.config.settings import Settings
from streams.system.clock import Clock, now_ms


class _Scoring(NamedTuple):
    """What a batch's events share."""

    at: int  # UTC milliseconds
    inference_ms: float  # of each event
    spent: Spending  # on each event


class EdgeAgent(Agent):
    """transcripts -> sentiment or cloud-inference, and always routing-events; what is poison -> dead-letters.

    Before each batch it looks whether another model was `promoted`: all of a batch is scored by one model. A batch that
    comes again after an abort may be scored by the newer one: nothing of the first time was published.
    """

    name = "edge"

    def __init__(
        self,
        settings: Settings,
        classifier: Classifier,
        router: Router,
        redaction: Redaction,
        clock: Clock = now_ms,
        promoted: PromotedModels | None = None,
    ) -> None:
        self.source = settings.topic(TRANSCRIPTS)
        self.chunk_records = settings.chunk_records
        self._promoted = promoted
        self._use(EdgeModel(classifier, router, build_admission(settings, classifier.languages)))
        self._sensitive = Sensitive(self.name, redaction, settings.sensitive_local)
        self._clock = clock
        self._max_text_chars = settings.max_text_chars
        self._price = EdgePrice(settings.edge_price_usd, settings.edge_core_hour_usd)
        self._cloud_only_usd = Prices(settings.edge_price_usd, settings.cloud_price_usd).cloud_usd
        self._events = Decoder(settings, self.name, TRANSCRIPTS, self._validate)
        self._results = codec(settings, SENTIMENT)
        self._requests = codec(settings, CLOUD_INFERENCE)
        self._audit = codec(settings, ROUTING_EVENTS)
        self._latency = metrics.LATENCY_SECONDS.labels(self.name, "edge")
        self._sentiment = settings.topic(SENTIMENT)
        self._cloud_inference = settings.topic(CLOUD_INFERENCE)
        self._routing_events = settings.topic(ROUTING_EVENTS)

    def _validate(self, event: TranscriptEvent) -> None:
        validate_event(event, now_ms=self._clock())
        validate_text(event.text, max_chars=self._max_text_chars)

    async def process(self, records: Sequence[KafkaRecord]) -> list[Output]:
        """Two outputs an event that is scored: its answer or its request to the cloud, and its audit event."""
        await self._look_for_promoted()
        events, outputs = self._events.decode_all(records)
        if not events:
            return outputs
        admitted = [self._admission.admit(event.role, event.language, event.text) for _, event in events]
        scored = [number for number, each in enumerate(admitted) if each.skipped is None]
        begun, core_begun = perf_counter(), process_time()
        turns = [events[number][1] for number in scored]
        given = self._classifier.score([turn.text for turn in turns], [turn.role for turn in turns]).tolist()
        seconds, core_seconds = perf_counter() - begun, process_time() - core_begun
        spent = self._price.spent(core_seconds, len(scored))
        scores = [admitted[number].believed(p) for number, p in zip(scored, given, strict=True)]
        metrics.INFERENCE_SECONDS.labels(self.name).observe(seconds)
        scoring = _Scoring(self._clock(), seconds * 1000 / max(1, len(scored)), spent)
        looked = self._sensitive.look(events)
        batch = [
            Scored(events[number][1].event_id, events[number][1].text, max(p), looked[number].kinds)
            for number, p in zip(scored, scores, strict=True)
        ]
        routed = iter(zip(scores, self._router.decide(batch), strict=True))
        counts: Counter[tuple[Stage, Route, Reason]] = Counter()
        unscored: Counter[Reason] = Counter()
        for (record, event), each, found in zip(events, admitted, looked, strict=True):
            if each.skipped is not None:
                outputs.append(self._unscored(event, record, each, found, scoring.at))
                unscored[each.skipped] += 1
                continue
            p, decision = next(routed)
            decision = found.decided(each.decided(decision))
            outputs += self._outputs(event, record, p, each, found, decision, scoring)
            counts["completed" if decision.route == "edge" else "decided", decision.route, decision.reason] += 1
        # Once a batch, not once an event: a labelled metric costs 2 µs.
        for labels, count in counts.items():
            metrics.EVENTS.labels(self.name, *labels).inc(count)
        for reason, count in unscored.items():
            metrics.UNSCORED_EVENTS.labels(self.name, reason).inc(count)
        metrics.COST_USD.labels(self.name).inc(spent.cost_usd * len(scored))
        return outputs

    def committed(self) -> None:
        """Keeps what the last batch said of conversations."""
        self._sensitive.keep()

    def positions_set_back(self, partitions: Collection[int]) -> None:
        """Takes back what the last batch said of conversations: its turns come again, and must give the same."""
        self._sensitive.set_back(partitions)

    async def _look_for_promoted(self) -> None:
        if self._promoted is not None and (model := await self._promoted.newer(self._classifier.id)) is not None:
            self._use(model)
            metrics.name_model(self.name, model.classifier.id)

    def _use(self, model: EdgeModel) -> None:
        self._classifier, self._router, self._admission = model
        self.model = model.classifier.id

    def _unscored(
        self, event: TranscriptEvent, record: KafkaRecord, admitted: Admitted, found: Found, now: int
    ) -> Output:
        end_to_end_ms = float(max(0, now - record.timestamp))
        audit = unscored_audit(event, admitted, kinds=found.kinds, end_to_end_ms=end_to_end_ms, now_ms=now)
        return Output(self._routing_events, event.conversation_id.encode(), self._audit.encode(audit))

    def _outputs(
        self,
        event: TranscriptEvent,
        record: KafkaRecord,
        p: Sequence[float],
        admitted: Admitted,
        found: Found,
        decision: Decision,
        scoring: _Scoring,
    ) -> tuple[Output, Output]:
        record.span.tell({"edgewise.route": decision.route, "edgewise.reason": decision.reason})
        # By the conversation, whatever key the transcript came with: who reads further on relies on it.
        key, model, router = event.conversation_id.encode(), self._classifier.id, self._router.id
        end_to_end_ms = float(max(0, scoring.at - record.timestamp))
        answered_by = rules.answered_by(event.text, event.role, model)
        if decision.route == "edge":
            self._latency.observe(end_to_end_ms / 1000)
            result = edge_result(event, p, decision, admitted, model=answered_by, now_ms=scoring.at)
            answer = Output(self._sentiment, key, self._results.encode(result), record.span.headers)
        else:
            request = cloud_request(
                event,
                p,
                decision,
                admitted,
                text=found.text,
                kinds=found.kinds,
                model=answered_by,
                router=router,
                ingested_at=record.timestamp,
                now_ms=scoring.at,
            )
            answer = Output(self._cloud_inference, key, self._requests.encode(request), record.span.headers)
        audit = edge_audit(
            event,
            p,
            decision,
            admitted,
            kinds=found.kinds,
            model=model,
            router=router,
            spent=scoring.spent,
            cloud_only_cost_usd=self._cloud_only_usd if decision.route == "edge" else 0.0,
            inference_ms=scoring.inference_ms,
            end_to_end_ms=end_to_end_ms,
            now_ms=scoring.at,
        )
        return answer, Output(self._routing_events, key, self._audit.encode(audit))


async def build(settings: Settings, read_back: ReadBack) -> EdgeAgent:  # noqa: ARG001 - each agent is built so
    """The agent with its models loaded and verified.

    Raises ArtifactError; UsageError: the policy cannot be used.
    """
    language_detection.load_meanwhile()
    promoted = promoted_models(settings, EdgeAgent.name)
    model = load_edge_model(settings, settings.edge_model) if promoted is None else promoted.first()
    redaction = build_redaction(settings)
    return EdgeAgent(settings, model.classifier, model.router, redaction, promoted=promoted)
