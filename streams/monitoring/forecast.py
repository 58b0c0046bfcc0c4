"""What the month will have cost: what was spent in it, and for the rest what such days have cost until now."""

from datetime import UTC, datetime
from typing import Final, NamedTuple

from streams.monitoring.period import DAY_MS, Period

MOST_DAYS: Final = 28
"""Four whole weeks: what is older says less, and every weekday is in it equally often."""

LEAST_DAYS_BY_WEEKDAY: Final = 14
"""From so many on each weekday was seen twice, and a Sunday is taken for a Sunday."""


class Forecast(NamedTuple):
    """Dollars are whole nano-dollars."""

    spent_nanos: int  # in this month, within the period
    rest_nanos: int  # expected from now to the end of the month
    days: int  # whole days, the last ones, that it goes by
    by_weekday: bool
    is_of_whole_month: bool  # False: the period begins within the month, so what was spent before is missing

    @property
    def month_nanos(self) -> int:
        """Both."""
        return self.spent_nanos + self.rest_nanos


def forecast(period: Period, now_ms: int) -> Forecast | None:
    """The forecast for the month of `now_ms` (UTC); None where no whole day has been seen.

    The first day that has a window counts as begun before it was seen, and today is not over: neither is whole. A day
    in between without a window has cost nothing. What is left of today is taken for that share of such a day.
    """
    today = now_ms // DAY_MS
    days = period.days
    whole = range(max(min(days, default=today) + 1, today - MOST_DAYS), today)
    if not whole:
        return None
    by_weekday = len(whole) >= LEAST_DAYS_BY_WEEKDAY
    costs = {number: days[number].cost_nanos if number in days else 0 for number in whole}
    start, end = _month(now_ms)

    def expected(number: int) -> float:
        like = [cost for day, cost in costs.items() if not by_weekday or (day - number) % 7 == 0]
        return sum(like) / len(like)

    rest = expected(today) * (1 - now_ms % DAY_MS / DAY_MS) + sum(expected(day) for day in range(today + 1, end))
    return Forecast(
        spent_nanos=sum(window.cost_nanos for day, window in days.items() if start <= day < end),
        rest_nanos=round(rest),
        days=len(whole),
        by_weekday=by_weekday,
        is_of_whole_month=period.since_ms <= start * DAY_MS,
    )


def _month(at_ms: int) -> tuple[int, int]:
    """The numbers of the month's first day and of the first one after it."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    first = datetime(at.year, at.month, 1, tzinfo=UTC)
    after = datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)
    return tuple(int(each.timestamp()) * 1000 // DAY_MS for each in (first, after))  # type: ignore[return-value]
