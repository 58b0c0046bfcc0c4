"""Windows merged by hour as they come: whatever their order, the hours are what the latest records say."""

import random
from dataclasses import replace

from schemas.codec import Codec
from schemas.topics import MONITORING
from streams.agents.open_windows import HOUR_MS, WindowKey
from streams.monitoring.period import DAY_MS, merged
from streams.monitoring.window import Window
from streams.operate.hourly_windows import HourlyWindows, WindowRecord
from tests.events import routing_event
from tests.traffic import traffic, windows

DAY = 20_700 * DAY_MS
monitoring = Codec(MONITORING)


def window(start: int, events: int, partition: int = 0) -> Window:
    made = Window(start, start + 60_000, partition)
    made.add([routing_event(recorded_at=start)] * events)
    return made


def record(offset: int, made: Window) -> WindowRecord:
    key = WindowKey(made.start, made.partition).encoded()
    return WindowRecord(offset, key, monitoring.encode(made.to_record(0)))


def hourly(*records: WindowRecord, since_ms: int = DAY) -> HourlyWindows:
    made = HourlyWindows(monitoring.decode, since_ms)
    made.put(records)
    merge(made)
    return made


def merge(made: HourlyWindows) -> None:
    while made.merge(3):
        pass


def same(one: Window, other: Window) -> bool:
    return replace(one.to_record(0), partition=-1) == replace(other.to_record(0), partition=-1)


def test_in_any_order_and_with_any_pauses_the_latest_record_of_each_window_counts_once() -> None:
    """Seen to fail without the look at offsets, and without taking the old counts out."""
    final = windows(list(traffic(DAY + DAY_MS, 40)))
    draw = random.Random(4)
    records = []
    for key, made in final.items():
        stages = [window(key.start, draw.randint(0, 9), key.partition) for _ in range(draw.randint(0, 2))]
        records += [record(1_000 * at + draw.randint(0, 999), each) for at, each in enumerate([*stages, made], start=1)]
    draw.shuffle(records)
    found = hourly(since_ms=DAY - DAY_MS)
    while records:
        part, records = records[:7], records[7:]
        found.put(part)
        found.merge(draw.randint(0, 9))
        if draw.random() < 0.1:
            found.period(0)  # what is kept of days must not become old
    merge(found)
    hours = found.hours(0, DAY + 2 * DAY_MS)
    assert len(hours) > 20
    assert list(hours) == sorted(hours)
    for hour, made in hours.items():
        assert same(made, merged([each for key, each in final.items() if key.start // HOUR_MS == hour]))
    assert same(found.period(DAY - DAY_MS).total(), merged(final.values()))
    assert found.waiting() == 0


def test_the_latest_windows_are_merged_first() -> None:
    made = HourlyWindows(monitoring.decode, DAY)
    made.put(record(at, window(DAY + at * HOUR_MS, 1)) for at in range(5))
    assert made.merge(2) == 2
    assert list(made.hours(0, DAY + DAY_MS)) == [DAY // HOUR_MS + 3, DAY // HOUR_MS + 4]
    assert made.waiting() == 3


def test_a_window_that_is_deleted_or_cannot_be_read_is_in_no_count() -> None:
    deleted = WindowRecord(2, WindowKey(DAY, 0).encoded(), None)
    torn = WindowRecord(3, WindowKey(DAY, 1).encoded(), b"?")
    nobody = WindowRecord(4, b"?", b"?")
    found = hourly(record(0, window(DAY, 4)), record(1, window(DAY, 5, 1)), record(1, window(DAY, 6, 2)))
    assert found.period(DAY).total().events == 15
    found.put([deleted, torn, nobody])
    merge(found)
    assert found.period(DAY).total().events == 6
    assert found.period(DAY).unreadable == 1
    found.put([record(5, window(DAY, 7, 1))])
    merge(found)
    assert found.period(DAY).total().events == 13
    assert found.period(DAY).unreadable == 0


def test_a_key_that_no_window_has_is_left_out() -> None:
    """Seen to fail with an OverflowError of SQLite's, after which the file took nothing more."""
    found = hourly(WindowRecord(1, b"99999999999999999999:0", b"x"), record(2, window(DAY, 4)))
    assert found.period(DAY).total().events == 4
    assert found.period(DAY).unreadable == 0


def test_what_is_forgotten_stays_away() -> None:
    found = hourly(*(record(at, window(DAY + at * HOUR_MS, 1)) for at in range(48)))
    found.forget_before(DAY + DAY_MS + 1)
    found.put([record(100, window(DAY + HOUR_MS, 1)), record(100, window(DAY + DAY_MS, 3))])
    merge(found)
    assert found.period(0).total().events == 26
    assert min(found.hours(0, DAY + 3 * DAY_MS)) == (DAY + DAY_MS) // HOUR_MS


def test_events_since_a_moment_are_those_of_whole_windows() -> None:
    found = hourly(*(record(at, window(DAY + at * 60_000, at, at % 3)) for at in range(10)))
    assert found.events_since(DAY + 7 * 60_000) == 7 + 8 + 9
    assert found.events_since(DAY + DAY_MS) == 0


def test_only_an_hour_that_was_asked_for_is_given_and_as_a_copy() -> None:
    found = hourly(*(record(at, window(DAY + at * HOUR_MS, 1)) for at in range(5)))
    hours = found.hours(DAY + 2 * HOUR_MS + 1, DAY + 4 * HOUR_MS)
    assert [hour - DAY // HOUR_MS for hour in hours] == [2, 3]
    hours[DAY // HOUR_MS + 2].add([routing_event()])
    assert found.period(DAY).total().events == 5
