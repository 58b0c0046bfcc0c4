import dataclasses
import math
import random

import pytest
from ddsketch import DDSketch
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.records import RoutingEvent
from schemas.topics import MONITORING
from streams.monitoring.sketch import ACCURACY, add_values, sketch_from_bytes, sketch_to_bytes
from streams.monitoring.window import MOST_NAMES, OTHER, Window
from tests.events import routing_event
from tests.released_values import RELEASED

# Nano-dollars, up to a dollar an event; durations from a clock's step backwards to a day.
costs = st.integers(0, 10**9).map(lambda nanos: nanos / 1e9)
durations = st.floats(-1000, 86_400_000, allow_nan=False)
labels = st.sampled_from(["negative", "neutral", "positive"])


@st.composite
def events(draw: st.DrawFn) -> RoutingEvent:
    stage = draw(st.sampled_from(["completed", "decided"]))
    route = draw(st.sampled_from(["edge", "cloud"]))
    return routing_event(
        stage=stage,
        route=route,
        reason=draw(st.sampled_from(["optimal_edge", "random_cloud", "low_confidence", "cloud_error"])),
        degraded=draw(st.booleans()),
        edge_label=draw(labels),
        cloud_label=draw(labels) if stage == "completed" and route == "cloud" else None,
        cloud_confidence=draw(st.none() | st.floats(0, 1)),
        edge_confidence=draw(st.floats(0, 1)),
        role=draw(st.sampled_from(["customer", "agent"])),
        channel=draw(st.sampled_from(["voice", "chat"])),
        language=draw(st.sampled_from([None, "en-GB", "EN_us", "de", "?"])),
        model=draw(st.sampled_from(["edge@1", "cloud@1"])),
        scored=draw(st.sampled_from([True, True, True, False])),
        pii=draw(st.sampled_from([(), ("phone",), ("phone", "email")])),
        tokens_in=draw(st.integers(0, 1000)),
        tokens_out=draw(st.integers(0, 10)),
        tokens_cached=draw(st.integers(0, 100)),
        cost_basis=draw(st.sampled_from(["assumed", "measured"])),
        vendor_label=draw(st.none() | labels),
        text_chars=draw(st.integers(0, 5000)),
        cost_usd=draw(costs),
        cloud_only_cost_usd=draw(costs),
        inference_ms=draw(durations),
        end_to_end_ms=draw(durations),
    )


def window_of(*batches: list[RoutingEvent]) -> Window:
    window = Window(0, 60_000, 3)
    for batch in batches:
        window.add(batch)
    return window


@given(st.lists(events()), st.lists(events()))
def test_merging_equals_adding_all_the_events(left: list[RoutingEvent], right: list[RoutingEvent]) -> None:
    merged, other = window_of(left), window_of(right)
    merged.merge(other)
    assert merged.to_record(1) == window_of(left + right).to_record(1)
    assert other.to_record(1) == window_of(right).to_record(1)


@given(st.lists(events()), st.lists(events()))
def test_what_is_taken_away_again_leaves_what_was(left: list[RoutingEvent], right: list[RoutingEvent]) -> None:
    total = window_of(left)
    total.merge(window_of(right))
    total.subtract(window_of(right))
    assert total.to_record(1) == window_of(left).to_record(1)


@given(st.lists(events()), st.lists(events()))
def test_a_window_read_back_goes_on_as_if_it_had_never_been_written(
    before: list[RoutingEvent], after: list[RoutingEvent]
) -> None:
    codec = Codec(MONITORING)
    restored = Window.from_record(codec.decode(codec.encode(window_of(before).to_record(1))))
    restored.add(after)
    assert restored.to_record(1) == window_of(before, after).to_record(1)


@given(st.lists(st.floats(-1e6, 1e9, allow_nan=False)))
def test_adding_many_values_fills_the_bins_that_the_library_fills(values: list[float]) -> None:
    ours, theirs = DDSketch(ACCURACY), DDSketch(ACCURACY)
    add_values(ours, values)
    for value in values:
        theirs.add(value)
    assert sketch_to_bytes(ours) == sketch_to_bytes(theirs)
    for quantile in (0, 0.5, 0.95, 1):
        assert ours.get_quantile_value(quantile) == theirs.get_quantile_value(quantile)


def test_what_is_counted() -> None:
    cloud = {"route": "cloud", "cost_usd": 0.0136}
    window = window_of(
        [
            routing_event(),
            routing_event(edge_label="positive"),
            routing_event(stage="decided", route="cloud", reason="random_cloud", cloud_only_cost_usd=0.0),
            routing_event(reason="random_cloud", edge_label="neutral", cloud_label="neutral", **cloud),
            routing_event(reason="random_cloud", edge_label="neutral", cloud_label="positive", **cloud),
            routing_event(reason="low_confidence", edge_label="neutral", cloud_label="negative", **cloud),
            routing_event(reason="cloud_error", degraded=True, edge_label="neutral", cost_usd=0.0),
        ]
    )
    record = window.to_record(99)
    assert (record.window_start, record.window_end, record.partition, record.updated_at) == (0, 60_000, 3, 99)
    assert (record.events, record.decided, record.degraded) == (6, 1, 1)
    assert record.routes == {"edge": 3, "cloud": 3}
    assert record.reasons == {"optimal_edge": 2, "random_cloud": 2, "low_confidence": 1, "cloud_error": 1}
    assert record.labels == {"negative": 2, "neutral": 2, "positive": 2}
    assert (record.sampled, record.sampled_agreed) == (2, 1)
    assert record.cost_usd == 0.0438  # 3 on the edge at 0.001 (one `decided`), 3 in the cloud at 0.0136
    assert record.cloud_only_cost_usd == 0.0816  # 6 completed at 0.0136
    assert sketch_from_bytes(record.end_to_end_ms).count == 6
    assert sketch_from_bytes(record.inference_ms).count == 7


