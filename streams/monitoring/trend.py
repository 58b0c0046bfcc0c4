"""Whether a series rises or falls, and how fast, with no assumption on how its values are distributed."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from math import erfc, sqrt
from statistics import median
from typing import Final, NamedTuple

LEAST_POINTS: Final = 8
"""With fewer the normal approximation of the test is too coarse, and next to nothing would be significant."""

SIGNIFICANT: Final = 0.01
"""A trend is told when chance alone makes one as clear in less than this share of series. A report tests some ten
series: at the usual 0.05 every third report would tell of a trend that is none."""


class Trend(NamedTuple):
    """How a series goes."""

    slope: float  # by unit of time
    p: float  # the share of series without a trend that look as if they had one at least as clear
    points: int

    @property
    def is_significant(self) -> bool:
        """Whether the series rises or falls by more than chance explains."""
        return self.p < SIGNIFICANT and self.slope != 0


def trend(times: Sequence[float], values: Sequence[float]) -> Trend | None:
    """The trend of `values`, taken at the different `times`, in their order; None of fewer than `LEAST_POINTS`.

    The test is Mann's (1945, Econometrica 13, 245) with the variance for ties of Kendall (1975, Rank Correlation
    Methods, 4th ed., ch. 4) and a correction for continuity; the slope is the median of the slopes of all pairs (Sen
    1968, JASA 63, 1379). Both go by ranks and medians, so a single odd value changes little. The test takes the values
    for independent: where each follows from the one before, it sees trends too easily.
    """
    count = len(values)
    if count < LEAST_POINTS:
        return None
    pairs = list(combinations(range(count), 2))
    rises = sum((values[late] > values[early]) - (values[late] < values[early]) for early, late in pairs)
    slope = median((values[late] - values[early]) / (times[late] - times[early]) for early, late in pairs)
    tied = sum(_pair_term(each) for each in Counter(values).values())
    variance = (_pair_term(count) - tied) / 18
    if not rises or not variance:
        return Trend(slope, 1.0, count)
    return Trend(slope, erfc((abs(rises) - 1) / sqrt(2 * variance)), count)


def _pair_term(count: int) -> int:
    return count * (count - 1) * (2 * count + 5)
