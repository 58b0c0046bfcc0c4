"""Two models on the same events: the exact test, the weighted gain and its interval."""

import numpy as np
import pytest

from streams.monitoring.paired import Pairs, Stratum, gain, gain_interval, p_value


@pytest.mark.parametrize(
    ("former", "candidate", "p"),
    # By hand: 2 * P(X <= min) of a binomial with a half. The last is scipy's binomtest(40, 100).
    [(0, 0, 1.0), (0, 1, 1.0), (0, 5, 2 / 32), (1, 5, 2 * 7 / 64), (3, 3, 1.0), (40, 60, 0.056887933640980784)],
)
def test_mcnemars_exact_test(former: int, candidate: int, p: float) -> None:
    assert p_value(Pairs(90, former, candidate, 10)) == pytest.approx(p, rel=1e-9)
    assert p_value(Pairs(0, candidate, former, 0)) == pytest.approx(p, rel=1e-9), "whichever of the two it is"


def test_many_pairs_take_no_time() -> None:
    assert 0 < p_value(Pairs(0, 500_000, 502_000, 0)) < 0.05


def test_each_part_counts_by_its_size_not_by_how_much_of_it_is_known() -> None:
    kept = Stratum(900, Pairs(8, 0, 1, 1))  # ten of 900 known: +0.1
    deferred = Stratum(100, Pairs(50, 30, 10, 10))  # all known: -0.2
    assert gain([kept, deferred]) == pytest.approx(0.9 * 0.1 - 0.1 * 0.2)
    assert gain([kept]) == pytest.approx(0.1)
    assert gain([]) == 0.0


def test_of_a_part_of_which_nothing_is_known_nothing_is_shown() -> None:
    known = Stratum(100, Pairs(50, 0, 50, 0))
    assert gain_interval([known, Stratum(5, Pairs())], 0.95) == (-1.0, 1.0)
    assert gain_interval([known, Stratum(0, Pairs())], 0.95)[0] > 0.3
    assert gain_interval([], 0.95) == (-1.0, 1.0)


def test_the_interval_covers_the_true_gain_as_often_as_it_says() -> None:
    """400 pairs of samples from two strata whose gains are known; 95 % of the intervals must hold the true one."""
    rng, rounds, covered = np.random.default_rng(5), 400, 0
    cells = [np.array([0.80, 0.04, 0.08, 0.08]), np.array([0.5, 0.2, 0.1, 0.2])]
    true = 0.8 * (0.08 - 0.04) + 0.2 * (0.1 - 0.2)
    for _ in range(rounds):
        first, second = (Pairs(*map(int, rng.multinomial(300, each))) for each in cells)
        low, high = gain_interval([Stratum(8_000, first), Stratum(2_000, second)], 0.95)
        covered += low <= true <= high
    assert 0.92 <= covered / rounds <= 0.98


@pytest.mark.parametrize("known", [1, 2, 10, 30, 100])
def test_the_interval_holds_however_few_events_are_known(known: int) -> None:
    """Seen to fail with the percentiles of a bootstrap: where no two answers differed its interval had no width."""
    rng, rounds, covered = np.random.default_rng(7), 400, 0
    for _ in range(rounds):
        kept = Pairs(*map(int, rng.multinomial(known, [0.85, 0.01, 0.03, 0.11])))
        deferred = Pairs(*map(int, rng.multinomial(700, [0.5, 0.2, 0.1, 0.2])))
        low, high = gain_interval([Stratum(8_000, kept), Stratum(2_000, deferred)], 0.95)
        covered += low <= 0.8 * 0.02 - 0.2 * 0.1 <= high
    assert covered / rounds >= 0.93


def test_one_event_shows_nothing_and_many_that_are_alike_show_much() -> None:
    low, high = gain_interval([Stratum(95, Pairs(candidate=1)), Stratum(5, Pairs(both=5))], 0.95)
    assert low < 0 < high
    z = 1.959964
    same = z * z / (1_000 + z * z)  # where no two answers differ the limits have this closed form
    assert gain_interval([Stratum(1_000, Pairs(both=1_000))], 0.95) == pytest.approx((-same, same), abs=1e-6)


def test_a_published_example_and_its_mirror() -> None:
    """Airways before and after a transplant: Tango's interval, of Fagerland, Lydersen, Laake 2014 (Stat. Med. 33)."""
    low, high = gain_interval([Stratum(21, Pairs(1, 1, 7, 12))], 0.95)
    assert (low, high) == pytest.approx((0.026, 0.517), abs=5e-4)
    assert gain_interval([Stratum(21, Pairs(1, 7, 1, 12))], 0.95) == pytest.approx((-high, -low), abs=1e-6)
