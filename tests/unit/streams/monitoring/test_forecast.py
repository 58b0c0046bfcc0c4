"""The forecast goes by whole days, and by weekdays once each was seen twice."""

import pytest

from streams.monitoring.forecast import Forecast, forecast
from streams.monitoring.period import DAY_MS, Period
from streams.monitoring.window import Window

NOVEMBER = 20_758  # 2026-11-01, a Sunday
DOLLAR = 10**9


def period(costs: dict[int, int], since: int = NOVEMBER) -> Period:
    """So many dollars on so many days after the first of November."""
    made = Period(since * DAY_MS)
    for day, dollars in costs.items():
        window = Window((NOVEMBER + day) * DAY_MS, (NOVEMBER + day) * DAY_MS + 60_000, 0)
        window.cost_nanos = dollars * DOLLAR
        made.add(window)
    return made


def at(day: float) -> int:
    return round((NOVEMBER + day) * DAY_MS)


def test_the_mean_of_the_whole_days_for_each_day_that_is_left() -> None:
    found = forecast(period({0: 100, 1: 10, 2: 20, 4: 30, 5: 7}), at(5.5))  # on the third day nothing was spent
    # A mean of 15 for half a day and 24 more, the 7th to the 30th.
    assert found == Forecast(167 * DOLLAR, round(15 * 24.5 * DOLLAR), 4, by_weekday=False, is_of_whole_month=True)
    assert found.month_nanos == round((167 + 15 * 24.5) * DOLLAR)


def test_weekdays_are_kept_apart_once_each_was_seen_twice() -> None:
    costs = {day: 1 if day % 7 in {0, 6} else 10 for day in range(20)}  # weekends are cheap
    found = forecast(period(costs), at(20))
    assert found is not None
    assert (found.by_weekday, found.days) == (True, 19)
    # From Saturday the 21st on: Saturday, Sunday, five days, Saturday, Sunday, Monday.
    assert found.rest_nanos == (1 + 1 + 50 + 1 + 1 + 10) * DOLLAR
    few = forecast(period({day: costs[day] for day in range(7, 20)}), at(20))
    assert few is not None
    assert (few.by_weekday, few.days) == (False, 12)


def test_only_the_last_four_weeks_count() -> None:
    found = forecast(period({day: 1_000 if day < 0 else 1 for day in range(-40, 28)}, since=NOVEMBER - 40), at(28))
    assert found is not None
    assert (found.days, found.rest_nanos, found.spent_nanos) == (28, 2 * DOLLAR, 28 * DOLLAR)


def test_a_month_whose_beginning_is_not_in_the_period_is_said_to_be_incomplete() -> None:
    found = forecast(period({10: 1, 11: 1, 12: 1}, since=NOVEMBER + 10), at(12.5))
    assert found is not None
    assert (found.is_of_whole_month, found.spent_nanos) == (False, 3 * DOLLAR)


def test_december_is_followed_by_january() -> None:
    found = forecast(period({56: 1, 57: 1}), at(58))  # the 29th of December begins
    assert found is not None
    assert (found.spent_nanos, found.rest_nanos) == (2 * DOLLAR, 3 * DOLLAR)


@pytest.mark.parametrize("costs", [{}, {5: 1}, {4: 1, 5: 1}])
def test_without_a_whole_day_there_is_none(costs: dict[int, int]) -> None:
    assert forecast(period(costs), at(5.5)) is None
