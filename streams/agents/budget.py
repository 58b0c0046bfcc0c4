"""A cloud worker's part of the budget: it claims a lease before calls are made, and gives its rest back."""

import logging
import secrets

from models.allowance import Lease
from schemas.records import BudgetLease, nanodollars
from schemas.topics import BUDGET
from schemas.validation import MAX_AHEAD_MS
from streams.agents import metrics
from streams.agents.agent import Output, ReadBack
from streams.agents.budget_ledger import BudgetLedger, Limits, Period, Used, hour_of, month_start
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.system.clock import Clock, now_ms
from streams.system.threads import in_daemon_thread

logger = logging.getLogger(__name__)

# A lease grows until it lasts for this long: each claim is a transaction and a read of the topic. What a worker that is
# killed has left of its lease is lost to the budget.
LEASE_MS = 30_000

# A worker without traffic for as long gives the rest of its lease back.
IDLE_MS = 30_000
TICK_S = 5.0

# After a claim that was not granted whole: others may have given something back meanwhile.
AGAIN_MS = 5_000

# No lease is larger than this part of what is left, so that one worker does not take what the others need next.
LARGEST_PART = 8


def budget_limits(settings: Settings) -> Limits:
    """The budgets that `settings` set, by period, in nano-dollars."""
    dollars: dict[Period, float | None] = {
        "hour": settings.budget_usd_per_hour,
        "day": settings.budget_usd_per_day,
        "month": settings.budget_usd_per_month,
    }
    return {period: nanodollars(usd) for period, usd in dollars.items() if usd is not None}


class Budget:
    """Claims money for this worker's calls in the topic `budget`; `BudgetLedger` tells what a claim is granted.

    `lease` is what the calls draw on. It is of the hour in which their batch was begun.
    """

    def __init__(self, settings: Settings, read_back: ReadBack, clock: Clock = now_ms, name: str | None = None) -> None:
        self.lease = Lease()
        self.used: list[Used] = []
        """What the budgets' periods have used, as of the last claim."""
        self._worker = settings.worker_id
        self._topic = settings.topic(BUDGET)
        self._codec = codec(settings, BUDGET)
        self._read_back = read_back
        self._clock = clock
        self._name = name or secrets.token_hex(8)
        self._ledger = BudgetLedger(budget_limits(settings))
        self._read_from: int | None = None  # UTC milliseconds; None: the month's beginning
        self._hour = hour_of(clock())
        self._revision = 0
        self._written: BudgetLease | None = None  # last, of this hour
        self._closing: list[Output] = []  # former hours' last words, until they are committed
        self._is_doubtful = False  # what was written last may have been aborted
        self._claimed = 0
        self._claimed_at = 0
        self._size = 0
        self._no_claim_before = 0
        self._busy_at = 0

    def claim(self, need: int) -> list[Output]:
        """What must be committed before calls that may cost `need` nano-dollars: nothing where the lease lasts.

        The former hour's lease is given back.
        """
        now = self._busy_at = self._clock()
        outputs = self._begin_hour(now)
        short = need - self.lease.left
        if self._claimed or (short > 0 and now >= self._no_claim_before):
            self._claimed = max(self._claimed, short, self._next_size(now, need))
            outputs.append(self._write(now))
        return outputs

    async def decide(self) -> None:
        """Adds what was granted of the last claim, now that it is committed. Raises what reading the topic raises."""
        if not self._claimed or self._written is None:
            return
        # In a thread: reading takes as long as it takes, and a stop signal must not wait for it.
        await in_daemon_thread(self._read)
        granted = self._ledger.granted(self._written)
        if granted is None:
            logger.warning("the budget's topic does not show this worker's claim yet; it is made again")
            self._read_from = None  # a clock ahead of the broker's would look for it after it was written
            return
        if granted < self._claimed:
            self._no_claim_before = self._clock() + AGAIN_MS
        self.lease.granted += granted
        self._claimed = 0
        self.used = [used._replace(used=used.used + granted) for used in self._ledger.used(self._hour)]
        for period, spent, limit in self.used:
            metrics.BUDGET_USED.labels(period).set(spent / limit if limit else 1.0)

    def settle(self) -> list[Output]:
        """What the lease has come to, where that has changed; for the transaction of the batch that changed it."""
        now = self._clock()
        before = self._written
        if not self._is_doubtful and (
            (0 if before is None else before.spent) == self.lease.spent
            and (0 if before is None else before.granted) == self.lease.granted
        ):
            return []
        return [self._write(now)]

    def give_back(self, now_ms: int) -> list[Output]:
        """The lease without its rest and its claim, where it was not used for `IDLE_MS`; former hours' last words."""
        outputs = self._begin_hour(now_ms)
        is_idle = (self.lease.left > 0 or self._claimed > 0) and now_ms - self._busy_at >= IDLE_MS
        if is_idle:
            self.lease.granted = self.lease.spent
            self._size = 0
        if is_idle or self._is_doubtful:
            self._claimed = 0  # a claim that was not committed, or whose batch is lost, is nobody's to decide
            outputs.append(self._write(now_ms))
        return outputs

    def committed(self) -> None:
        """Notes that what was given out last is in the topic. Until then it is given out again."""
        self._closing.clear()
        self._is_doubtful = False

    @property
    def share_used(self) -> float:
        """How much of the tightest budget is spent or set aside, as of the last claim: 1 is all of it."""
        return max((used / limit if limit else 1.0 for _, used, limit in self.used), default=0.0)

    def _begin_hour(self, now: int) -> list[Output]:
        """Closes the lease of a former hour, where there is one, and begins that of the hour of `now`.

        What closed former ones comes again until it is committed: a lease that nobody sees given back stays spent.
        """
        hour = hour_of(now)
        if hour > self._hour:
            lease = self.lease
            if self._written is not None:
                lease.granted = lease.spent
                self._claimed = 0
                self._closing.append(self._write(now))
            lease.granted = lease.spent = 0
            self._hour, self._written, self._claimed, self._no_claim_before = hour, None, 0, 0
            self._is_doubtful = False
            self._ledger.forget_before(month_start(hour))
        return list(self._closing)

    def _next_size(self, now: int, need: int) -> int:
        """Twice the last lease where that did not last `LEASE_MS`, else half of it; never less than `need`."""
        lasted = now - self._claimed_at
        self._claimed_at = now
        self._size = max(need, 2 * self._size if lasted < LEASE_MS else self._size // 2)
        left = min((limit - used for _, used, limit in self.used), default=0)
        return min(self._size, max(need, left // LARGEST_PART))

    def _write(self, now: int) -> Output:
        self._is_doubtful = True
        self._revision += 1
        self._written = BudgetLease(
            lease=self._name,
            worker=self._worker,
            window_start=self._hour,
            revision=self._revision,
            claimed=self._claimed,
            granted=self.lease.granted,
            spent=self.lease.spent,
            updated_at=now,
        )
        return Output(self._topic, b"%d:%s" % (self._hour, self._name.encode()), self._codec.encode(self._written))

    def _read(self) -> None:
        begun = self._clock()
        since = month_start(self._hour) if self._read_from is None else self._read_from
        leases = (
            self._codec.decode(value)
            for _, value in self._read_back(BUDGET, max(0, since - MAX_AHEAD_MS))
            if value is not None
        )
        first = month_start(self._hour)
        self._ledger.take_in(lease for lease in leases if lease.window_start >= first)
        self._read_from = begun
