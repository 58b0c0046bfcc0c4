"""The records that tell of an event's way: its result, its request to the cloud, its audit events. Made here alone."""

from collections.abc import Sequence

from models.admission import Admitted
from models.cloud import Answer
from models.router import Decision
from models.spending import Spending, Tokens
from schemas.records import (
    LABELS,
    CloudRequest,
    Label,
    Reason,
    RoutingEvent,
    SentimentResult,
    TranscriptEvent,
)
from schemas.vendor_sentiment import vendor_label

Probabilities = Sequence[float]  # negative, neutral, positive


def edge_result(
    event: TranscriptEvent, p: Probabilities, decision: Decision, admitted: Admitted, *, model: str, now_ms: int
) -> SentimentResult:
    """The answer of `model` (or the rules), which the router kept; degraded where the model can't read the text."""
    label, confidence = _best(p)
    return SentimentResult(
        event_id=event.event_id,
        conversation_id=event.conversation_id,
        turn=event.turn,
        label=label,
        confidence=confidence,
        negative=p[0],
        neutral=p[1],
        positive=p[2],
        route="edge",
        reason=decision.reason,
        degraded=admitted.is_degraded(decision),
        model=model,
        occurred_at=event.occurred_at,
        scored_at=now_ms,
        role=event.role,
        channel=event.channel,
        language=admitted.language,
        source=event.source,
        last=event.last,
    )


def cloud_request(  # noqa: PLR0913 - what a request carries
    event: TranscriptEvent,
    p: Probabilities,
    decision: Decision,
    admitted: Admitted,
    *,
    text: str,
    kinds: tuple[str, ...],
    model: str,
    router: str,
    ingested_at: int,
    now_ms: int,
) -> CloudRequest:
    """The question to the cloud: `text` is what may leave the worker, `kinds` what was redacted in it."""
    complexity = decision.complexity
    return CloudRequest(
        event_id=event.event_id,
        conversation_id=event.conversation_id,
        turn=event.turn,
        text=text,
        occurred_at=event.occurred_at,
        language=admitted.language,
        ingested_at=ingested_at,
        requested_at=now_ms,
        reason=decision.reason,
        complexity=complexity.total,
        length=complexity.length,
        syntax=complexity.syntax,
        uncertainty=complexity.uncertainty,
        emotion=complexity.emotion,
        edge_negative=p[0],
        edge_neutral=p[1],
        edge_positive=p[2],
        edge_model=model,
        router=router,
        pii=kinds,
        role=event.role,
        channel=event.channel,
        source=event.source,
        last=event.last,
        text_chars=len(event.text),
        vendor_label=vendor_label(event.attributes),
    )


def edge_audit(  # noqa: PLR0913 - what an audit event carries
    event: TranscriptEvent,
    p: Probabilities,
    decision: Decision,
    admitted: Admitted,
    *,
    kinds: tuple[str, ...],
    model: str,
    router: str,
    spent: Spending,
    cloud_only_cost_usd: float,
    inference_ms: float,
    end_to_end_ms: float,
    now_ms: int,
) -> RoutingEvent:
    """The edge's audit event: `completed` where the edge answered, `decided` where the cloud is asked."""
    label, confidence = _best(p)
    complexity = decision.complexity
    return RoutingEvent(
        event_id=event.event_id,
        conversation_id=event.conversation_id,
        turn=event.turn,
        stage="completed" if decision.route == "edge" else "decided",
        route=decision.route,
        reason=decision.reason,
        degraded=admitted.is_degraded(decision),
        complexity=complexity.total,
        length=complexity.length,
        syntax=complexity.syntax,
        uncertainty=complexity.uncertainty,
        emotion=complexity.emotion,
        edge_label=label,
        edge_confidence=confidence,
        cloud_label=None,
        cost_usd=spent.cost_usd,
        cost_basis=spent.basis,
        cloud_only_cost_usd=cloud_only_cost_usd,
        inference_ms=inference_ms,
        end_to_end_ms=end_to_end_ms,
        pii=kinds,
        model=model,
        router=router,
        occurred_at=event.occurred_at,
        recorded_at=now_ms,
        role=event.role,
        channel=event.channel,
        language=admitted.language,
        source=event.source,
        last=event.last,
        vendor_label=vendor_label(event.attributes),
        text_chars=len(event.text),
    )


