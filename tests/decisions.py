"""Recorded decisions for tests: routing events, as objects too, and simulated ones whose truth is known."""

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from schemas.records import RoutingEvent
from streams.monitoring.decisions import DEFERRED, KEPT, SAMPLED, Decider, Decisions
from tests.events import routing_event

NOW = 1_764_000_000_000

EDGE_ANSWER = routing_event(edge_label="neutral", edge_confidence=0.9, model="edge@1", recorded_at=NOW)


def cloud_answer(**changes: Any) -> RoutingEvent:
    """The cloud's answer on an event of the random sample, which agrees; `changes` are its fields."""
    fields: dict[str, Any] = {
        "route": "cloud", "reason": "random_cloud", "cloud_label": "neutral", "model": "cloud@1", "cost_usd": 0.0136
    }  # fmt: skip
    return replace(EDGE_ANSWER, **(fields | changes))


def as_object(event: RoutingEvent) -> dict[str, Any]:
    """The event as a line of JSON has it."""
    return asdict(event)


def simulated(events: int, *, threshold: float, rate: float, seed: int) -> tuple[Decisions, np.ndarray[Any, Any]]:
    """Decisions at `threshold` with a random sample of `rate`, and whether each answer agrees, seen or not.

    Of confidence c a share of 0.6 + 0.4 c agrees.
    """
    random = np.random.default_rng(seed)
    confidence = random.random(events)
    agrees = random.random(events) < 0.6 + 0.4 * confidence
    drawn = np.where(random.random(events) < rate, SAMPLED, KEPT)
    group = np.where(confidence < threshold, DEFERRED, drawn).astype(np.int8)
    decisions = Decisions(
        confidence=confidence,
        complexity=np.full(events, 0.3),
        group=group,
        agrees=np.where(group == KEPT, -1, agrees).astype(np.int8),
        to_cloud=group != KEPT,
        cost_nanos=np.where(group == KEPT, 1_000_000, 13_600_000),
        tokens=np.zeros((events, 3), np.int64),
        text_chars=np.zeros(events, np.int64),
        recorded_ms=NOW + np.arange(events) * 100,
        decider=Decider("default@1", "edge@1"),
        cloud_models=("cloud@1",),
    )
    return decisions, agrees