def test_what_is_counted_by_role_channel_and_language() -> None:
    agent = {"role": "agent", "channel": "chat", "edge_label": "neutral"}
    paid = {
        "budget_used": 0.969,
        "cost_usd": 0.002,
        "cost_basis": "measured",
        "tokens_in": 300,
        "tokens_out": 1,
        "tokens_cached": 256,
    }
    record = window_of(
        [
            routing_event(role="customer", language="en-GB", vendor_label="negative", text_chars=100),
            routing_event(role="customer", language="EN", vendor_label="neutral", text_chars=100),
            routing_event(**agent, language="a word", edge_confidence=0.5, pii=("phone", "email")),
            routing_event(**agent, stage="decided", route="cloud", reason="low_confidence"),
            routing_event(
                **agent, route="cloud", cloud_label="positive", cloud_confidence=0.625, model="cloud@1", calls=1, **paid
            ),
            routing_event(**agent, route="cloud", cloud_label="positive", cost_usd=0.0),  # of an older cloud agent
            routing_event(role="bot", scored=False, reason="not_scored", edge_confidence=0.0, cost_usd=0.0),
        ]
    ).to_record(1)
    assert (record.events, record.decided, record.skipped) == (5, 1, 1)
    assert record.roles == {"agent": 3, "customer": 2}
    assert record.role_labels == {"agent/neutral": 1, "agent/positive": 2, "customer/negative": 2}
    assert record.channel_labels == {"chat/neutral": 1, "chat/positive": 2, "unknown/negative": 2}
    assert record.role_cost_usd == {"agent": 0.004, "customer": 0.002}
    assert (record.cost_usd, record.measured_cost_usd) == (0.006, 0.002)
    assert record.languages == {"en": 2, "other": 1, "unknown": 2}
    assert record.kinds == {"email": 1, "phone": 1}
    assert record.models == {"cloud@1": 1, "edge@1.0.0": 4}
    assert record.routers == {"default@1": 5}
    assert record.budget_used == {"96": 1}
    assert (record.tokens_in, record.tokens_out, record.tokens_cached) == (300, 1, 256)
    assert record.confidence_sum == 950_000 * 2 + 500_000 + 625_000
    assert (sketch_from_bytes(record.confidence).count, sketch_from_bytes(record.text_chars).count) == (4, 2)
    assert (record.vendor_compared, record.vendor_agreed) == (2, 1)


def test_names_beyond_a_bound_are_counted_together() -> None:
    record = window_of([routing_event(model=f"m@{n}") for n in range(MOST_NAMES + 5)]).to_record(1)
    assert record.models[OTHER] == 5
    assert (len(record.models), sum(record.models.values())) == (MOST_NAMES + 1, MOST_NAMES + 5)


def test_a_window_of_version_1_goes_on() -> None:
    value, fields = RELEASED["monitoring", 1]
    record = dataclasses.replace(Codec(MONITORING).decode(bytes.fromhex(value)), end_to_end_ms=b"", inference_ms=b"")
    window = Window.from_record(record)
    window.add([routing_event(role="customer")])
    now = window.to_record(1)
    assert (now.events, now.roles) == (fields["events"] + 1, {"customer": 1})


def test_costs_do_not_depend_on_the_order_of_events() -> None:
    batch = [routing_event(cost_usd=cost) for cost in [0.1, 0.2, 0.3, 1e-9, 9e-9] * 1000]
    shuffled = random.Random(1).sample(batch, len(batch))
    assert window_of(batch).to_record(1).cost_usd == window_of(shuffled).to_record(1).cost_usd == 600.00001


@given(st.lists(st.floats(1e-3, 1e8), min_size=1))
def test_a_quantile_is_within_one_percent(values: list[float]) -> None:
    sketch = DDSketch(ACCURACY)
    add_values(sketch, values)
    restored = sketch_from_bytes(sketch_to_bytes(sketch))
    for quantile in (0.0, 0.5, 0.95, 0.99, 1.0):
        exact = sorted(values)[math.floor(quantile * (len(values) - 1))]
        assert restored.get_quantile_value(quantile) == pytest.approx(exact, rel=ACCURACY * 1.0001)


def test_a_sketch_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not a DDSketch"):
        sketch_from_bytes(b"\xff\xff\xff")


def test_a_sketch_of_another_accuracy_is_refused() -> None:
    other = DDSketch(0.02)
    other.add(5)
    with pytest.raises(ValueError, match="another accuracy"):
        sketch_from_bytes(sketch_to_bytes(other))
