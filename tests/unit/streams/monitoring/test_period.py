"""A period's days, months and total add up, and to what `verify` recounts of the audit trail."""

from collections import Counter

from streams.monitoring.period import DAY_MS, Period, day_name
from streams.monitoring.window import Window
from streams.verify.totals import Totals
from tests.events import routing_event
from tests.reports import DAYS, FIRST_DAY, month, month_of_events, month_of_windows


def test_the_total_is_what_verify_recounts_to_the_nano_dollar() -> None:
    totals = Totals()
    for _, events in month_of_events():
        for event in events:
            totals.add_event(0, event)
    recounted, total = totals._recounted[0], month().total()
    assert recounted["cost in nano-dollars"] == total.cost_nanos > 0
    assert recounted["cloud-only cost in nano-dollars"] == total.cloud_only_cost_nanos
    assert (recounted["events"], recounted["sampled"], recounted["sampled and agreed"]) == (
        total.events, total.sampled, total.sampled_agreed,
    )  # fmt: skip
    assert {f"reason {reason}": count for reason, count in total.reasons.items()}.items() <= recounted.items()
    assert recounted["end_to_end_ms"] == total.end_to_end_ms.count


def test_days_and_months_add_up_to_the_total() -> None:
    period = month()
    for parts in (period.days.values(), period.months().values()):
        assert sum(window.cost_nanos for window in parts) == period.total().cost_nanos
        assert sum((window.role_labels for window in parts), Counter[str]()) == period.total().role_labels
    assert list(period.months()) == ["2026-10", "2026-11"]
    assert (period.total().start, period.total().end) == (FIRST_DAY * DAY_MS, (FIRST_DAY + DAYS - 1) * DAY_MS + 60_000)


def test_the_order_of_the_windows_is_all_the_same() -> None:
    period = Period(0)
    for window in reversed(list(month_of_windows())):
        period.add(window)
    assert list(period.days) == list(month().days)
    assert period.total().to_record(0) == month().total().to_record(0)


def test_a_window_belongs_to_the_day_on_which_it_starts_and_earlier_ones_to_none() -> None:
    period = Period(FIRST_DAY * DAY_MS)
    for start in (FIRST_DAY * DAY_MS - 1, FIRST_DAY * DAY_MS, (FIRST_DAY + 1) * DAY_MS - 1, (FIRST_DAY + 3) * DAY_MS):
        window = Window(start, start + 60_000, 0)
        window.add([routing_event()])
        period.add(window)
    assert {day_name(number): window.events for number, window in period.days.items()} == {
        "2026-10-31": 2,
        "2026-11-03": 1,
    }
    assert [window and window.events for window in period.all_days.values()] == [2, None, None, 1]


def test_nothing_is_a_period_too() -> None:
    period = Period(0)
    assert (period.total().events, period.total().start, period.total().end) == (0, 0, 0)
    assert (period.days, period.all_days, period.months()) == ({}, {}, {})
