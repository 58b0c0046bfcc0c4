"""The score is from 0 to 100 whatever was counted, falls with what falls, and `improving` is said of what improves."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.records import RoutingEvent
from streams.monitoring.drift import Reference
from streams.monitoring.health import WORDS, Figure, Health, assess
from streams.monitoring.health_metrics import Beside
from streams.monitoring.health_rules import bounds, load_health_rules
from streams.monitoring.people import PeopleLabels
from streams.monitoring.window import Window
from tests.events import routing_event
from tests.unit.streams.monitoring.test_people import label

HOUR_MS = 3_600_000
BOUNDS = bounds(load_health_rules())

# A sample of the cloud's that agrees; what the cloud answers otherwise is no sample.
AGREED = routing_event(
    route="cloud", reason="random_cloud", cloud_label="negative", cost_usd=0.01, cloud_confidence=0.9
)
DISAGREED = routing_event(route="cloud", reason="random_cloud", cloud_label="positive", cloud_confidence=0.9)
EDGE = routing_event()

events_of_any_kind = st.lists(
    st.builds(
        routing_event,
        route=st.sampled_from(["edge", "cloud"]),
        reason=st.sampled_from(["optimal_edge", "random_cloud", "cloud_error"]),
        degraded=st.booleans(),
        cloud_label=st.sampled_from(["negative", "neutral", None]),
        vendor_label=st.sampled_from(["negative", "positive", None]),
        edge_confidence=st.floats(0, 1),
        cost_usd=st.sampled_from([0.0, 0.001, 0.5]),
        end_to_end_ms=st.sampled_from([0.0, 1.0, 150.0, 1e6]),
        budget_used=st.sampled_from([None, 0.0, 0.5, 3.0]),
    ),
    max_size=12,
)


def hours(*batches: Sequence[RoutingEvent]) -> Health:
    """The health of hours with these events."""
    spans, total = [], Window(0, HOUR_MS * len(batches), -1)
    for number, batch in enumerate(batches):
        span = Window(number * HOUR_MS, (number + 1) * HOUR_MS, 0)
        span.add(batch)
        spans.append(span)
        total.merge(span)
    return assess(total, spans, BOUNDS)


def figure(health: Health, name: str) -> Figure:
    return next(each for each in health.figures if each.metric.name == name)


@given(st.lists(events_of_any_kind, min_size=1, max_size=10))
def test_a_score_is_within_its_bounds_and_has_a_word(batches: list[list[RoutingEvent]]) -> None:
    health = hours(*batches)
    if not health.events:
        assert (health.score, health.word) == (None, "unknown")
        return
    assert health.score is not None
    assert 0 <= health.score <= 100
    assert health.word in {word for _, word in WORDS}
    judged = [each for each in health.figures if each.standing in {"kept", "unclear", "missed"}]
    assert {each.share for each in judged if each.standing != "missed"} <= {1.0}
    assert all(each.share is not None and each.share < 1 for each in judged if each.standing == "missed")
    assert health.score == 100 or any(each.standing == "missed" for each in judged)


def test_a_line_that_keeps_all_bounds_is_excellent() -> None:
    health = hours([EDGE] * 95 + [AGREED] * 5)
    assert (health.score, health.word) == (100, "excellent")
    assert [each.standing for each in health.figures if each.metric.name in {"vendor_agreement", "budget_used"}] == [
        "unknown", "unknown",
    ]  # fmt: skip


def test_what_one_figure_lacks_the_others_do_not_make_up_for() -> None:
    half = hours([routing_event(end_to_end_ms=300.0)] * 100 + [AGREED])
    slow = hours([routing_event(end_to_end_ms=60_000.0)] * 100 + [AGREED])
    assert half.score in {86, 87}  # (1/2) ** (1/5) with a sketch's 1 %
    assert half.word == "fair"
    assert slow.score is not None
    assert slow.score < 35
    assert slow.word == "critical"
    assert figure(slow, "latency_p95_ms").standing == "missed"


@pytest.mark.parametrize(
    ("agreed", "disagreed", "standing"), [(30, 0, "kept"), (8, 2, "unclear"), (0, 1, "unclear"), (80, 40, "missed")]
)
def test_a_few_of_the_sample_decide_nothing(agreed: int, disagreed: int, standing: str) -> None:
    health = hours([AGREED] * agreed + [DISAGREED] * disagreed + [EDGE] * 1_000)
    found = figure(health, "agreement")
    assert found.standing == standing
    assert found.interval is not None
    assert found.value is not None
    assert found.interval[0] <= found.value <= found.interval[1]
    assert (found.share == 1.0) == (standing != "missed")


def test_confidence_is_judged_only_where_there_is_no_sample() -> None:
    unsure = routing_event(edge_confidence=0.6)
    without, with_sample = hours([unsure] * 50), hours([unsure] * 50 + [AGREED] * 5)
    assert figure(without, "estimated_accuracy").standing == "missed"
    assert figure(without, "estimated_accuracy").value == pytest.approx(0.6, abs=1e-6)
    assert figure(with_sample, "estimated_accuracy").standing == "not judged"
    assert with_sample.score == 100
    assert without.score is not None
    assert without.score < 100


def test_the_vendors_labels_are_told_and_not_judged() -> None:
    health = hours([routing_event(vendor_label="positive")] * 20)
    found = figure(health, "vendor_agreement")
    assert (found.value, found.standing, found.share) == (0.0, "not judged", None)
    assert health.score == 100


@given(st.lists(st.integers(1, 100_000), min_size=8, max_size=24, unique=True).map(sorted))
def test_improving_is_said_of_what_improves(values: list[int]) -> None:
    slower = [[routing_event(end_to_end_ms=1.03**at)] for at, _ in enumerate(values)]
    dearer = [[routing_event(cost_usd=value / 1e6)] for value in values]
    kept = [[EDGE] * at + [AGREED] * (len(values) - at) for at in range(len(values))]
    assert figure(hours(*slower), "latency_p95_ms").course == "worsening"
    assert figure(hours(*slower[::-1]), "latency_p95_ms").course == "improving"
    assert figure(hours(*dearer), "cost_per_event_usd").course == "worsening"
    assert figure(hours(*dearer[::-1]), "cost_per_event_usd").course == "improving"
    assert figure(hours(*kept), "edge_share").course == "improving"
    assert figure(hours(*kept[::-1]), "edge_share").course == "worsening"


def test_a_trend_is_by_hour_and_of_hours_that_tell() -> None:
    batches = [[EDGE] * (10 - at) + [routing_event(degraded=True)] * at for at in range(10)]
    found = figure(hours(*batches, []), "degraded_share")
    assert found.trend is not None
    assert found.trend.points == 10
    assert found.trend.slope == pytest.approx(0.1)
    assert figure(hours(*batches), "latency_p95_ms").course == "steady"
    assert figure(hours(*batches[:5]), "degraded_share").course == "unknown"


def test_a_budget_is_as_close_as_it_came_and_has_no_trend() -> None:
    health = hours(*([routing_event(budget_used=at / 10)] for at in range(10)), [routing_event(budget_used=0.1)])
    found = figure(health, "budget_used")
    assert (found.value, found.standing, found.trend) == (0.9, "kept", None)


def test_a_metric_without_a_rule_is_told_and_not_judged() -> None:
    window = Window(0, HOUR_MS, 0)
    window.add([routing_event(end_to_end_ms=60_000.0)] * 10)
    health = assess(window, [window], {})
    assert {each.standing for each in health.figures} == {"not judged", "unknown"}
    assert health.score is None


def test_peoples_labels_come_before_agreement_and_that_before_the_estimate() -> None:
    people = PeopleLabels()
    for number in range(30):
        people.add(label(f"e{number}", "neutral" if number % 2 else "negative", "negative", answered_at=HOUR_MS // 2))
    span = Window(0, HOUR_MS, 0)
    span.add([*[EDGE] * 10, *[AGREED] * 10])
    health = assess(span, [span], BOUNDS, Beside(people=people))
    judged = {each.metric.name for each in health.figures if each.is_judged}
    assert "accuracy" in judged
    assert not {"agreement", "estimated_accuracy"} & judged
    assert figure(health, "accuracy").counted == (15, 30)
    assert figure(health, "accuracy").standing == "missed"
    assert health.people is not None
    assert health.people.by["role"]["customer"] == (15, 30)
    later = Window(HOUR_MS, 2 * HOUR_MS, 0)
    later.add([*[EDGE] * 10, *[AGREED] * 10])
    without = assess(later, [later], BOUNDS, Beside(people=people))
    assert "accuracy" not in {each.metric.name for each in without.figures}
    assert figure(without, "agreement").is_judged
    assert not figure(without, "estimated_accuracy").is_judged


def test_drift_is_told_beside_a_reference_and_is_no_part_of_the_score() -> None:
    span = Window(0, HOUR_MS, 0)
    span.add([EDGE] * 1_000)
    other = Window(0, HOUR_MS, 0)
    other.add([replace(EDGE, edge_label="positive", role="agent")] * 1_000)
    beside = Beside(Reference.of(other))
    health, without = assess(span, [span], BOUNDS, beside), assess(span, [span], BOUNDS)
    assert figure(health, "drift_labels").standing == "missed"
    assert figure(health, "drift_length").standing == "unknown"  # nobody counted characters
    assert figure(health, "drift_languages").standing == "kept"
    assert figure(health, "drift_labels").interval is not None
    assert health.score == without.score
    assert not [each for each in without.figures if each.metric.name.startswith("drift")]
    assert health.strangers == ()
    newer = Window(0, HOUR_MS, 0)
    newer.add([replace(EDGE, model="edge@9")] * 1_000)
    stranger = assess(newer, [newer], BOUNDS, beside)
    assert stranger.strangers == ("edge@9",)
    assert figure(stranger, "drift_labels").standing == "unknown"
    assert figure(stranger, "drift_roles").standing == "missed"
