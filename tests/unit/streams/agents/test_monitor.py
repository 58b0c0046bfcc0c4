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
from streams.agents.monitor import MonitorAgent
from streams.config.settings import Settings
from streams.monitoring import open_windows
from streams.monitoring.open_windows import HOUR_MS, SKEW_MS, StateError
from streams.monitoring.window import Window
from streams.worker.delivery import Output
from tests.events import consumer_record, routing_event

MINUTE = 60_000
NOON = 1_700_049_600_000 // MINUTE * MINUTE
FAR_FUTURE = 253_370_764_800_000  # the year 9999

audit = Codec(ROUTING_EVENTS)
monitoring = Codec(MONITORING)


@dataclasses.dataclass
class Stored:
    """A record of `monitoring`, as far as reading back looks at it."""

    record_key: bytes
    record_value: bytes | None
    written_at: int

    def key(self) -> bytes:
        return self.record_key

    def value(self) -> bytes | None:
        return self.record_value


class Line:
    """The monitor between its two topics: what is committed stays, what is aborted never was."""

    def __init__(self) -> None:
        self.now = NOON
        self.stored: list[Stored] = []
        self.counted: list[tuple[int, RoutingEvent]] = []
        self.reads: list[int] = []
        self.settings = Settings(window_s=60)
        self.agent = MonitorAgent(self.settings, clock=lambda: self.now)

    def read_topic(self, settings: Settings, topic: str, *, since_ms: int) -> Iterator[Stored]:
        assert topic == MONITORING
        self.reads.append(since_ms)
        return iter([record for record in self.stored if record.written_at >= since_ms])

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
        self.agent.reset()

    def restart(self) -> None:
        self.agent = MonitorAgent(self.settings, clock=lambda: self.now)

    def windows(self) -> dict[bytes, MonitoringWindow]:
        return {stored.record_key: monitoring.decode(stored.record_value) for stored in self.stored}

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
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    made = Line()
    monkeypatch.setattr(open_windows, "read_topic", made.read_topic)
    return made


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
    other = MonitorAgent(line.settings, clock=lambda: line.now)
    mine, line.agent = line.agent, other
    line.commit([at(NOON)])
    line.agent = mine
    mine.reset()  # the partition comes back: a rebalance sets positions back
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


def test_a_window_of_the_far_future_is_added_to_and_harms_no_other(line: Line) -> None:
    line.commit([at(FAR_FUTURE)])
    line.restart()
    line.now = NOON + 30 * HOUR_MS
    line.commit([at(line.now)])
    [window] = line.commit([at(FAR_FUTURE)])
    assert window.events == 2
    line.reads.clear()
    line.commit([at(line.now + MINUTE), at(FAR_FUTURE)])
    assert line.reads == []
    assert line.holds()


def test_windows_in_memory_are_bounded_and_those_dropped_are_read_back(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_windows, "CAPACITY", 10)
    for minute in range(100):
        line.now = NOON + minute * MINUTE
        line.commit([at(line.now)])
    assert len(line.agent._windows._windows) == 10
    [window] = line.commit([at(NOON + 95 * MINUTE)])
    assert window.events == 2
    [window] = line.commit([at(NOON)])
    assert window.events == 2
    assert line.holds()


def test_a_late_window_that_was_dropped_is_read_back(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_windows, "CAPACITY", 2)
    line.commit([at(NOON - 3 * HOUR_MS)])
    line.commit([at(NOON), at(NOON + 1 * MINUTE)])
    [window] = line.commit([at(NOON - 3 * HOUR_MS)])
    assert window.events == 2


def test_windows_in_use_are_not_the_ones_dropped(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_windows, "CAPACITY", 3)
    for minute in range(20):
        line.now = NOON + minute * MINUTE
        line.commit([at(line.now), at(NOON + 1)])
    assert len(line.reads) == 1
    assert line.holds()


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
    st.tuples(
        st.sampled_from(["commit", "abort"]),
        st.lists(
            st.tuples(
                st.integers(0, 2),
                st.one_of(
                    st.integers(-5 * MINUTE, MINUTE),
                    st.integers(-3, 0).map(lambda hours: hours * HOUR_MS),
                    st.just(FAR_FUTURE - NOON),
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
    line = Line()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(open_windows, "read_topic", line.read_topic)
        patch.setattr(open_windows, "CAPACITY", capacity)
        for step, argument in steps:
            if step == "wait":
                line.now += argument
            elif step == "restart":
                line.restart()
            else:
                batch = [at(line.now + offset, partition) for partition, offset in argument]
                getattr(line, step)(batch)
    assert line.holds()
