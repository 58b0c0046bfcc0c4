"""Exact binomial limits: against sums over all outcomes, against published values, and their defining property."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.monitoring.binomial import interval, least_trials, lower_limit, tail, upper_limit

SHARES = st.floats(0.001, 0.999)


def summed(successes: int, trials: int, share: float) -> float:
    return sum(comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(successes, trials + 1))


@given(st.integers(1, 60), st.data(), SHARES)
def test_the_tail_is_the_sum_of_the_outcomes(trials: int, data: st.DataObject, share: float) -> None:
    successes = data.draw(st.integers(0, trials))
    assert tail(successes, trials, share) == pytest.approx(summed(successes, trials, share), rel=1e-8, abs=1e-12)


def test_the_ends_of_the_tail() -> None:
    assert (tail(0, 5, 0.0), tail(1, 5, 0.0), tail(6, 5, 0.5), tail(5, 5, 1.0)) == (1.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [  # R's binom.test, 95 %
        (8, 10, 0.4439045, 0.9747893),
        (0, 10, 0.0, 0.3084971),
        (10, 10, 0.6915029, 1.0),
        (950, 1000, 0.9346109, 0.9626639),
        (985_000, 1_000_000, 0.9847596, 0.9852373),
    ],
)
def test_the_interval_is_the_published_one(successes: int, trials: int, low: float, high: float) -> None:
    assert interval(successes, trials, 0.95) == pytest.approx((low, high), abs=3e-6)


@given(st.integers(1, 40), SHARES, st.sampled_from([0.8, 0.95, 0.99]))
def test_a_limit_misses_the_truth_no_more_often_than_it_says(trials: int, share: float, confidence: float) -> None:
    def chance(k: int) -> float:
        return comb(trials, k) * share**k * (1 - share) ** (trials - k)

    above = sum(chance(k) for k in range(trials + 1) if lower_limit(k, trials, confidence) > share)
    below = sum(chance(k) for k in range(trials + 1) if upper_limit(k, trials, confidence) < share)
    assert above <= 1 - confidence + 1e-9
    assert below <= 1 - confidence + 1e-9


def test_without_a_trial_nothing_is_known() -> None:
    assert interval(0, 0, 0.95) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("share", "confidence", "least"), [(0.97, 0.95, 99), (0.9, 0.95, 29), (0.99, 0.99, 459), (0.5, 0.75, 2)]
)
def test_how_many_trials_are_needed_at_least(share: float, confidence: float, least: int) -> None:
    assert least_trials(share, confidence) == least
    assert lower_limit(least, least, confidence) >= share - 1e-6
    assert lower_limit(least - 1, least - 1, confidence) < share
