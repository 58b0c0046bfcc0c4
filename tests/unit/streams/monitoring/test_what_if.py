"""What another policy would have made of recorded decisions, held against what it is known to make of them."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.router import Policy
from schemas.errors import UsageError
from streams.monitoring.best_policy import NoPolicyError, best_policy
from streams.monitoring.call_costs import Prices, call_costs, edge_cost
from streams.monitoring.decisions import FIXED, UNANSWERED, Decisions
from streams.monitoring.policy_fit import PolicyFitError
from streams.monitoring.what_if import DAYS_A_MONTH, Budget, WhatIf, _within, recorded_a_day
from tests.decisions import NOW, simulated

EVENTS = 40_000
DECISIONS, AGREES = simulated(EVENTS, threshold=0.4, rate=0.1, seed=7)
EDGE_USD, CALL_USD = 0.001, 0.01


def what_if(decisions: Decisions = DECISIONS, **changes: object) -> WhatIf:
    plain = WhatIf(decisions, EDGE_USD, np.full(len(decisions), CALL_USD), events_a_day=1_000.0)
    return replace(plain, **changes)  # type: ignore[arg-type]


def at(threshold: float, rate: float = 0.0) -> Policy:
    return Policy("p", "1", threshold, 0.75, rate)


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.4, 0.8, 1.1])
@pytest.mark.parametrize("rate", [0.0, 0.25])
def test_an_outcome_is_what_the_policy_makes_of_the_same_events(threshold: float, rate: float) -> None:
    found = what_if(confidence=0.9999).outcome(at(threshold, rate))
    keeps = threshold <= DECISIONS.confidence
    edge_share = keeps.mean() * (1 - rate)
    assert found.edge_share == pytest.approx(edge_share)
    assert found.usd_a_day == pytest.approx(1_000 * (EDGE_USD + (1 - edge_share) * CALL_USD))
    assert found.usd_a_month == pytest.approx(found.usd_a_day * DAYS_A_MONTH)
    assert found.saved == pytest.approx(1 - found.usd_a_day / (1_000 * CALL_USD))
    assert (found.exhausted_share, found.kept.events) == (0.0, keeps.sum())
    if keeps.any():
        low, high = found.interval
        assert low < AGREES[keeps].mean() < high
        assert found.expected_right == pytest.approx(DECISIONS.confidence[keeps].mean())
        assert found.line_agreement is not None
        line = 1 - (keeps & ~AGREES).mean() * (1 - rate)
        assert found.line_agreement == pytest.approx(line, abs=(high - low) / 2)
    else:
        assert (found.agreement, found.expected_right, found.line_agreement) == (None, None, 1.0)


def test_what_no_policy_decides_stays_as_it_was_and_what_was_not_answered_is_routed_again() -> None:
    group = DECISIONS.group.copy()
    group[:100], group[100:200] = FIXED, UNANSWERED
    to_cloud = DECISIONS.to_cloud.copy()
    to_cloud[:100], to_cloud[:30] = False, True
    found = what_if(replace(DECISIONS, group=group, to_cloud=to_cloud)).outcome(at(0.5))
    keeps = DECISIONS.confidence >= 0.5
    assert found.edge_share == pytest.approx((70 + keeps[100:].sum()) / EVENTS)
    assert found.kept.unanswered == keeps[100:200].sum()


@given(
    st.lists(st.tuples(st.integers(0, 4 * 3_600_000), st.floats(0, 5)), min_size=2, max_size=60),
    st.floats(0, 20),
)
def test_a_budget_pays_in_order_until_it_is_spent(calls: list[tuple[int, float]], limit: float) -> None:
    times = np.array([NOW + at for at, _ in calls]).astype("datetime64[ms]")
    served = _within(limit, np.array([usd for _, usd in calls]), times, "h")
    spent: dict[int, float] = defaultdict(float)
    first, last = min(NOW + at for at, _ in calls), max(NOW + at for at, _ in calls)
    for index in np.argsort(times, kind="stable"):
        hour = (NOW + calls[index][0]) // 3_600_000
        share = (min(last, (hour + 1) * 3_600_000) - max(first, hour * 3_600_000)) / 3_600_000
        spent[hour] += calls[index][1]
        if spent[hour] > limit * share + 1e-6:
            assert not served[index]
        elif spent[hour] < limit * share - 1e-6:
            assert served[index]


@pytest.mark.parametrize("period", ["hour_usd", "day_usd", "month_usd"])
def test_what_the_budget_does_not_pay_for_the_edge_answers(period: str) -> None:
    hours = {"hour_usd": 1, "day_usd": 24, "month_usd": 24 * 30}[period]
    plain = what_if(events_a_day=recorded_a_day(DECISIONS)).outcome(at(0.4))
    cloud_a_day = plain.usd_a_day - EDGE_USD * recorded_a_day(DECISIONS)
    half = Budget(**{period: cloud_a_day / 24 * hours / 2})
    found = what_if(events_a_day=recorded_a_day(DECISIONS), budget=half).outcome(at(0.4))
    assert found.exhausted_share == pytest.approx((1 - plain.edge_share) / 2, rel=0.05)
    assert found.edge_share == pytest.approx(plain.edge_share + found.exhausted_share)
    assert found.usd_a_day - EDGE_USD * recorded_a_day(DECISIONS) == pytest.approx(cloud_a_day / 2, rel=0.05)
    assert found.line_agreement is not None
    assert plain.line_agreement is not None
    # Of the half that stays, confidence is 0 to 0.4: 0.68 of it agrees.
    assert found.line_agreement == pytest.approx(plain.line_agreement - 0.32 * found.exhausted_share, abs=0.005)
    more = what_if(events_a_day=2 * recorded_a_day(DECISIONS), budget=half).outcome(at(0.4))
    assert more.exhausted_share == pytest.approx((1 - plain.edge_share) * 3 / 4, rel=0.05)


def test_the_most_that_the_money_buys() -> None:
    free = 1_000 * EDGE_USD
    best = best_policy(what_if(), at(0.5), at_most_usd_a_day=free + 3.0, at_least_agreement=None)
    assert free + 2.9 < best.usd_a_day <= free + 3.0
    assert best.policy.confidence_threshold == pytest.approx(0.3, abs=0.01)
    with pytest.raises(NoPolicyError, match=r"no threshold costs 0\.5 dollars a day or less"):
        best_policy(what_if(), at(0.5, rate=0.1), at_most_usd_a_day=0.5, at_least_agreement=None)


def test_the_cheapest_that_agrees_enough_and_both() -> None:
    best = best_policy(what_if(), at(0.5), at_most_usd_a_day=None, at_least_agreement=0.86)
    assert 0.3 < best.policy.confidence_threshold < 0.4  # of confidence t and more 0.8 + 0.2 t agrees
    assert best_policy(what_if(), at(0.5), at_most_usd_a_day=9.0, at_least_agreement=0.86) == best
    with pytest.raises(NoPolicyError, match=r"no threshold does both: agreement of 0\.86 needs 4\.\d\d dollars a day"):
        best_policy(what_if(), at(0.5), at_most_usd_a_day=1.5, at_least_agreement=0.86)
    with pytest.raises(PolicyFitError):
        best_policy(what_if(), at(0.5), at_most_usd_a_day=9.0, at_least_agreement=0.9999)


def test_costs_are_those_recorded_and_by_length_where_nothing_is() -> None:
    chars = np.arange(EVENTS) % 100 + 1
    tokens = np.stack([20 + 2 * chars, np.full(EVENTS, 3), np.full(EVENTS, 10)], axis=1)
    paid = np.where(DECISIONS.to_cloud, 1_000_000 + 10_000 * chars, 2_000_000)
    decisions = replace(DECISIONS, text_chars=chars, cost_nanos=paid, tokens=tokens * DECISIONS.to_cloud[:, None])
    assert edge_cost(decisions, None, 9.0) == pytest.approx(0.002)
    assert edge_cost(decisions, 0.5, 9.0) == 0.5
    assert call_costs(decisions, Prices(), 9.0) == pytest.approx(0.001 + 0.00001 * chars)
    by_token = call_costs(decisions, Prices(input_usd=2, output_usd=4, cached_usd=1), 9.0)
    assert by_token == pytest.approx(((10 + 2 * chars) * 2 + 10 * 1 + 3 * 4) / 1e6)
    assert (call_costs(decisions, Prices(call_usd=0.25), 9.0) == 0.25).all()
    unknown = replace(decisions, text_chars=np.zeros(EVENTS, np.int64))
    mean = paid[DECISIONS.to_cloud].mean() / 1e9
    assert call_costs(unknown, Prices(), 9.0)[~DECISIONS.to_cloud] == pytest.approx(mean)
    never = replace(decisions, to_cloud=np.zeros(EVENTS, np.bool_))
    assert (call_costs(never, Prices(), 9.0) == 9.0).all()
    with pytest.raises(UsageError, match="--cloud-price"):
        call_costs(never, Prices(input_usd=1, output_usd=1), 9.0)
