"""What it buys to ask the teacher about the least certain rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.measure.deferral import SHARES, curves, oracle, uncertain
from training.measure.figures import Scores

# Ten rows, all negative. The edge is unsure of the first four and wrong on two of them, and sure and wrong of the
# last. The teacher has those two, and the last, right, and one wrong that the edge has right.
EDGE = np.array(
    [[0.4, 0.6, 0], [0.62, 0.38, 0], [0.3, 0.65, 0.05], [0.7, 0.3, 0], *[[0.9, 0.1, 0]] * 5, [0.05, 0.95, 0]]
)
TEACHER = np.array([[1, 0, 0]] * 8 + [[0, 1, 0], [1, 0, 0]])
LABELS = [0] * 10


def test_the_least_certain_go_first() -> None:
    accuracies = uncertain(EDGE, TEACHER, LABELS, (0, 0.1, 0.15, 0.2, 0.3, 0.9, 1), np.ones((1, 10)))[0]
    assert accuracies == pytest.approx([0.7, 0.8, 0.8, 0.8, 0.9, 0.8, 0.9])


def test_a_row_on_the_edge_of_a_share_goes_in_part() -> None:
    assert uncertain(EDGE, TEACHER, LABELS, (0.05,), np.ones((1, 10)))[0] == pytest.approx([0.75])


def test_the_oracle_takes_what_only_the_teacher_has_right() -> None:
    assert oracle(EDGE, TEACHER, LABELS, (0, 0.1, 0.2, 0.3, 0.9, 1)) == pytest.approx([0.7, 0.8, 0.9, 1.0, 1.0, 0.9])


def test_the_gap_recovered_is_told_with_its_interval() -> None:
    found = curves(np.tile(EDGE, (40, 1)), np.tile(TEACHER, (40, 1)), LABELS * 40)
    assert found["gap"]["share"] == pytest.approx(0.2)
    low, high = found["gap"]["interval"]
    assert 0.1 < low < 0.2 < high < 0.3
    assert found["gap_recovered"]["0.10"]["share"] == pytest.approx(0.5)
    assert found["gap_recovered"]["0.20"]["share"] == pytest.approx(0.5)
    low, high = found["gap_recovered"]["0.10"]["interval"]
    assert 0.3 < low < 0.5 < high < 0.8
    assert found["random"][10] == pytest.approx(0.8)


def test_without_a_better_teacher_there_is_no_gap_to_recover() -> None:
    found = curves(np.tile(EDGE, (4, 1)), np.tile(EDGE, (4, 1)), LABELS * 4)
    assert found["gap_recovered"]["0.10"] == {"share": None, "interval": [None, None]}
    assert found["uncertain"] == pytest.approx([0.7] * len(SHARES))


def scores(rng: np.random.Generator, rows: int) -> Scores:
    return rng.dirichlet([0.7, 0.7, 0.7], rows)


@given(st.integers(1, 80), st.integers(0, 1000))
def test_a_curve_goes_from_the_edge_to_the_teacher_below_the_oracle(rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    edge, teacher, labels = scores(rng, rows), scores(rng, rows), rng.integers(3, size=rows).tolist()
    best = oracle(edge, teacher, labels, SHARES)
    ours = uncertain(edge, teacher, labels, SHARES, np.ones((1, rows)))[0]
    assert (best >= ours - 1e-9).all()
    for curve in (best, ours):
        assert curve[0] == pytest.approx((edge.argmax(axis=1) == labels).mean())
        assert curve[-1] == pytest.approx((teacher.argmax(axis=1) == labels).mean())


@given(st.integers(2, 40), st.integers(0, 1000))
def test_a_draw_counts_as_the_rows_it_has(rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    edge, teacher, labels = scores(rng, rows), scores(rng, rows), rng.integers(3, size=rows)
    picked = np.sort(rng.integers(rows, size=rows))
    counts = np.bincount(picked, minlength=rows).astype(float)
    shares = (0.0, 0.1, 0.35, 1.0)
    weighted = uncertain(edge, teacher, labels.tolist(), shares, counts[None, :])
    repeated = uncertain(edge[picked], teacher[picked], labels[picked].tolist(), shares, np.ones((1, rows)))
    assert weighted == pytest.approx(repeated)
