"""How often kept answers agree: the strata of a threshold, their weights, and limits that hold."""

import numpy as np
import pytest

from streams.monitoring.agreement import Curve, Kept, Stratum
from streams.monitoring.binomial import interval, lower_limit
from streams.monitoring.decisions import KEPT, SAMPLED
from tests.decisions import simulated

NOTHING = Stratum(0, 0, 0)


def test_a_threshold_above_the_recordings_is_a_plain_binomial() -> None:
    kept = Kept(Stratum(5_000, 100, 96), NOTHING, 0)
    assert kept.agreement() == 0.96
    assert kept.at_least(0.95) == lower_limit(96, 100, 0.95)
    assert kept.interval(0.95) == pytest.approx(interval(96, 100, 0.95))


def test_below_it_the_strata_are_weighted_by_their_events() -> None:
    kept = Kept(Stratum(9_000, 180, 171), Stratum(1_000, 1_000, 700), 5)
    assert kept.agreement() == pytest.approx(0.9 * 0.95 + 0.1 * 0.7)
    expected = 0.9 * lower_limit(171, 180, 1 - 0.045) + 0.1 * lower_limit(700, 1_000, 1 - 0.005)
    assert kept.at_least(0.95) == pytest.approx(expected, abs=1e-9)
    assert (kept.events, kept.known) == (10_005, 1_180)
    low, high = kept.interval(0.95)
    assert low < 0.9 * 0.95 + 0.1 * 0.7 < high


def test_without_a_sample_nothing_is_promised() -> None:
    assert Kept(Stratum(100, 0, 0), NOTHING, 0).agreement() is None
    assert Kept(Stratum(100, 0, 0), NOTHING, 0).interval(0.95) == (0.0, 1.0)
    assert Kept(NOTHING, NOTHING, 3).at_least(0.95) == 0.0


def test_the_curve_counts_what_a_threshold_keeps() -> None:
    decisions, agrees = simulated(5_000, threshold=0.3, rate=0.2, seed=1)
    curve = Curve(decisions, complexity_threshold=0.5)
    for threshold in (0.0, 0.1, 0.3, 0.77, 1.0):
        kept = curve.kept(threshold)
        above = decisions.confidence >= threshold
        by_recording = (decisions.group == KEPT) | (decisions.group == SAMPLED)
        assert kept.events == above.sum() == curve.kept_count(threshold)
        assert kept.left_on_edge.events == (above & by_recording).sum()
        assert kept.left_on_edge.known == (above & (decisions.group == SAMPLED)).sum()
        assert kept.left_on_edge.agreed == (above & (decisions.group == SAMPLED) & agrees).sum()
        assert kept.deferred.known == (above & ~by_recording).sum()
        assert curve.cloud_share(threshold, 0.1) == pytest.approx(1 - 0.9 * above.mean())


def test_what_is_too_complex_is_kept_by_no_threshold() -> None:
    decisions, _ = simulated(500, threshold=0.3, rate=0.2, seed=2)
    assert Curve(decisions, complexity_threshold=0.2).kept(0.0).events == 0
    assert Curve(decisions, complexity_threshold=0.2).thresholds() == []
    assert Curve(decisions, complexity_threshold=0.2).cloud_share(0.5, 0.02) == 1.0


def test_thresholds_fall_and_the_last_keeps_all() -> None:
    decisions, _ = simulated(5_000, threshold=0.3, rate=0.2, seed=3)
    curve = Curve(decisions, 0.5)
    thresholds = curve.thresholds()
    assert len(thresholds) == 100
    assert thresholds == sorted(thresholds, reverse=True)
    assert curve.kept_count(thresholds[-1]) == 5_000
    assert np.allclose([curve.kept_count(each) / 5_000 for each in thresholds], np.arange(1, 101) / 100, atol=0.01)
