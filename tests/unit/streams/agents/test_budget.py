"""The budget: what claims are granted, and that no order of claims, calls, aborts and deaths spends more."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from schemas.codec import Codec
from schemas.records import BudgetLease
from schemas.topics import BUDGET
from schemas.validation import MAX_AHEAD_MS
from streams.agents.agent import Output
from streams.agents.budget import AGAIN_MS, IDLE_MS, Budget
from streams.agents.budget_ledger import HOUR_MS, BudgetLedger, hour_of, month_start
from streams.config.settings import Settings

USD = 10**9
CODEC = Codec(BUDGET)
NEW_YEAR = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)


class Topic:
    """`budget`: committed records in their order, each with when it was written."""

    def __init__(self, now: int = NEW_YEAR) -> None:
        self.now = now
        self.records: list[tuple[bytes | None, bytes | None, int]] = []

    def clock(self) -> int:
        return self.now

    def commit(self, outputs: Sequence[Output]) -> None:
        assert {output.topic for output in outputs} <= {"budget"}
        self.records += [(output.key, output.value, self.now) for output in outputs]

    def read_back(self, topic: str, since_ms: int) -> Iterator[tuple[bytes | None, bytes | None]]:
        assert topic == "budget"
        return iter([(key, value) for key, value, at in self.records if at >= since_ms])

    def leases(self) -> list[BudgetLease]:
        return [CODEC.decode(value) for _, value, _ in self.records if value is not None]


def budget(topic: Topic, name: str = "a", **limits: float) -> Budget:
    return Budget(Settings(worker_id="w", **limits), topic.read_back, topic.clock, name)  # type: ignore[arg-type]


def commit(worker: Budget, topic: Topic, outputs: Sequence[Output]) -> None:
    """As a worker does it: what it gives out is committed, and it is told."""
    topic.commit(outputs)
    worker.committed()


def claim(worker: Budget, topic: Topic, need: int) -> None:
    commit(worker, topic, worker.claim(need))
    asyncio.run(worker.decide())


def spend(worker: Budget, amount: int) -> bool:
    if not worker.lease.reserve(amount):
        return False
    worker.lease.settle(amount, amount)
    return True


def test_a_claim_is_granted_and_its_spending_is_settled() -> None:
    topic = Topic()
    worker = budget(topic, budget_usd_per_day=10)
    claim(worker, topic, 2 * USD)
    assert spend(worker, 2 * USD)
    assert not spend(worker, 1)
    commit(worker, topic, worker.settle())
    last = topic.leases()[-1]
    assert (last.claimed, last.granted, last.spent) == (0, 2 * USD, 2 * USD)
    assert worker.settle() == []
    assert worker.share_used == 0.2


def test_a_lease_that_lasts_needs_no_transaction() -> None:
    topic = Topic()
    worker = budget(topic, budget_usd_per_day=100)
    for _ in range(4):  # each is larger than the one before
        claim(worker, topic, USD)
        spend(worker, USD)
    assert worker.lease.left >= USD
    assert worker.claim(USD) == []


def test_what_two_claim_at_once_goes_to_the_one_that_stands_first() -> None:
    topic = Topic()
    first, second = (budget(topic, name, budget_usd_per_hour=3) for name in "ab")
    for worker in (first, second):
        commit(worker, topic, worker.claim(2 * USD))
    for worker in (second, first):
        asyncio.run(worker.decide())
    assert (first.lease.left, second.lease.left) == (2 * USD, 1 * USD)


def test_the_lease_of_a_dead_worker_counts_as_spent_until_its_period_is_over() -> None:
    topic = Topic()
    claim(budget(topic, "dead", budget_usd_per_hour=3), topic, 2 * USD)
    heir = budget(topic, "heir", budget_usd_per_hour=3)
    claim(heir, topic, 2 * USD)
    assert heir.lease.left == 1 * USD
    topic.now += HOUR_MS
    claim(heir, topic, 2 * USD)
    assert heir.lease.left == 2 * USD


def test_the_tightest_budget_decides() -> None:
    topic = Topic()
    worker = budget(topic, budget_usd_per_hour=2, budget_usd_per_day=3, budget_usd_per_month=4)
    granted = []
    for hour in (0, 1, 24, 25, 31 * 24):
        topic.now = NEW_YEAR + hour * HOUR_MS
        claim(worker, topic, 5 * USD)
        granted.append(worker.lease.left // USD)
        spend(worker, worker.lease.left)
        commit(worker, topic, worker.settle())
    assert granted == [2, 1, 1, 0, 2]


def test_an_hours_rest_is_given_back_to_the_day() -> None:
    topic = Topic()
    worker = budget(topic, budget_usd_per_day=4)
    claim(worker, topic, 4 * USD)
    spend(worker, USD)
    topic.now += HOUR_MS
    claim(worker, topic, 4 * USD)
    assert worker.lease.left == 3 * USD


def test_an_idle_worker_gives_its_rest_back_and_the_next_claim_gets_it() -> None:
    topic = Topic()
    idle, busy = (budget(topic, name, budget_usd_per_hour=3) for name in "ab")
    claim(idle, topic, 3 * USD)
    spend(idle, USD)
    claim(busy, topic, USD)
    assert busy.lease.left == 0
    assert idle.give_back(topic.now + IDLE_MS - 1) == []
    topic.now += IDLE_MS
    commit(idle, topic, idle.give_back(topic.now))
    assert not spend(idle, 1)
    claim(busy, topic, USD)
    assert busy.lease.left >= USD


def test_what_closes_an_hour_is_written_again_until_it_is_committed() -> None:
    for aborted in ("tick", "claim"):
        topic = Topic()
        worker, other = (budget(topic, name, budget_usd_per_day=4) for name in "ab")
        claim(worker, topic, 4 * USD)
        spend(worker, USD)
        topic.now += HOUR_MS
        assert worker.give_back(topic.now) if aborted == "tick" else worker.claim(0)  # and its transaction is aborted
        commit(worker, topic, worker.give_back(topic.now))
        claim(other, topic, 3 * USD)
        assert other.lease.left == 3 * USD, aborted
        assert worker.give_back(topic.now) == []


def test_what_was_given_back_in_an_aborted_transaction_is_given_back_again() -> None:
    topic = Topic()
    idle, busy = (budget(topic, name, budget_usd_per_hour=3) for name in "ab")
    claim(idle, topic, 3 * USD)
    spend(idle, USD)
    topic.now += IDLE_MS
    assert idle.give_back(topic.now)  # aborted
    commit(idle, topic, idle.give_back(topic.now))
    claim(busy, topic, 2 * USD)
    assert busy.lease.left == 2 * USD


def test_a_claim_that_was_aborted_and_is_not_made_again_holds_nothing_back() -> None:
    topic = Topic()
    worker, other = (budget(topic, name, budget_usd_per_hour=2) for name in "ab")
    claim(worker, topic, USD // 2)
    spend(worker, USD // 2)
    assert worker.claim(USD)  # aborted, and its batch goes to another worker
    commit(worker, topic, worker.give_back(topic.now))
    claim(other, topic, USD + USD // 2)
    assert other.lease.left == USD + USD // 2


@pytest.mark.parametrize("is_committed", [True, False])
@pytest.mark.parametrize("spent", [USD // 2, USD])
def test_a_claim_whose_batch_was_lost_holds_nothing_back_once_its_worker_is_idle(
    spent: int, is_committed: bool
) -> None:
    topic = Topic()
    worker, other = (budget(topic, name, budget_usd_per_hour=3) for name in "ab")
    claim(worker, topic, USD)
    spend(worker, spent)
    lost = worker.claim(2 * USD)
    if is_committed:
        commit(worker, topic, lost)
    topic.now += IDLE_MS
    commit(worker, topic, worker.give_back(topic.now))
    assert worker.give_back(topic.now + IDLE_MS) == []
    claim(other, topic, 2 * USD)
    assert other.lease.left == 2 * USD


def test_a_worker_whose_clock_is_ahead_sees_its_claim_when_it_makes_it_again() -> None:
    topic = Topic()
    settings = Settings(worker_id="w", budget_usd_per_day=100)
    worker = Budget(settings, topic.read_back, lambda: topic.now + MAX_AHEAD_MS + 1, "a")
    claim(worker, topic, USD)
    spend(worker, USD)
    claim(worker, topic, USD)
    claim(worker, topic, USD)
    assert worker.lease.left >= USD


def test_a_budget_that_is_spent_is_asked_again_only_after_a_while() -> None:
    topic = Topic()
    worker = budget(topic, budget_usd_per_hour=1)
    claim(worker, topic, 2 * USD)
    spend(worker, USD)
    assert worker.claim(2 * USD) == []
    topic.now += AGAIN_MS
    assert len(worker.claim(2 * USD)) == 1


def test_a_claim_whose_transaction_was_aborted_is_made_again() -> None:
    topic = Topic()
    worker = budget(topic, budget_usd_per_hour=2)
    worker.claim(USD)
    asyncio.run(worker.decide())
    assert worker.lease.left == 0
    claim(worker, topic, USD)
    assert worker.lease.left == USD


def test_a_budget_of_nothing_grants_nothing() -> None:
    topic = Topic()
    worker = budget(topic, budget_usd_per_hour=0)
    claim(worker, topic, 1)
    assert worker.lease.left == 0
    assert worker.share_used == 1.0


def test_an_older_revision_does_not_replace_a_newer_one() -> None:
    topic = Topic()
    worker = budget(topic, budget_usd_per_hour=2)
    claim(worker, topic, USD)
    commit(worker, topic, worker.settle())
    early, late = topic.leases()
    ledger = BudgetLedger({"hour": 2 * USD})
    ledger.take_in([late, early])
    assert [used for _, used, _ in ledger.used(hour_of(topic.now))] == [USD]


def test_months_begin_on_their_first_day() -> None:
    end = int(datetime(2028, 2, 29, 23, 59, tzinfo=UTC).timestamp() * 1000)
    assert month_start(end) == int(datetime(2028, 2, 1, tzinfo=UTC).timestamp() * 1000)
    assert month_start(NEW_YEAR) == NEW_YEAR


# So small that a claim or two use them up.
LIMITS = {"hour": 4, "day": 6, "month": 8}
workers = st.integers(0, 2)


class Workers(RuleBasedStateMachine):
    """Three workers that claim, call, commit, abort, die and start again in any order, while hours and days pass."""

    def __init__(self) -> None:
        super().__init__()
        self.topic = Topic(NEW_YEAR + 30 * 24 * HOUR_MS)
        self.started = 0
        self.workers = [self._start() for _ in range(3)]
        self.paid: Counter[int] = Counter()  # by hour: what the service really took

    def _start(self) -> Budget:
        self.started += 1
        limits = {f"budget_usd_per_{period}": usd for period, usd in LIMITS.items()}
        return budget(self.topic, f"{self.started}", **limits)

    @rule(who=workers, need=st.integers(1, 4), is_committed=st.sampled_from([True, True, False]))
    def claims(self, who: int, need: int, is_committed: bool) -> None:
        worker = self.workers[who]
        outputs = worker.claim(need * USD)
        if is_committed:
            commit(worker, self.topic, outputs)

    @rule(who=workers, part=st.sampled_from([0.0, 0.5, 1.0, 1.0]), is_killed=st.booleans(), shows=st.booleans())
    def decides_and_calls(self, who: int, part: float, is_killed: bool, shows: bool) -> None:
        """A call that may cost all that is left costs this part of it; a worker may be killed before it settles."""
        worker = self.workers[who]
        asyncio.run(worker.decide())
        if shows:  # what was granted is in the topic before the call
            commit(worker, self.topic, worker.settle())
        most = worker.lease.left
        if worker.lease.reserve(most):
            self.paid[worker._hour] += round(part * most)
            worker.lease.settle(most, round(part * most))
        if is_killed:
            self.workers[who] = self._start()

    @rule(who=workers, is_committed=st.booleans(), idle=st.booleans())
    def settles(self, who: int, is_committed: bool, idle: bool) -> None:
        worker = self.workers[who]
        outputs = worker.give_back(self.topic.now) if idle else worker.settle()
        if is_committed:
            commit(worker, self.topic, outputs)

    @rule(seconds=st.sampled_from([1, 40, 3600, 90_000]))
    def waits(self, seconds: int) -> None:
        self.topic.now += seconds * 1000

    @invariant()
    def keeps_within_every_budget(self) -> None:
        for hour in self.paid:
            spans = {
                "hour": [hour],
                "day": [each for each in self.paid if each // (24 * HOUR_MS) == hour // (24 * HOUR_MS)],
                "month": [each for each in self.paid if month_start(each) == month_start(hour)],
            }
            for period, within in spans.items():
                assert sum(self.paid[each] for each in within) <= LIMITS[period] * USD


Workers.TestCase.settings = hypothesis_settings(max_examples=100, stateful_step_count=30, deadline=None)
TestWorkers = Workers.TestCase
