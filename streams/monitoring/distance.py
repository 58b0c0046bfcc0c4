"""How far two counted distributions are from each other, and what of that the size of the samples explains."""

from collections.abc import Mapping
from math import log, sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

from streams.monitoring.share import CONFIDENCE

RARE: Final = 0.01
"""What makes up less of both is counted together: some thirty languages of one event each would add their noise."""

_LN2: Final = log(2)


class Distance(NamedTuple):
    """An estimate with limits that hold with `CONFIDENCE`: 0, the two are the same, to 1, they share nothing."""

    value: float
    low: float
    high: float


def distance(reference: Mapping[str, int], now: Mapping[str, int], confidence: float = CONFIDENCE) -> Distance:
    """The Jensen-Shannon distance of two distributions that were counted, by category; each counts one at least.

    It is the square root of the divergence in bits (Lin 1991, IEEE Trans. Inf. Theory 37, 145), and a metric (Endres
    and Schindelin 2003, ibid. 49, 1858). So the true distance is the observed one give or take how far the samples are
    from what they were drawn of. To the first order the divergence is an eighth of chi-squared over the events (both
    papers), so that two samples of one distribution with k categories are, with `confidence`, no further apart than
    sqrt(q (1 / n + 1 / m) / 8 ln 2), where q is that quantile of chi-squared with k - 1 degrees of freedom. The
    population stability index has the same law, at eight times the scale (Yurdakul 2018, Statistical Properties of
    Population Stability Index, Western Michigan University).
    """
    first, second = _pooled(reference, now)
    size, other_size = sum(first.values()), sum(second.values())
    divergence = sum(
        _term(first.get(name, 0) / size, second.get(name, 0) / other_size) for name in first.keys() | second.keys()
    )
    found = sqrt(min(1.0, max(0.0, divergence)))
    categories = len(first.keys() | second.keys())
    if categories == 1:
        return Distance(0.0, 0.0, 0.0)
    noise = sqrt(chi_squared_quantile(confidence, categories - 1) * (1 / size + 1 / other_size) / (8 * _LN2))
    return Distance(found, max(0.0, found - noise), min(1.0, found + noise))


def contributions(reference: Mapping[str, int], now: Mapping[str, int]) -> list[tuple[str, float, float]]:
    """Each category with its share before and now, that which adds most to the distance first."""
    size, other_size = sum(reference.values()), sum(now.values())
    shares = {
        name: (reference.get(name, 0) / size, now.get(name, 0) / other_size)
        for name in sorted(reference.keys() | now.keys())
    }
    return sorted(((name, *both) for name, both in shares.items()), key=lambda each: -_term(each[1], each[2]))


def chi_squared_quantile(probability: float, freedom: int) -> float:
    """Within 2.5 % from one degree of freedom on, closer with more (Wilson and Hilferty 1931, PNAS 17, 684)."""
    spread = 2 / (9 * freedom)
    return freedom * float(1 - spread + NormalDist().inv_cdf(probability) * sqrt(spread)) ** 3


def _term(first: float, second: float) -> float:
    """What a category of these shares adds to the divergence, in bits."""
    middle = (first + second) / 2
    return sum(share * log(share / middle) for share in (first, second) if share) / (2 * _LN2)


def _pooled(first: Mapping[str, int], second: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """Both without what is rare in both, which is one category of its own."""
    least, other_least = RARE * sum(first.values()), RARE * sum(second.values())
    names = first.keys() | second.keys()
    rare = {name for name in names if first.get(name, 0) < least and second.get(name, 0) < other_least}
    pooled = []
    for counts in (first, second):
        kept = {name: count for name, count in counts.items() if name not in rare and count}
        if rest := sum(counts.get(name, 0) for name in rare):
            kept[""] = rest
        pooled.append(kept)
    return pooled[0], pooled[1]
