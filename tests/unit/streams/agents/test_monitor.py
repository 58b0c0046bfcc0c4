import asyncio
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.records import MonitoringWindow, RoutingEvent
from schemas.topics import MONITORING, ROUTING_EVENTS
from streams.agents.agent import Output
from streams.agents.monitor import MonitorAgent
from streams.agents.open_windows import CAPACITY, HOUR_MS, SKEW_MS
from streams.agents.topic_state import StateError
from streams.config.settings import Settings
from streams.monitoring.window import Window
from tests.events import consumer_record, routing_event

MINUTE = 60_000
NOON = 1_700_049_600_000 // MINUTE * MINUTE

audit = Codec(ROUTING_EVENTS)
monitoring = Codec(MONITORING)


@dataclasses.dataclass
class Stored:
    """A record of `monitoring`, as far as reading back looks at it."""

    key: bytes
    value: bytes | None
    written_at: int


class Line:
    """The monitor between its two topics: what is committed stays, what is aborted never was."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.now = NOON
        self.stored: list[Stored] = []
        self.counted: list[tuple[int, RoutingEvent]] = []
        self.reads: list[int] = []
        self.settings = Settings(window_s=60)
        self.agent = self.worker()

    def worker(self) -> MonitorAgent:
        return MonitorAgent(self.settings, self.read_back, clock=lambda: self.now, capacity=self.capacity)

    def read_back(self, topic: str, since_ms: int) -> Iterator[tuple[bytes, bytes | None]]:
        assert topic == MONITORING
        self.reads.append(since_ms)
        return iter([(record.key, record.value) for record in self.stored if record.written_at >= since_ms])

    def process(self, batch: Sequence[tuple[int, RoutingEvent]]) -> list[Output]:
        records = [
            consumer_record(audit.encode(event), topic=ROUTING_EVENTS, partition=partition)
            for partition, event in batch
        ]
        return asyncio.run(self.agent.process(records))

    def commit(self, batch: Sequence[tuple[int, RoutingEvent]]) -> list[MonitoringWindow]:
        outputs = self.process(batch)
        for output in outputs:
            assert output.topic == MONITORING
            assert output.key is not None
            self.stored.append(Stored(output.key, output.value, self.now))
        self.counted += batch
        return [monitoring.decode(output.value) for output in outputs]

    def abort(self, batch: Sequence[tuple[int, RoutingEvent]]) -> None:
        self.process(batch)
        self.agent.positions_set_back({partition for partition, _ in batch})

    def restart(self) -> None:
        self.agent = self.worker()

    def windows(self) -> dict[bytes, MonitoringWindow]:
        return {stored.key: monitoring.decode(stored.value) for stored in self.stored}

    def expected(self) -> dict[bytes, MonitoringWindow]:
        windows: dict[bytes, Window] = {}
        for partition, event in self.counted:
            start = event.recorded_at // MINUTE * MINUTE
            key = f"{start}:{partition}".encode()
            windows.setdefault(key, Window(start, start + MINUTE, partition)).add([event])
        return {key: window.to_record(0) for key, window in windows.items()}

    def holds(self) -> bool:
        return {key: dataclasses.replace(w, updated_at=0) for key, w in self.windows().items()} == self.expected()


@pytest.fixture
def line() -> Line:
    return Line()


def at(recorded_at: int, partition: int = 0, **changes: Any) -> tuple[int, RoutingEvent]:
    return partition, routing_event(recorded_at=recorded_at, **changes)


def test_an_event_counts_in_the_window_of_its_time_and_partition(line: Line) -> None:
    first, second, third = line.commit([at(NOON), at(NOON + MINUTE - 1), at(NOON + MINUTE), at(NOON, partition=2)])
    assert (first.window_start, first.window_end, first.partition, first.events) == (NOON, NOON + MINUTE, 0, 2)
    assert (second.window_start, second.partition, second.events) == (NOON + MINUTE, 0, 1)
    assert (third.window_start, third.partition, third.events) == (NOON, 2, 1)
    assert list(line.windows()) == [b"%d:0" % NOON, b"%d:0" % (NOON + MINUTE), b"%d:2" % NOON]


def test_each_batch_gives_the_whole_window(line: Line) -> None:
    line.commit([at(NOON)])
    [window] = line.commit([at(NOON), at(NOON)])
    assert window.events == 3


def test_a_restart_goes_on_with_what_was_committed(line: Line) -> None:
    line.commit([at(NOON), at(NOON, partition=1)])
    line.restart()
    [window] = line.commit([at(NOON + 1)])
    assert window.events == 2
    assert line.holds()


def test_an_aborted_batch_counts_once_when_it_comes_again(line: Line) -> None:
    line.commit([at(NOON)])
    line.abort([at(NOON), at(NOON)])
    [window] = line.commit([at(NOON), at(NOON)])
    assert window.events == 3


def test_another_worker_went_on_in_between(line: Line) -> None:
    line.commit([at(NOON)])
    mine, line.agent = line.agent, line.worker()
    line.commit([at(NOON)])
    line.agent = mine
    mine.positions_set_back([0])  # the partition comes back: a rebalance sets positions back
    [window] = line.commit([at(NOON)])
    assert window.events == 3


def test_a_new_window_needs_no_reading(line: Line) -> None:
    for minute in range(180):
        line.now = NOON + minute * MINUTE
        line.commit([at(line.now, partition) for partition in range(4)])
    assert line.reads == [NOON - SKEW_MS]
    assert line.holds()


def test_after_a_long_stop_an_hour_of_backlog_costs_one_read(line: Line) -> None:
    line.commit([at(NOON)])
    line.restart()
    line.now = NOON + 5 * HOUR_MS
    line.reads.clear()
    for minute in range(60):
        line.commit([at(NOON + minute * MINUTE)])
    assert len(line.reads) <= 2
    assert line.holds()


def test_a_late_event_is_added_to_its_window(line: Line) -> None:
    line.commit([at(NOON)])
    line.restart()
    line.now = NOON + 30 * HOUR_MS
    line.commit([at(line.now)])
    [window] = line.commit([at(NOON + 5)])
    assert window.events == 2
    assert line.holds()


def test_what_is_set_back_in_one_partition_leaves_the_others_in_memory(line: Line) -> None:
    line.commit([at(NOON), at(NOON, partition=1)])
    line.agent.positions_set_back([0])
    line.reads.clear()
    line.commit([at(NOON, partition=1)])
    assert line.reads == []
    line.commit([at(NOON)])
    assert line.reads == [NOON - SKEW_MS]
    assert line.holds()


def test_windows_in_memory_are_bounded_and_those_dropped_are_read_back() -> None:
    line = Line(capacity=10)
    for minute in range(100):
        line.now = NOON + minute * MINUTE
        line.commit([at(line.now)])
    assert len(line.reads) == 1
    [window] = line.commit([at(NOON + 95 * MINUTE)])
    assert (window.events, len(line.reads)) == (2, 1), "it is among the last ten"
    [window] = line.commit([at(NOON + 85 * MINUTE)])
    assert (window.events, len(line.reads)) == (2, 2)
    [window] = line.commit([at(NOON)])
    assert window.events == 2
    assert line.holds()


def test_a_late_window_that_was_dropped_is_read_back() -> None:
    line = Line(capacity=2)
    line.commit([at(NOON - 3 * HOUR_MS)])
    line.commit([at(NOON), at(NOON + 1 * MINUTE)])
    [window] = line.commit([at(NOON - 3 * HOUR_MS)])
    assert window.events == 2


def test_windows_in_use_are_not_the_ones_dropped() -> None:
    line = Line(capacity=3)
    for minute in range(20):
        line.now = NOON + minute * MINUTE
        line.commit([at(line.now), at(NOON + 1)])
    assert len(line.reads) == 1
    assert line.holds()


ABSURD = {
    "not a number": {"cost_usd": float("nan")},
    "infinite": {"end_to_end_ms": float("inf")},
    "a cost that is no nano-dollars": {"cost_usd": 1e300},
    "a cost below 0": {"cloud_only_cost_usd": -0.1},
    "a duration below 0": {"inference_ms": -1.0},
    "a duration of ages": {"inference_ms": 1e300},
    "the year 9999": {"recorded_at": 253_370_764_800_000},
    "the last of 64 bits": {"recorded_at": 2**63 - 1},
    "the first of 64 bits": {"recorded_at": -(2**63)},
    "an hour ahead of the clock": {"recorded_at": NOON + HOUR_MS},
    "a confidence that is no number": {"edge_confidence": float("nan")},
    "a confidence without end": {"edge_confidence": float("inf")},
    "a confidence over 1": {"edge_confidence": 1e300},
    "the cloud's confidence no number": {"route": "cloud", "cloud_label": "neutral", "cloud_confidence": float("nan")},
    "a share of the budget that is no number": {"budget_used": float("nan")},
    "a share of the budget without end": {"budget_used": float("inf")},
    "a share of the budget below 0": {"budget_used": -1.0},
    "tokens that two of do not add up": {"tokens_in": 2**63 - 1},
    "tokens below 0": {"tokens_out": -1},
    "characters below 0": {"text_chars": -5},
    "a complexity that is no number": {"complexity": float("nan")},
}


@pytest.mark.parametrize("changes", ABSURD.values(), ids=ABSURD)
def test_figures_that_cannot_be_added_up_go_to_dead_letters(line: Line, changes: dict[str, Any]) -> None:
    """An OverflowError or EncodeError stopped the worker, which read the same record again."""
    good, bad = audit.encode(routing_event(recorded_at=NOON)), routing_event(**{"recorded_at": NOON} | changes)
    records = [consumer_record(value, topic=ROUTING_EVENTS) for value in (good, audit.encode(bad), good)]
    outputs = asyncio.run(line.agent.process(records))
    [letter] = [output for output in outputs if output.topic == "dead-letters"]
    assert letter.value == records[1].value
    [window] = [monitoring.decode(output.value) for output in outputs if output.topic == MONITORING]
    assert window.events == 2


def test_a_poison_record_goes_to_dead_letters_and_the_rest_counts(line: Line) -> None:
    records = [
        consumer_record(value, topic=ROUTING_EVENTS, offset=offset)
        for offset, value in enumerate(
            [
                b"garbage",
                audit.encode(routing_event(recorded_at=NOON)),
                None,
                audit.encode(routing_event(recorded_at=NOON, cost_usd=float("nan"))),
                audit.encode(routing_event(recorded_at=NOON, end_to_end_ms=float("inf"))),
            ]
        )
    ]
    outputs = asyncio.run(line.agent.process(records))
    dead = [output for output in outputs if output.topic == "dead-letters"]
    assert [dict(output.headers)["edgewise-offset"] for output in dead] == [b"0", b"2", b"3", b"4"]
    assert [output.value for output in dead] == [records[i].value for i in (0, 2, 3, 4)]
    [window] = [monitoring.decode(output.value) for output in outputs if output.topic == MONITORING]
    assert window.events == 1


def test_a_window_that_cannot_be_read_stops_the_worker_and_is_not_counted_from_zero(line: Line) -> None:
    line.stored.append(Stored(b"%d:0" % NOON, b"garbage", NOON))
    with pytest.raises(StateError, match=f"{NOON}:0 in topic monitoring"):
        line.commit([at(NOON)])


def test_a_deleted_window_and_a_foreign_key_are_passed_over(line: Line) -> None:
    line.stored += [Stored(b"%d:0" % NOON, None, NOON), Stored(b"whatever", b"garbage", NOON)]
    [window] = line.commit([at(NOON)])
    assert window.events == 1


moves = st.one_of(
    st.tuples(st.just("wait"), st.integers(0, 3 * HOUR_MS)),
    st.tuples(st.just("restart"), st.just(0)),
    st.tuples(st.just("set back"), st.integers(0, 2)),
    st.tuples(
        st.sampled_from(["commit", "abort"]),
        st.lists(
            st.tuples(
                st.integers(0, 2),
                st.one_of(
                    st.integers(-5 * MINUTE, MINUTE),
                    st.integers(-3, 0).map(lambda hours: hours * HOUR_MS),
                    st.just(SKEW_MS),
                ),
            ),
            min_size=1,
            max_size=6,
        ),
    ),
)


@given(st.lists(moves, max_size=30), st.integers(1, 5))
def test_whatever_happens_monitoring_counts_every_committed_event_once(
    steps: list[tuple[str, Any]], capacity: int
) -> None:
    line = Line(capacity)
    for step, argument in steps:
        if step == "wait":
            line.now += argument
        elif step == "restart":
            line.restart()
        elif step == "set back":
            line.agent.positions_set_back([argument])
        else:
            batch = [at(line.now + offset, partition) for partition, offset in argument]
            getattr(line, step)(batch)
    assert line.holds()
