"""The figures that the report, the manifests and the README quote, against numbers worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.measure import bootstrap
from training.measure.figures import (
    Scores,
    brier,
    calibration_error,
    classification,
    confusion,
    honesty,
    reliability,
    surprise,
)

# Four rows at 0.9, of which two are right; four at 0.5, of which three are right: gaps do not cancel out.
PROBABILITIES = np.array([[0.9, 0.05, 0.05]] * 4 + [[0.5, 0.3, 0.2]] * 4)
RIGHT_TWO_AND_THREE = [0, 0, 1, 2, 0, 0, 0, 1]


def made(rows: int, seed: int) -> tuple[Scores, list[int]]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet([0.5, 0.5, 0.5], rows), rng.integers(3, size=rows).tolist()


def test_classification_weighs_the_labels_alike() -> None:
    # Of six negatives five are found, of two neutrals one, of two positives none; one of each miss goes to neutral.
    given_labels = [0, 0, 0, 0, 0, 1, 1, 0, 1, 0]
    labels = [0, 0, 0, 0, 0, 0, 1, 1, 2, 2]
    scores = np.eye(3)[given_labels]
    figures = classification(scores, labels)
    assert figures["accuracy"] == pytest.approx(6 / 10)
    assert figures["macro_recall"] == pytest.approx((5 / 6 + 1 / 2 + 0) / 3)
    assert figures["macro_f1"] == pytest.approx((10 / 13 + 2 / 5 + 0) / 3)
    assert confusion(scores, labels).tolist() == [[5, 1, 0], [1, 1, 0], [1, 1, 0]]


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    assert calibration_error(PROBABILITIES, RIGHT_TWO_AND_THREE) == pytest.approx(0.5 * 0.4 + 0.5 * 0.25)


def test_a_reliability_diagram_has_a_point_for_each_bin_with_rows() -> None:
    assert reliability(PROBABILITIES, RIGHT_TWO_AND_THREE) == [
        {"confidence": pytest.approx(0.5), "accuracy": 0.75, "rows": 4},
        {"confidence": pytest.approx(0.9), "accuracy": 0.5, "rows": 4},
    ]


def test_brier_and_likelihood_judge_the_whole_row() -> None:
    probabilities = np.array([[0.5, 0.3, 0.2], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    assert brier(probabilities, [2, 1, 0]) == pytest.approx([0.25 + 0.09 + 0.64, 0.0, 2.0])
    assert surprise(probabilities, [2, 1, 0]) == pytest.approx([-np.log(0.2), 0.0, 12 * np.log(10)])
    assert honesty(probabilities, [2, 1, 1])["nll"] == pytest.approx(-np.log(0.2) / 3)


def test_honest_probabilities_have_next_to_no_calibration_error() -> None:
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet([1, 1, 1], 200_000)
    labels = (rng.random((200_000, 1)) > probabilities.cumsum(axis=1)).sum(axis=1).tolist()
    assert calibration_error(probabilities, labels) < 0.005
    assert calibration_error(probabilities**3 / (probabilities**3).sum(axis=1, keepdims=True), labels) > 0.1


@given(st.integers(1, 60), st.integers(0, 1000))
def test_figures_stay_within_their_bounds(rows: int, seed: int) -> None:
    probabilities, labels = made(rows, seed)
    figures = {**classification(probabilities, labels), **honesty(probabilities, labels)}
    assert all(0 <= figures[name] <= 1 for name in ("accuracy", "macro_f1", "macro_recall", "ece"))
    assert 0 <= figures["brier"] <= 2
    assert figures["nll"] >= 0
    bins = reliability(probabilities, labels)
    assert sum(point["rows"] for point in bins) == rows
    gaps = sum(point["rows"] / rows * abs(point["accuracy"] - point["confidence"]) for point in bins)
    assert gaps == pytest.approx(figures["ece"])


@pytest.mark.parametrize("seed", range(5))
def test_an_interval_covers_the_figure_of_the_sample(seed: int) -> None:
    figures = bootstrap.figures(*made(150, seed))
    for name in ("accuracy", "macro_f1", "macro_recall", "ece", "brier", "nll"):
        low, high = figures[f"{name}_interval"]
        assert low <= figures[name] <= high
        assert low < high


def test_an_interval_is_as_wide_as_theory_says() -> None:
    # 1,000 rows, 800 right: a standard error of sqrt(0.8 * 0.2 / 1000), and 1.96 of them on each side.
    labels = [0] * 800 + [1] * 200
    probabilities = np.tile([0.8, 0.1, 0.1], (1000, 1))
    expected = [0.8 - 1.96 * 0.01265, 0.8 + 1.96 * 0.01265]
    assert bootstrap.intervals(probabilities, labels)["accuracy"] == pytest.approx(expected, abs=0.003)
    assert bootstrap.proportion(np.asarray(labels) == 0) == pytest.approx(expected, abs=0.003)


@pytest.mark.parametrize("too_sure", [0.0, 0.2])
def test_a_calibration_error_is_told_from_0_where_it_is_more_than_chance_gives(too_sure: float) -> None:
    holds_0 = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        confidence = np.clip(rng.beta(6, 1.1, 300), 0.55, 0.999)
        probabilities = np.column_stack([confidence, *[(1 - confidence) / 2] * 2])
        labels = (rng.random(300) >= confidence - too_sure).astype(int).tolist()
        holds_0.append(bootstrap.intervals(probabilities, labels)["ece"][0] == 0)
    assert sum(holds_0) >= 18 if not too_sure else sum(holds_0) == 0


def test_a_share_of_few_rows_is_no_point_even_where_all_are_right() -> None:
    low, high = bootstrap.proportion(np.array([True, True]))
    assert 0.2 < low < 0.5 < high == 1


def test_an_interval_is_the_same_every_time() -> None:
    probabilities, labels = made(100, 3)
    assert bootstrap.figures(probabilities, labels) == bootstrap.figures(probabilities, labels)


def test_every_draw_has_as_many_rows_as_the_sample() -> None:
    blocks = list(bootstrap.draws(40))
    assert sum(len(block) for block in blocks) == bootstrap.RESAMPLES
    assert all((block.sum(axis=1) == 40).all() for block in blocks)
    # Each row is drawn once on average, and independently: a variance of 1 - 1/40.
    counts = np.concatenate(blocks)
    assert counts.mean(axis=0) == pytest.approx(1, abs=0.15)
    assert counts.var() == pytest.approx(1 - 1 / 40, abs=0.02)


def test_retention_is_paired() -> None:
    labels = [0] * 400
    large = np.eye(3)[[0] * 320 + [1] * 80]
    small = np.eye(3)[[0] * 316 + [1] * 84]
    ratio, (low, high) = bootstrap.retention(small, large, labels)
    assert ratio == pytest.approx(316 / 320)
    # They differ on four rows only. Drawn apart, each accuracy moves by 4 points and the ratio's interval by 14.
    assert 0.97 < low < ratio < high <= 1.0
    assert bootstrap.retention(large, large, labels) == (1.0, (1.0, 1.0))
