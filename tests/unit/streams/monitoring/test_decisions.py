"""Recorded decisions as columns: what each audit event becomes, and which of them one policy and model decided."""

from dataclasses import replace

import pytest

from schemas.records import RoutingEvent
from streams.monitoring.decisions import (
    DEFERRED,
    FIELDS,
    FIXED,
    KEPT,
    LATER,
    SAMPLED,
    UNANSWERED,
    Decider,
    DecisionColumns,
    DecisionError,
    Decisions,
)
from tests.decisions import EDGE_ANSWER, NOW, as_object, cloud_answer


def collected(*events: RoutingEvent) -> Decisions:
    columns = DecisionColumns()
    columns.add_events(events)
    return columns.decisions()


@pytest.mark.parametrize(
    ("event", "group", "agrees"),
    [
        (EDGE_ANSWER, KEPT, -1),
        (cloud_answer(), SAMPLED, 1),
        (cloud_answer(cloud_label="negative"), SAMPLED, 0),
        (cloud_answer(reason="low_confidence"), DEFERRED, 1),
        (cloud_answer(reason="high_complexity", cloud_label="positive"), DEFERRED, 0),
        (replace(EDGE_ANSWER, reason="cloud_error", degraded=True), UNANSWERED, -1),
        (replace(EDGE_ANSWER, reason="budget_exhausted", degraded=True), UNANSWERED, -1),
        (replace(EDGE_ANSWER, reason="low_confidence", degraded=True), UNANSWERED, -1),
        (replace(EDGE_ANSWER, reason="unknown"), UNANSWERED, -1),
        (replace(EDGE_ANSWER, reason="sensitive_local"), FIXED, -1),
        (replace(EDGE_ANSWER, reason="unsupported_language", degraded=True), FIXED, -1),
    ],
)
def test_what_is_known_of_an_event(event: RoutingEvent, group: int, agrees: int) -> None:
    found = collected(EDGE_ANSWER, event)
    assert (found.group[1], found.agrees[1]) == (group, agrees)
    assert found.unanswered == (group == UNANSWERED)


def test_an_event_is_counted_once_though_the_cloud_was_asked() -> None:
    asked = replace(EDGE_ANSWER, stage="decided", route="cloud", reason="low_confidence")
    found = collected(asked, cloud_answer(reason="low_confidence", complexity=0.7, edge_confidence=0.4))
    assert (len(found), found.confidence[0], found.complexity[0]) == (1, 0.4, 0.7)
    assert (found.cost_nanos[0], found.to_cloud[0], found.cloud_models) == (13_600_000, True, ("cloud@1",))


def test_only_the_newest_policy_and_edge_model_count() -> None:
    events = [replace(EDGE_ANSWER, recorded_at=NOW + at, router="old@1", model="edge@1") for at in range(3)]
    events += [replace(EDGE_ANSWER, recorded_at=NOW + at, router="new@1", model="edge@1") for at in range(2, 6)]
    events += [cloud_answer(recorded_at=NOW + 7, router="old@1")]  # asked by the old, answered late
    found = collected(*events)
    assert found.decider == Decider("new@1", "edge@1")
    assert (len(found), found.left_out) == (3, 5)
    assert found.since.startswith("2025-11-24T")
    other = [replace(each, model="edge@2", recorded_at=NOW + 9) for each in events[:1]]
    assert collected(*events, *other).decider == Decider("old@1", "edge@2")


def test_what_nobody_was_asked_about_is_counted_apart() -> None:
    columns = DecisionColumns()
    nobodys = as_object(EDGE_ANSWER) | {"scored": False, "model": "", "router": "", "recorded_at": NOW + 9}
    columns.add_objects([as_object(EDGE_ANSWER), nobodys])
    found = columns.decisions()
    assert (len(found), found.not_scored) == (1, 1)


def test_objects_and_records_give_the_same_and_a_first_schema_is_read() -> None:
    whole = as_object(cloud_answer()) | {"tokens_in": 90, "tokens_out": 2, "tokens_cached": 5, "text_chars": 300}
    columns = DecisionColumns()
    columns.add_objects([whole, as_object(EDGE_ANSWER)])
    columns.add_objects([{name: whole[name] for name in FIELDS if name not in LATER}])
    found = columns.decisions()
    assert found.tokens.tolist() == [[90, 2, 5], [0, 0, 0], [0, 0, 0]]
    assert found.text_chars.tolist() == [300, 0, 0]
    assert found.confidence.tolist() == collected(cloud_answer(), EDGE_ANSWER, cloud_answer()).confidence.tolist()


@pytest.mark.parametrize(
    "change",
    [
        {"edge_confidence": 1.5},
        {"edge_confidence": float("nan")},
        {"complexity": float("inf")},
        {"edge_label": "good"},
        {"recorded_at": 1e30},
        {"recorded_at": -1},
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(DecisionError):
        DecisionColumns().add_objects([as_object(EDGE_ANSWER) | change])


def test_the_clouds_answers_alone_do_not_say_which_edge_model_it_was() -> None:
    found = collected(cloud_answer(), cloud_answer())
    assert (len(found), found.decider) == (2, Decider("default@1", ""))


def test_nothing_gives_nothing() -> None:
    empty = DecisionColumns().decisions()
    assert (len(empty), empty.since, empty.until, empty.span_ms) == (0, "", "", 0)
