"""Records of every topic for the tests of the schemas: one made by hand, and hypothesis strategies for any."""

import types
import typing
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from schemas.records import (
    Alert,
    BudgetLease,
    CloudRequest,
    ConversationState,
    MonitoringWindow,
    Notification,
    PersonLabel,
    Record,
    ShadowResult,
    Silence,
)
from schemas.topics import TOPICS
from tests.events import RESULT, ROUTING, TRANSCRIPT

EXAMPLES: dict[str, Record] = {
    "transcripts": TRANSCRIPT,
    "sentiment": RESULT,
    "routing-events": ROUTING,
    "cloud-inference": CloudRequest(
        event_id="e1",
        conversation_id="c1",
        turn=1,
        text="hello",
        occurred_at=1_700_000_000_000,
        language="en",
        ingested_at=1_700_000_000_010,
        requested_at=1_700_000_000_020,
        reason="low_confidence",
        complexity=0.2,
        length=0.1,
        syntax=0.2,
        uncertainty=0.1,
        emotion=0.0,
        edge_negative=0.5,
        edge_neutral=0.3,
        edge_positive=0.2,
        edge_model="edge@1.0.0",
        router="default@1",
        pii=("email",),
    ),
    "shadow": ShadowResult(
        event_id="e1",
        conversation_id="c1",
        turn=1,
        label="negative",
        confidence=0.9,
        negative=0.9,
        neutral=0.06,
        positive=0.04,
        route="edge",
        reason="optimal_edge",
        model="edge@2.0.0",
        router="default@1",
        inference_ms=0.4,
        occurred_at=1_700_000_000_000,
        scored_at=1_700_000_000_030,
    ),
    "monitoring": MonitoringWindow(
        window_start=1_700_000_000_000,
        window_end=1_700_000_060_000,
        partition=2,
        events=3,
        decided=1,
        degraded=0,
        routes={"edge": 2, "cloud": 1},
        reasons={"optimal_edge": 2, "low_confidence": 1},
        labels={"negative": 3},
        sampled=0,
        sampled_agreed=0,
        cost_usd=0.0166,
        cloud_only_cost_usd=0.0408,
        end_to_end_ms=b"\x00\xff",
        inference_ms=b"",
        updated_at=1_700_000_001_000,
    ),
    "budget": BudgetLease(
        lease="1f",
        worker="w1",
        window_start=1_700_000_000_000,
        revision=3,
        claimed=0,
        granted=2_000_000_000,
        spent=1_500_000_000,
        updated_at=1_700_000_001_000,
    ),
    "conversations": ConversationState(
        conversation_id="c1",
        status="open",
        channel="voice",
        source="files",
        started_at=1_700_000_000_000,
        last_turn_at=1_700_000_060_000,
        updated_at=1_700_000_061_000,
        turns={"customer": 2, "overall": 2},
        mean_score={"customer": -0.5, "overall": -0.5},
        quarters={"customer": (-5.0, None, 0.0, None), "overall": (-5.0, None, 0.0, None)},
        slope={"customer": 1.0, "overall": 1.0},
        negative_run={"customer": 1, "overall": 1},
        last_label={"customer": "neutral", "overall": "neutral"},
        risk=0.75,
        risk_reasons=("worst_turn",),
        risk_model="escalation@1.0.0",
        escalated_at=1_700_000_061_000,
        partition=3,
        turn_numbers=(1, 3),
        turn_roles=("customer", "customer"),
        turn_labels=("negative", "neutral"),
        turn_scores=(-1000, 0),
        turn_times=(1_700_000_000_500, 1_700_000_060_500),
        earlier_turns={},
        earlier_scores={},
    ),
    "labels": PersonLabel(
        event_id="e1",
        conversation_id="c1",
        label="negative",
        labelled_at=1_700_000_100_000,
        labeller="p-7",
        source="october.csv",
        answer_label="neutral",
        answer_confidence=0.75,
        answered_at=1_700_000_000_020,
        route="edge",
        role="customer",
        model="edge@1.0.0",
    ),
    "alerts": Alert(
        rule="edge_share",
        subject="",
        alert_id="6f6a8d2c-5d5f-5a51-9f0c-0f4e4f2f3a10",
        state="firing",
        severity="warning",
        summary="edge share is 0.70, under 0.80",
        metric="edge_share",
        value=0.7,
        bound=0.8,
        window_ms=900_000,
        started_at=1_700_000_000_000,
        resolved_at=None,
        updated_at=1_700_000_001_000,
        silenced=False,
    ),
    "silences": Silence(
        rule="edge_share",
        until=1_700_000_060_000,
        reason="the cloud model is being replaced",
        by="ada",
        created_at=1_700_000_000_000,
    ),
    "notifications": Notification(
        webhook="on-call",
        rule="edge_share",
        subject="",
        alert_id="6f6a8d2c-5d5f-5a51-9f0c-0f4e4f2f3a10",
        severity="warning",
        summary="edge share is 0.70, under 0.80",
        metric="edge_share",
        value=0.7,
        bound=0.8,
        window_ms=900_000,
        started_at=1_700_000_000_000,
        resolved_at=None,
        state="firing",
        status="sending",
        tries=1,
        in_doubt=False,
        told=False,
        updated_at=1_700_000_001_000,
    ),
}

_LONGS = st.integers(-(2**63), 2**63 - 1)
_DOUBLES = st.floats(allow_nan=False)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def _values(annotation: Any) -> st.SearchStrategy[Any]:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is types.UnionType or origin is typing.Union:
        return st.one_of([_values(argument) for argument in arguments])
    if origin is tuple:
        return st.lists(_values(arguments[0])).map(tuple)
    if issubclass(origin or annotation, Mapping):
        return st.dictionaries(_values(arguments[0]), _values(arguments[1]))
    return {
        int: _LONGS,
        float: _DOUBLES,
        str: _TEXTS,
        bytes: st.binary(),
        bool: st.booleans(),
        types.NoneType: st.none(),
    }[annotation]


def any_record(topic: str) -> st.SearchStrategy[Record]:
    """Any record of `topic` that its types allow, with integers of up to 64 bits."""
    record_type = TOPICS[topic].record_type
    hints = typing.get_type_hints(record_type)
    return st.fixed_dictionaries({name: _values(hint) for name, hint in hints.items()}).map(
        lambda fields: record_type(**fields)
    )
