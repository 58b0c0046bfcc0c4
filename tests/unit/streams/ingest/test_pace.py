import pytest

from schemas.errors import UsageError
from streams.ingest.pace import Pace, Pacer


def due_times(pace: str, recorded_ms: list[int], began: float = 100.0) -> list[float]:
    pacer = Pacer(Pace.parse(pace), lambda: began)
    return [pacer.due_s(at) for at in recorded_ms]


def test_max_waits_for_nothing() -> None:
    assert due_times("max", [0, 5_000, 1]) == [100, 100, 100]


def test_a_rate_spaces_events_evenly_whatever_was_recorded() -> None:
    assert due_times("4/s", [0, 99_000, 0, 7]) == [100, 100.25, 100.5, 100.75]
    assert due_times("0.5/s", [0, 0]) == [100, 102]


def test_recorded_time_is_divided_by_the_factor() -> None:
    assert due_times("10x", [1_000_000, 1_005_000, 1_060_000]) == [100, 100.5, 106]
    assert due_times("0.5x", [0, 1_000]) == [100, 102]


def test_an_event_recorded_before_the_one_ahead_of_it_is_due_at_once() -> None:
    pacer = Pacer(Pace.parse("1x"), iter([100.0, 108.0]).__next__)
    assert pacer.due_s(10_000) == 100
    assert pacer.wait_s(pacer.due_s(7_000)) == 100 - 108


def test_an_event_without_a_time_is_due_with_the_one_before_it() -> None:
    pacer = Pacer(Pace.parse("10x"), lambda: 100.0)
    assert [pacer.due_s(at) for at in (None, 1_000, None, 11_000, None, 21_000)] == [100, 100, 100, 101, 101, 102]


def test_no_pause_is_longer_than_the_longest() -> None:
    pacer = Pacer(Pace(factor=1, longest_pause_s=60), lambda: 0.0)
    assert [pacer.due_s(at) for at in (0, 86_400_000, 86_401_000, 5, 86_402_000)] == [0, 60, 61, 61, 62]


def test_due_times_do_not_drift_when_waits_take_too_long() -> None:
    now = [100.0]
    pacer = Pacer(Pace.parse("10/s"), lambda: now[0])
    for i in range(50):
        due = pacer.due_s(0)
        now[0] = max(now[0], due) + 0.03  # every wait overshoots
        assert due == pytest.approx(100 + i / 10)


@pytest.mark.parametrize("text", ["", "fast", "0/s", "0x", "-1/s", "200", "200/m", "1e400x", "nan/s", "x", "/s"])
def test_what_is_no_pace_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"give max, a rate such as 200/s, or"):
        Pace.parse(text)