def unscored_audit(
    event: TranscriptEvent, admitted: Admitted, *, kinds: tuple[str, ...], end_to_end_ms: float, now_ms: int
) -> RoutingEvent:
    """The audit event of an event that is not scored, for `admitted.skipped`: there is no result, and no cost."""
    return RoutingEvent(
        event_id=event.event_id,
        conversation_id=event.conversation_id,
        turn=event.turn,
        stage="completed",
        route="edge",
        reason=admitted.skipped or "not_scored",
        degraded=False,
        complexity=0.0,
        length=0.0,
        syntax=0.0,
        uncertainty=0.0,
        emotion=0.0,
        edge_label="neutral",
        edge_confidence=0.0,
        cloud_label=None,
        cost_usd=0.0,
        cloud_only_cost_usd=0.0,
        inference_ms=0.0,
        end_to_end_ms=end_to_end_ms,
        pii=kinds,
        model="",
        router="",
        occurred_at=event.occurred_at,
        recorded_at=now_ms,
        role=event.role,
        channel=event.channel,
        language=admitted.language,
        source=event.source,
        last=event.last,
        scored=False,
        vendor_label=vendor_label(event.attributes),
        text_chars=len(event.text),
    )


def cloud_result(request: CloudRequest, answer: Answer | None, reason: Reason, *, now_ms: int) -> SentimentResult:
    """The cloud's answer; without one the edge's, marked as degraded. `reason` is why the event took its route."""
    p = _edge(request) if answer is None else answer.probabilities
    label, confidence = _best(p)
    return SentimentResult(
        event_id=request.event_id,
        conversation_id=request.conversation_id,
        turn=request.turn,
        label=label,
        confidence=confidence,
        negative=p[0],
        neutral=p[1],
        positive=p[2],
        route="edge" if answer is None else "cloud",
        reason=reason,
        degraded=answer is None,
        model=request.edge_model if answer is None else answer.model,
        occurred_at=request.occurred_at,
        scored_at=now_ms,
        role=request.role,
        channel=request.channel,
        language=request.language,
        source=request.source,
        last=request.last,
    )


def cloud_audit(  # noqa: PLR0913 - what an audit event carries
    request: CloudRequest,
    answer: Answer | None,
    reason: Reason,
    *,
    spent: Spending,
    cloud_only_cost_usd: float,
    inference_ms: float,
    end_to_end_ms: float,
    budget_used: float | None,
    now_ms: int,
) -> RoutingEvent:
    """The audit event that completes an event which was sent to the cloud. A failure, too, may have cost something."""
    label, confidence = _best(_edge(request))
    tokens = spent.tokens or Tokens()
    cloud_label, cloud_confidence = (None, None) if answer is None else _best(answer.probabilities)
    return RoutingEvent(
        event_id=request.event_id,
        conversation_id=request.conversation_id,
        turn=request.turn,
        stage="completed",
        route="edge" if answer is None else "cloud",
        reason=reason,
        degraded=answer is None,
        complexity=request.complexity,
        length=request.length,
        syntax=request.syntax,
        uncertainty=request.uncertainty,
        emotion=request.emotion,
        edge_label=label,
        edge_confidence=confidence,
        cloud_label=cloud_label,
        cost_usd=spent.cost_usd,
        cloud_only_cost_usd=cloud_only_cost_usd,
        inference_ms=inference_ms,
        end_to_end_ms=end_to_end_ms,
        pii=request.pii,
        model=request.edge_model if answer is None else answer.model,
        router=request.router,
        occurred_at=request.occurred_at,
        recorded_at=now_ms,
        role=request.role,
        channel=request.channel,
        language=request.language,
        source=request.source,
        last=request.last,
        tokens_in=tokens.read,
        tokens_out=tokens.written,
        tokens_cached=tokens.cached,
        calls=spent.calls,
        cost_basis=spent.basis,
        cloud_confidence=cloud_confidence,
        vendor_label=request.vendor_label,
        text_chars=request.text_chars,
        budget_used=budget_used,
    )


def _edge(request: CloudRequest) -> Probabilities:
    return request.edge_negative, request.edge_neutral, request.edge_positive


def _best(p: Probabilities) -> tuple[Label, float]:
    confidence = max(p)
    return LABELS[p.index(confidence)], confidence
