"""The shadow agent: what a candidate model would have answered to live traffic. It touches no result."""

from collections.abc import Sequence
from time import perf_counter

from models import language_detection
from models.artifact import Artifact, load_artifact
from models.classifier import Classifier
from models.policy_file import POLICY_ENDINGS, read_policy
from models.router import Router, Scored
from models.text_validation import validate_text
from schemas.codec import DecodeError
from schemas.errors import UsageError
from schemas.records import LABELS, ShadowResult, TranscriptEvent
from schemas.topics import SHADOW, TRANSCRIPTS
from schemas.validation import validate_event
from streams.agents import metrics
from streams.agents.agent import Agent, KafkaRecord, Output, ReadBack
from streams.config.admission import build_admission
from streams.config.codecs import codec
from streams.config.routing import build_router
from streams.config.settings import Settings
from streams.system.clock import Clock, now_ms


class ShadowAgent(Agent):
    """transcripts -> shadow: one output an event that is scored. What is poison is the edge agent's to report.

    Rules that keep an event on the edge (`sensitive_local`) are left out of what it says of routes.
    """

    name = "shadow"
    # Nobody waits for it: fewer transactions, and the edge's workers have the broker first.
    gather_s = 0.5

    def __init__(self, settings: Settings, classifier: Classifier, router: Router, clock: Clock = now_ms) -> None:
        self.source = settings.topic(TRANSCRIPTS)
        self.model = classifier.id
        self.chunk_records = settings.chunk_records
        self._classifier = classifier
        self._router = router
        self._admission = build_admission(settings, classifier.languages)
        self._clock = clock
        self._max_text_chars = settings.max_text_chars
        self._decode = codec(settings, TRANSCRIPTS).decode
        self._encode = codec(settings, SHADOW).encode
        self._topic = settings.topic(SHADOW)

    async def process(self, records: Sequence[KafkaRecord]) -> list[Output]:
        """What the candidate would have answered to `records`. Raises RegistryError."""
        events = [event for record in records if (event := self._event(record)) is not None]
        admitted = [self._admission.admit(event.role, event.language, event.text) for event in events]
        asked = [(event, each) for event, each in zip(events, admitted, strict=True) if each.skipped is None]
        if not asked:
            return []
        begun = perf_counter()
        given = self._classifier.score([event.text for event, _ in asked], [event.role for event, _ in asked]).tolist()
        seconds, at = perf_counter() - begun, self._clock()
        scores = [each.believed(p) for (_, each), p in zip(asked, given, strict=True)]
        metrics.INFERENCE_SECONDS.labels(self.name).observe(seconds)
        batch = [Scored(event.event_id, event.text, max(p)) for (event, _), p in zip(asked, scores, strict=True)]
        outputs = []
        for (event, each), p, routed in zip(asked, scores, self._router.decide(batch), strict=True):
            decision, confidence = each.decided(routed), max(p)
            result = ShadowResult(
                event_id=event.event_id,
                conversation_id=event.conversation_id,
                turn=event.turn,
                label=LABELS[p.index(confidence)],
                confidence=confidence,
                negative=p[0],
                neutral=p[1],
                positive=p[2],
                route=decision.route,
                reason=decision.reason,
                model=self._classifier.id,
                router=self._router.id,
                inference_ms=seconds * 1000 / len(asked),
                occurred_at=event.occurred_at,
                scored_at=at,
                role=event.role,
                channel=event.channel,
                language=each.language,
                source=event.source,
            )
            outputs.append(Output(self._topic, event.conversation_id.encode(), self._encode(result)))
        return outputs

    def _event(self, record: KafkaRecord) -> TranscriptEvent | None:
        try:
            event = self._decode(record.value)
            validate_event(event, now_ms=self._clock())
            validate_text(event.text, max_chars=self._max_text_chars)
        except DecodeError:
            return None
        return event


def _router(settings: Settings, candidate: Artifact) -> Router:
    """The policy in force; by the candidate's own threshold the default one, where that was fitted on another model."""
    if settings.router.endswith(POLICY_ENDINGS):
        fitted = read_policy(settings.router).fitted
        if fitted is not None and fitted.edge_model != candidate.id:
            settings = settings.model_copy(update={"router": "default"})
    return build_router(settings, candidate)


async def build(settings: Settings, read_back: ReadBack) -> ShadowAgent:  # noqa: ARG001 - each agent is built so
    """The agent with the candidate loaded and verified.

    Raises UsageError: no candidate is named, or it has no threshold; ArtifactError.
    """
    if settings.shadow_model is None:
        raise UsageError("the agent shadow needs a model to try: set shadow_model (EDGEWISE_SHADOW_MODEL)")
    language_detection.load_meanwhile()
    candidate = load_artifact(settings.shadow_model)
    router = _router(settings, candidate)
    classifier = Classifier(candidate, threads=settings.model_threads, token_budget=settings.token_budget)
    return ShadowAgent(settings, classifier, router)
