"""What all cloud workers may spend, as the topic `budget` tells it: sums by hour, day and month, and what is left."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple

from schemas.records import BudgetLease

HOUR_MS: Final = 3_600_000

Period = Literal["hour", "day", "month"]
Limits = Mapping[Period, int]  # nano-dollars; a period without a budget is not among them


def hour_of(now_ms: int) -> int:
    """The start of the hour of `now_ms`, both UTC milliseconds."""
    return now_ms // HOUR_MS * HOUR_MS


def month_start(now_ms: int) -> int:
    """The start of the month of `now_ms`, both UTC milliseconds."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    return int(datetime(now.year, now.month, 1, tzinfo=UTC).timestamp() * 1000)


class Used(NamedTuple):
    """What a budget's period has used: nano-dollars spent, or set aside in a lease."""

    period: Period
    used: int
    limit: int


@dataclass(slots=True)
class _Entry:
    lease: BudgetLease
    place: int  # in the order of the topic


class BudgetLedger:
    """The leases of the current month, and what a claim may be granted.

    The topic has one partition, so all workers see its records in one order, and that order decides between claims. A
    worker writes its claim, reads the topic to its end, and takes what the budgets leave over once it has counted

    - of every other lease what is granted, or spent if that is more;
    - of every other lease the claim, whole, where it stands before its own.

    Of any two claims the later one so counts the earlier one: as a claim, or as what was granted of it, which is no
    more. So the last of all claims has counted every other one, and together they keep within the budget, however
    the workers' reading and writing interleave, and whoever dies between. A worker that dies leaves its lease behind,
    which goes on counting as spent until the period is over: nobody knows what its last calls have cost.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._entries: dict[tuple[int, str], _Entry] = {}
        self._places = 0

    def take_in(self, leases: Iterable[BudgetLease]) -> None:
        """Adds records of the topic, in its order, from anywhere to its end; those known already change nothing."""
        for lease in leases:
            key = (lease.window_start, lease.lease)
            known = self._entries.get(key)
            if known is None or known.lease.revision < lease.revision:
                self._places += 1
                self._entries[key] = _Entry(lease, self._places)

    def forget_before(self, time_ms: int) -> None:
        """Drops the hours that begin before `time_ms`."""
        self._entries = {key: entry for key, entry in self._entries.items() if key[0] >= time_ms}

    def granted(self, claim: BudgetLease) -> int | None:
        """How much of what `claim` claims it is granted; None where the topic, as read, does not hold it."""
        own = self._entries.get((claim.window_start, claim.lease))
        if own is None or own.lease.revision != claim.revision:
            return None
        left = min(limit - used for _, used, limit in self.used(claim.window_start, before=own))
        return max(0, min(claim.claimed, left))

    def used(self, hour: int, before: _Entry | None = None) -> list[Used]:
        """What the periods with a budget that the hour beginning at `hour` lies in have used.

        Claims that are not decided count where they stand before the entry `before`; without one, none counts.
        """
        spans = {period: _span(period, hour) for period in self._limits}
        sums = dict.fromkeys(self._limits, 0)
        for (start, _), entry in self._entries.items():
            lease = entry.lease
            amount = max(lease.granted, lease.spent)
            if before is not None and entry.place < before.place:
                amount += lease.claimed
            for period, (first, end) in spans.items():
                if first <= start < end:
                    sums[period] += amount
        return [Used(period, sums[period], limit) for period, limit in self._limits.items()]


def _span(period: Period, hour: int) -> tuple[int, int]:
    """The first millisecond of the period that `hour` lies in, and the first one after it."""
    if period == "hour":
        return hour, hour + HOUR_MS
    if period == "day":
        day = hour // (24 * HOUR_MS) * 24 * HOUR_MS
        return day, day + 24 * HOUR_MS
    first = month_start(hour)
    return first, month_start(first + 32 * 24 * HOUR_MS)
