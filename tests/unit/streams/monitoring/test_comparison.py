"""A candidate's answers joined to the audit trail: which events count, what judges them, how they are weighed."""

from dataclasses import replace

import pytest

from schemas.records import Label, Reason, RoutingEvent, ShadowResult
from streams.monitoring.comparison import Answers, Comparison
from streams.monitoring.paired import Pairs, Stratum
from tests.events import routing_event
from tests.schema_records import EXAMPLES


def shadow(event_id: str, label: Label, **changes: object) -> ShadowResult:
    example = EXAMPLES["shadow"]
    assert isinstance(example, ShadowResult)
    return replace(example, event_id=event_id, label=label, **changes)  # type: ignore[arg-type]


def kept(event_id: str, label: Label, **changes: object) -> RoutingEvent:
    return routing_event(event_id=event_id, edge_label=label, **changes)


def asked(event_id: str, label: Label, cloud: Label | None, reason: Reason) -> list[RoutingEvent]:
    """Both audit events of an event that went to the cloud."""
    decided = routing_event(event_id=event_id, edge_label=label, stage="decided", route="cloud", reason=reason)
    done = replace(
        decided, stage="completed", cloud_label=cloud, route="cloud" if cloud else "edge", degraded=cloud is None,
        reason=reason if cloud else "cloud_error", model="cloud@1.0.0" if cloud else "edge@1.0.0", inference_ms=90.0,
    )  # fmt: skip
    return [decided, done]


def compared(shadows: list[ShadowResult], events: list[RoutingEvent], candidate: str | None = None) -> Comparison:
    answers = Answers()
    for result in shadows:
        answers.add_shadow(result)
    for event in events:
        answers.add_routing(event)
    found = answers.comparison(candidate)
    assert found is not None
    return found


def test_the_sample_speaks_for_what_was_kept_and_the_deferred_for_themselves() -> None:
    found = compared(
        [shadow(name, "negative") for name in ("k1", "k2", "s1", "s2", "d1", "d2", "e1")],
        [
            kept("k1", "negative"),
            kept("k2", "positive"),
            *asked("s1", "negative", "negative", "random_cloud"),  # both right
            *asked("s2", "positive", "negative", "random_cloud"),  # the candidate alone
            *asked("d1", "neutral", "neutral", "low_confidence"),  # the former alone
            *asked("d2", "neutral", "positive", "high_complexity"),  # neither
            *asked("e1", "neutral", None, "low_confidence"),  # nobody knows
        ],
    )
    assert (found.former, found.candidate, found.events) == ("edge@1.0.0", "edge@2.0.0", 7)
    assert found.kept == Stratum(4, Pairs(1, 0, 1, 0))
    assert found.deferred == Stratum(3, Pairs(0, 1, 0, 1))
    assert found.same == pytest.approx(2 / 7)
    assert found.people is None


def test_what_each_is_like_is_of_the_same_events() -> None:
    found = compared(
        [
            shadow("a", "negative", confidence=0.5, route="cloud", inference_ms=2.0),
            shadow("b", "positive", confidence=0.75, inference_ms=2.0),
            shadow("alone", "neutral", confidence=0.1),
        ],
        [
            *asked("a", "neutral", "neutral", "low_confidence"),
            kept("b", "positive", inference_ms=1.5),
            kept("not shadowed", "negative"),
        ],
    )
    assert (found.events, found.unpaired) == (2, 2)
    assert found.of_candidate.labels == {"negative": 0.5, "neutral": 0.0, "positive": 0.5}
    assert found.of_former.labels == {"negative": 0.0, "neutral": 0.5, "positive": 0.5}
    assert (found.of_candidate.confidence, found.of_candidate.deferred) == (0.625, 0.5)
    assert (found.of_former.deferred, found.of_former.inference_ms["p95"]) == (0.5, 1.5), "the cloud's time is not ours"
    assert found.of_candidate.inference_ms["p50"] == 2.0


def test_only_the_last_model_in_force_and_one_candidate_count() -> None:
    events = [kept("a", "negative", model="edge@0.9"), kept("b", "negative", recorded_at=1_800_000_000_000)]
    shadows = [shadow("a", "negative"), shadow("b", "neutral"), shadow("b", "positive", model="edge@3", scored_at=1)]
    last = compared(shadows, events)
    assert (last.former, last.candidate, last.events, last.left_out) == ("edge@1.0.0", "edge@2.0.0", 1, 2)
    asked_for = compared(shadows, events, "edge@3")
    assert (asked_for.candidate, asked_for.events, asked_for.of_candidate.labels["positive"]) == ("edge@3", 1, 1.0)
    with pytest.raises(AssertionError):
        compared(shadows, events, "edge@4")


def test_of_an_event_that_comes_twice_the_last_answer_counts() -> None:
    found = compared([shadow("a", "neutral"), shadow("a", "negative")], [kept("a", "neutral"), kept("a", "negative")])
    assert (found.events, found.same) == (1, 1.0)


def test_peoples_labels_are_a_judgement_of_their_own() -> None:
    answers = Answers()
    for name in ("a", "b", "not seen"):
        answers.add_label(name, "positive")
    for name, label in (("a", "positive"), ("b", "neutral")):
        answers.add_shadow(shadow(name, label))  # type: ignore[arg-type]
        answers.add_routing(kept(name, "positive"))
    found = answers.comparison()
    assert found is not None
    assert found.people == Pairs(1, 1, 0, 0)
    assert found.kept.pairs.known == 0, "the cloud was not asked"


def test_what_was_not_scored_or_kept_by_a_rule_is_in_no_part() -> None:
    found = compared(
        [shadow("a", "negative"), shadow("b", "negative")],
        [kept("a", "negative", scored=False), kept("b", "negative", reason="sensitive_local")],
    )
    assert (found.events, found.kept.events, found.deferred.events) == (1, 0, 0)
