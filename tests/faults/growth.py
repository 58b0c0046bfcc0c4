"""Whether a figure that is sampled over time grows: its slope, and a test for leaks of what is counted."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# Samples that follow each other are alike, and as many independent ones would make the interval far too narrow. The
# means of twenty stretches are alike no longer.
BLOCKS = 20
# Student's t for 95 % and 18 degrees of freedom: twenty points less the two that a line takes.
T_95 = 2.101

HOUR_S = 3600.0


class Slope(NamedTuple):
    """How fast a figure grows, an hour, and the 95 % interval of that."""

    an_hour: float
    low: float
    high: float


def slope(times_s: Sequence[float], values: Sequence[float]) -> Slope:
    """The slope of the line through the means of `BLOCKS` stretches. Raises ValueError: fewer samples than those."""
    _require(len(values))
    x = np.array([block.mean() for block in np.array_split(np.asarray(times_s, float), BLOCKS)]) / HOUR_S
    y = np.array([block.mean() for block in np.array_split(np.asarray(values, float), BLOCKS)])
    dx = x - x.mean()
    estimate = float(dx @ y / (dx @ dx))
    left = y - y.mean() - estimate * dx
    error = T_95 * math.sqrt(float(left @ left) / (BLOCKS - 2) / float(dx @ dx))
    return Slope(estimate, estimate - error, estimate + error)


def grows(values: Sequence[float]) -> bool:
    """Whether a count goes up and up: nearly all of its last fifth is above nearly all of its middle fifth, and nearly
    all of that above the first.

    What is held for a moment, in a rebalance say, and what is taken once and kept is no leak. Raises ValueError: fewer
    samples than `BLOCKS`.
    """
    _require(len(values))
    fifths = np.array_split(np.asarray(values, float), 5)
    first, middle, last = (np.quantile(fifths[i], (0.1, 0.9)) for i in (0, 2, 4))
    return bool(last[0] > middle[1] and middle[0] > first[1])


def _require(samples: int) -> None:
    if samples < BLOCKS:
        raise ValueError(f"{samples} samples are too few to tell: {BLOCKS} at least")
