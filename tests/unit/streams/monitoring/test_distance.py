"""The distance of two samples, and that its limits hold as often as they say."""

from collections import Counter
from math import sqrt
from random import Random

import pytest

from streams.monitoring.distance import chi_squared_quantile, contributions, distance

THIRDS = {"a": 0.6, "b": 0.25, "c": 0.15}


def sample(shares: dict[str, float], size: int, random: Random) -> Counter[str]:
    return Counter(random.choices(list(shares), list(shares.values()), k=size))


def test_it_is_the_jensen_shannon_distance() -> None:
    """The entropy of the mean is 0.88129 bits, the mean of the entropies (1 + 0.46900) / 2."""
    found = distance({"a": 500_000, "b": 500_000}, {"a": 900_000, "b": 100_000})
    assert found.value == pytest.approx(sqrt(0.88129 - 0.73450), abs=1e-4)
    assert found.low < found.value < found.high
    assert distance({"a": 900, "b": 100}, {"a": 500, "b": 500}).value == pytest.approx(found.value)


def test_it_is_0_of_the_same_and_1_of_what_shares_nothing() -> None:
    assert distance({"a": 70, "b": 30}, {"a": 7, "b": 3}).value == pytest.approx(0, abs=1e-6)
    assert distance({"a": 10}, {"b": 10}).value == pytest.approx(1)
    assert distance({"a": 10}, {"a": 99}) == (0, 0, 0)


@pytest.mark.parametrize(
    ("probability", "freedom", "quantile"),
    [(0.95, 1, 3.8415), (0.95, 2, 5.9915), (0.95, 9, 16.9190), (0.99, 2, 9.2103), (0.99, 30, 50.8922)],
)
def test_the_quantile_is_the_tables(probability: float, freedom: int, quantile: float) -> None:
    assert chi_squared_quantile(probability, freedom) == pytest.approx(quantile, rel=0.025)


def test_samples_of_one_distribution_are_told_apart_as_seldom_as_is_said() -> None:
    random = Random(1)
    apart = sum(distance(sample(THIRDS, 4_000, random), sample(THIRDS, 400, random)).low > 0 for _ in range(1_000))
    assert 30 <= apart <= 75  # 50 are expected, and seven is the standard deviation


def test_the_limits_hold_the_true_distance() -> None:
    random = Random(2)
    other = {"a": 0.4, "b": 0.3, "c": 0.3}
    true = distance(
        {name: round(1e9 * share) for name, share in THIRDS.items()}, {k: round(1e9 * v) for k, v in other.items()}
    )
    found = [distance(sample(THIRDS, 5_000, random), sample(other, 500, random)) for _ in range(500)]
    held = sum(each.low <= true.value <= each.high for each in found)
    assert held >= 475
    assert any(not each.low <= true.value * 1.5 <= each.high for each in found)


def test_what_is_rare_in_both_is_counted_together() -> None:
    before = {"en": 10_000, **{f"l{number}": 3 for number in range(30)}}
    now = {"en": 1_000, **{f"l{number}": 1 for number in range(0, 30, 3)}}
    few = distance({"en": 10_000, "": 90}, {"en": 1_000, "": 10})
    assert distance(before, now) == pytest.approx(few)
    flooded = now | {"l4": 300}
    assert distance(before, flooded).low > 0.1


def test_what_moved_most_comes_first() -> None:
    assert contributions({"a": 50, "b": 40, "c": 10}, {"a": 45, "b": 15, "c": 40}) == [
        ("c", 0.1, 0.4), ("b", 0.4, 0.15), ("a", 0.5, 0.45),
    ]  # fmt: skip
