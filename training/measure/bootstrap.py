"""How far a figure would move with another sample of the same rows: percentile bootstrap intervals.

Efron 1979: the rows are drawn again with replacement, `RESAMPLES` times, and the middle 95 % of the figures is
the interval. All figures of a set are taken on the same draws, and so are those of two models that are compared (a
paired bootstrap), so that what is hard for both cancels out. A draw is kept as how often each row is in it, so that
most figures are a matrix product.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.records import LABELS
from training.measure.figures import (
    BINS,
    Floats,
    Scores,
    bin_of,
    brier,
    cells,
    classification,
    confusion,
    error_if_honest,
    excess,
    honesty,
    of_confusion,
    surprise,
    wilson,
)

RESAMPLES = 2_000
"""Another seed then moves an end by some 2 % of the interval's width (its standard error, for a normal spread)."""

SEED = 1
LEVEL = 0.95

Interval = tuple[float, float]


def draws(rows: int) -> Iterator[Floats]:
    """How often each row is drawn, in blocks `[resamples, rows]`, the same for the same number of rows.

    In blocks, because 2,000 draws of 5,000 rows are 80 MB.
    """
    rng = np.random.default_rng(SEED)
    block = 250
    for _ in range(0, RESAMPLES, block):
        drawn = rng.integers(rows, size=(block, rows)) + np.arange(block)[:, None] * rows
        yield np.bincount(drawn.ravel(), minlength=block * rows).reshape(block, rows).astype(np.float64)


def resampled(rows: int, figure: Callable[[Floats], Floats]) -> Floats:
    """The `figure` of every draw. It gets blocks of `draws` and returns a value for each line."""
    return np.concatenate([figure(block) for block in draws(rows)])


def interval(values: Floats) -> Interval:
    """The ends of the middle 95 % of the draws' `values`, each one of them (so infinities stay whole)."""
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="nearest")
    return float(low), float(high)


def intervals(probabilities: Scores, labels: Sequence[int]) -> dict[str, Interval]:
    """The intervals of accuracy, macro F1, macro recall, ECE, Brier score and negative log-likelihood.

    A draw's calibration error has the noise of its own rows on top of the sample's, always upwards: its percentiles
    would lie above the truth. So `ece` has the basic bootstrap's interval (Davison and Hinkley 1997, 5.2), which
    turns the draws' distances from the sample's figure around; an end on the wrong side of that figure, or of 0, is set
    to it. And where the figure is no more than what chance gives an honest model of as many rows (`error_if_honest`),
    the interval begins at 0: turned around, it would lie above.
    """
    rows, size = len(labels), len(LABELS)
    one_hot_cell = np.eye(size * size)[cells(probabilities, labels)]
    excess_in_bin = np.eye(BINS)[bin_of(probabilities)] * excess(probabilities, labels)[:, None]
    losses = np.column_stack([brier(probabilities, labels), surprise(probabilities, labels)])

    found: dict[str, list[Floats]] = {}
    for block in draws(rows):
        values = of_confusion((block @ one_hot_cell).reshape(-1, size, size))
        values["ece"] = np.abs(block @ excess_in_bin).sum(axis=1) / rows
        values["brier"], values["nll"] = (block @ losses).T / rows
        for name, value in values.items():
            found.setdefault(name, []).append(value)
    ends = {name: interval(np.concatenate(values)) for name, values in found.items()}
    error = float(np.abs(excess_in_bin.sum(axis=0)).sum() / rows)
    low, high = ends["ece"]
    least = 0.0 if error <= error_if_honest(probabilities)["p95"] else max(0.0, min(error, 2 * error - high))
    ends["ece"] = least, max(error, 2 * error - low)
    return ends


def figures(probabilities: Scores, labels: Sequence[int]) -> dict[str, Any]:
    """The figures of one set: `rows`, `confusion`, and each figure with its `_interval`."""
    values = {**classification(probabilities, labels), **honesty(probabilities, labels)}
    ends = intervals(probabilities, labels)
    found: dict[str, Any] = {"rows": len(labels)}
    for name, value in values.items():
        found |= {name: value, f"{name}_interval": list(ends[name])}
    return found | {"confusion": confusion(probabilities, labels).tolist()}


def proportion(right: NDArray[np.bool_]) -> Interval:
    """The interval of the share of rows that are `right`: Wilson's, which is no point where all of few rows are."""
    return wilson(int(right.sum()), len(right))


def retention(small: Scores, large: Scores, labels: Sequence[int]) -> tuple[float, Interval]:
    """The accuracy of `small` over that of `large` on the same rows, and its paired interval."""
    wanted = np.asarray(labels)
    right = np.column_stack([small.argmax(axis=1) == wanted, large.argmax(axis=1) == wanted]).astype(np.float64)

    def ratio(block: Floats) -> Floats:
        hits = block @ right
        return np.asarray(hits[:, 0] / np.maximum(hits[:, 1], 1.0))

    return float(ratio(np.ones((1, len(wanted))))[0]), interval(resampled(len(wanted), ratio))
