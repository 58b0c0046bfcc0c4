"""How well a figure ranks calls: the area under the ROC curve, its interval, and that of a difference."""

import numpy as np
from numpy.typing import NDArray

from training.measure.bootstrap import Interval, interval, resampled

Floats = NDArray[np.float64]


def auc(risks: Floats, negative: NDArray[np.bool_]) -> tuple[float, Interval]:
    """The area under the ROC curve and its bootstrap interval over the calls.

    It is the share of pairs, a negative call and another, in which the negative one has the higher risk; a tie counts
    half (Hanley and McNeil 1982).
    """
    of = _OfDraws(risks, negative)
    return float(of(np.ones((1, len(risks))))[0]), interval(resampled(len(risks), of))


def auc_gain(risks: Floats, others: Floats, negative: NDArray[np.bool_]) -> tuple[float, Interval]:
    """How much greater the area is with `risks` than with `others`, on the same calls, and its paired interval."""
    first, second = _OfDraws(risks, negative), _OfDraws(others, negative)
    whole = np.ones((1, len(risks)))
    ends = interval(resampled(len(risks), lambda block: first(block) - second(block)))
    return float(first(whole)[0] - second(whole)[0]), ends


def alarms(risks: Floats, negative: NDArray[np.bool_], threshold: float) -> tuple[float, float | None, float]:
    """The share of calls at `threshold` or above, the precision (None where there are none of these), the recall."""
    raised = risks >= threshold
    precision = float(negative[raised].mean()) if raised.any() else None
    return float(raised.mean()), precision, float(raised[negative].mean())


class _OfDraws:
    """The area for each line of a block `[resamples, rows]` of how often each call was drawn.

    A draw that has calls of one sort alone tells nothing: 0.5.
    """

    def __init__(self, risks: Floats, negative: NDArray[np.bool_]) -> None:
        self._negative = negative
        difference = risks[negative][:, None] - risks[~negative][None, :]
        self._higher: Floats = (difference > 0) + 0.5 * (difference == 0)

    def __call__(self, block: Floats) -> Floats:
        bad, good = block[:, self._negative], block[:, ~self._negative]
        pairs: Floats = bad.sum(axis=1) * good.sum(axis=1)
        won: Floats = ((bad @ self._higher) * good).sum(axis=1)
        return np.divide(won, pairs, out=np.full(len(won), 0.5), where=pairs > 0)
