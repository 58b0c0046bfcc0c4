"""A trend is seen where there is one, and hardly ever where there is none."""

import random
from math import sqrt
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.monitoring.trend import LEAST_POINTS, trend

rising = st.lists(st.integers(-1000, 1000), min_size=LEAST_POINTS, max_size=24, unique=True).map(sorted)


@given(rising)
def test_a_series_that_only_rises_has_a_trend_and_turned_around_the_opposite(values: list[int]) -> None:
    times = list(range(len(values)))
    up, down = trend(times, values), trend(times, values[::-1])
    assert up is not None
    assert down is not None
    assert up.is_significant
    assert up.slope > 0
    assert (down.slope, down.p, down.points) == (-up.slope, up.p, len(values))


@given(rising, st.integers(1, 9))
def test_the_slope_is_by_unit_of_time_and_one_odd_value_hardly_moves_it(values: list[int], unit: int) -> None:
    line = [2.5 * at * unit for at in range(len(values))]
    line[len(line) // 2] += 1e6
    found = trend([at * unit for at in range(len(values))], line)
    assert found is not None
    assert found.slope == pytest.approx(2.5)
    assert found.is_significant


def test_shuffled_series_have_a_trend_as_often_as_chance_has_it() -> None:
    rng = random.Random(7)
    seen = 0
    for _ in range(2_000):
        values = rng.sample(range(1000), 24)
        found = trend(range(24), values)
        assert found is not None
        seen += found.is_significant
    assert 0.003 < seen / 2_000 < 0.016


def test_the_statistic_is_the_published_one() -> None:
    # S = 28 of eight rising values.
    all_rise = trend(range(8), range(8))
    assert all_rise is not None
    assert all_rise.p == pytest.approx(2 * NormalDist().cdf(-27 / sqrt(8 * 7 * 21 / 18)))
    # S = 16 with two ties of four.
    tied = trend(range(8), [0, 0, 0, 0, 1, 1, 1, 1])
    assert tied is not None
    assert tied.p == pytest.approx(2 * NormalDist().cdf(-15 / sqrt((8 * 7 * 21 - 2 * 4 * 3 * 13) / 18)))


def test_few_points_and_equal_ones_have_none() -> None:
    assert trend(range(7), range(7)) is None
    flat = trend(range(9), [3.0] * 9)
    assert flat is not None
    assert (flat.slope, flat.p, flat.is_significant) == (0, 1.0, False)
