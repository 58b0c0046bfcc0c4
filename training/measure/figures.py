"""Figures of a classifier on labelled rows: how often it is right, on which labels, and how honest its confidence is.

Plain numpy: a few lines each, vectorised over resamples for `bootstrap`, and the tests that need no training
libraries cover them. `tests/training` holds them against scikit-learn's.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from schemas.records import LABELS

Scores = NDArray[np.floating]
"""Logits or probabilities `[rows, 3]`: the highest is the answer."""

Floats = NDArray[np.float64]

BINS = 15
"""Guo et al. 2017, who made the measure common, take 15 bins; figures with another number can't be compared."""


def cells(scores: Scores, labels: Sequence[int]) -> NDArray[np.int64]:
    """Each row's cell of the confusion matrix, counted by rows: 3 times its label plus its answer."""
    return np.asarray(labels, np.int64) * len(LABELS) + scores.argmax(axis=1)


def confusion(scores: Scores, labels: Sequence[int]) -> NDArray[np.int64]:
    """How many rows of each label (rows) got each answer (columns), `[3, 3]`."""
    size = len(LABELS)
    return np.bincount(cells(scores, labels), minlength=size * size).reshape(size, size)


def of_confusion(counts: NDArray[np.floating] | NDArray[np.integer]) -> dict[str, Floats]:
    """`accuracy`, `macro_f1`, `macro_recall` (SemEval's own measure) of confusion matrices `[…, 3, 3]`.

    The macro figures weigh the labels alike. A label that no row has counts as a recall of 0, and as an F1 of 0.
    """
    hits = np.diagonal(counts, axis1=-2, axis2=-1).astype(np.float64)
    has, says = counts.sum(axis=-1), counts.sum(axis=-2)
    return {
        "accuracy": hits.sum(axis=-1) / counts.sum(axis=(-2, -1)),
        "macro_f1": (2 * hits / np.maximum(has + says, 1)).mean(axis=-1),
        "macro_recall": (hits / np.maximum(has, 1)).mean(axis=-1),
    }


def classification(scores: Scores, labels: Sequence[int]) -> dict[str, float]:
    """`of_confusion`'s figures of labelled rows."""
    return {name: float(value) for name, value in of_confusion(confusion(scores, labels)).items()}


def bin_of(probabilities: Scores) -> NDArray[np.int64]:
    """The bin of each row's top probability: `BINS` of equal width over 0 to 1."""
    return np.minimum((probabilities.max(axis=1) * BINS).astype(np.int64), BINS - 1)


def excess(probabilities: Scores, labels: Sequence[int]) -> Floats:
    """Whether each row is right (1 or 0) less its top probability: 0 on average when confidence is honest."""
    right = probabilities.argmax(axis=1) == np.asarray(labels)
    return np.asarray(right - probabilities.max(axis=1).astype(np.float64))


def calibration_error(probabilities: Scores, labels: Sequence[int]) -> float:
    """The expected calibration error of the top probability (Guo et al. 2017, eq. 3), 0 to 1.

    It is the gap between accuracy and mean confidence in each bin, weighed by the bin's rows: the absolute sum of
    `excess` in each bin over all rows.
    """
    sums = np.bincount(bin_of(probabilities), excess(probabilities, labels), minlength=BINS)
    return float(np.abs(sums).sum() / len(labels))


def error_if_honest(probabilities: Scores, times: int = 500) -> dict[str, float]:
    """The calibration error that perfectly honest probabilities would show: its `mean` and `p95`.

    It is above 0 because rows are few. Whether each row is right is drawn from its top probability (consistency
    resampling, Bröcker and Smith 2007). A measured error below `p95` says nothing against the model.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = np.random.default_rng(1).random((times, len(confidence))) < confidence
    errors = np.abs((right - confidence) @ np.eye(BINS)[bin_of(probabilities)]).sum(axis=1) / len(confidence)
    return {"mean": float(errors.mean()), "p95": float(np.quantile(errors, 0.95))}


def reliability(probabilities: Scores, labels: Sequence[int]) -> list[dict[str, float]]:
    """A reliability diagram's points, one a bin that has rows: mean `confidence`, `accuracy`, `rows`."""
    which, confidence = bin_of(probabilities), probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == np.asarray(labels)
    return [
        {
            "confidence": float(confidence[inside].mean()),
            "accuracy": float(right[inside].mean()),
            "rows": int(inside.sum()),
        }
        for inside in (which == index for index in range(BINS))
        if inside.any()
    ]


def brier(probabilities: Scores, labels: Sequence[int]) -> Floats:
    """Each row's Brier score (1950): the squared distance of its probabilities from its label's, 0 to 2."""
    wanted = np.eye(len(LABELS))[np.asarray(labels)]
    return np.asarray(((probabilities.astype(np.float64) - wanted) ** 2).sum(axis=1))


def surprise(probabilities: Scores, labels: Sequence[int]) -> Floats:
    """Each row's negative log-likelihood, in nats; a probability counts as 1e-12 at least."""
    given = probabilities.astype(np.float64)[np.arange(len(labels)), np.asarray(labels)]
    return np.asarray(-np.log(np.maximum(given, 1e-12)))


def honesty(probabilities: Scores, labels: Sequence[int]) -> dict[str, float]:
    """`ece`, `brier` and `nll`, which judge the probabilities and not the answers alone."""
    return {
        "ece": calibration_error(probabilities, labels),
        "brier": float(brier(probabilities, labels).mean()),
        "nll": float(surprise(probabilities, labels).mean()),
    }


def wilson(right: int, count: int) -> tuple[float, float]:
    """The ends of the 95 % interval of a share, `right` of `count` (Wilson 1927, JASA 22, 209).

    Unlike the normal approximation it is no point at 0 or 1, and holds with as few as ten.
    """
    z = 1.959964
    share, shrink = right / count, 1 + z**2 / count
    middle = (share + z**2 / (2 * count)) / shrink
    half = z * sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) / shrink
    # Where none or all are, one end is 0 or 1, and floating-point numbers may miss it by a little.
    return (max(0.0, middle - half) if right else 0.0), (min(1.0, middle + half) if right < count else 1.0)
