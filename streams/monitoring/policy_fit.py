"""The smallest cloud share at which kept answers agree often enough, shown with a stated confidence.

Thresholds are tested from high to low, each keeping more; the first that cannot be shown ends it, and the one before is
the result. Such a fixed sequence keeps the risk of a wrong result at that of one test (Bauer 1991, Statistics in
Medicine 10, 871; "fixed sequence testing" in Angelopoulos et al. 2021, Learn then Test, arXiv 2110.01052). A test is an
exact binomial limit, see `agreement`. Which thresholds are tried, and where it begins, depends on confidences alone.
"""

from functools import lru_cache
from typing import NamedTuple

from schemas.errors import UsageError
from streams.monitoring.agreement import Curve, Kept
from streams.monitoring.binomial import least_trials, lower_limit
from streams.monitoring.decisions import Decisions

_MOST_TRIALS = 10_000_000


class PolicyFitError(UsageError):
    """The recorded decisions do not show what was asked for."""


class Asked(NamedTuple):
    """What a policy shall be: kept answers agree at least `target` of the time, shown with `confidence`."""

    target: float
    confidence: float
    complexity_threshold: float
    random_cloud_rate: float


class Point(NamedTuple):
    """A threshold and what it keeps."""

    threshold: float
    cloud_share: float
    kept: Kept
    at_least: float


def fit_policy(decisions: Decisions, asked: Asked) -> Point:
    """The lowest threshold whose kept answers are shown to agree as often as is asked.

    Raises PolicyFitError: the sample is too small to show it, or it is not so even for the surest answers.
    """
    target, confidence, complexity_threshold, random_rate = asked
    curve = Curve(decisions, complexity_threshold)
    everything = curve.kept(0.0)
    needed = least_trials(target, confidence)
    if everything.known < needed:
        raise PolicyFitError(
            f"of {everything.events:,} decisions that the edge may keep, {everything.known:,} are known to agree or "
            f"not: {needed:,} at least are needed to show {target:g} with confidence {confidence:g}"
            f"{_more(everything, needed)}"
        )
    chosen: Point | None = None
    for threshold in _tried(curve, target, confidence):
        point = _point(curve, threshold, confidence, random_rate)
        if point.at_least < target:
            if chosen is None:
                raise PolicyFitError(_not_shown(point, target, confidence))
            break
        chosen = point
    assert chosen is not None  # noqa: S101 - some are known, so that at least one threshold is tried
    return chosen


def policy_curve(decisions: Decisions, asked: Asked) -> list[Point]:
    """Every threshold that `fit_policy` may try, from high to low, and what it keeps."""
    curve = Curve(decisions, asked.complexity_threshold)
    tried = _tried(curve, asked.target, asked.confidence)
    return [_point(curve, each, asked.confidence, asked.random_cloud_rate) for each in tried]


def _tried(curve: Curve, target: float, confidence: float) -> list[float]:
    """The thresholds, from high to low, from the first on that keeps answers of which enough are known.

    Enough to show the target where half as many disagree as may, or half of all that are known where that is fewer.
    """
    thresholds = curve.thresholds()
    wanted = _trials_for((1 + target) / 2, target, confidence) or _MOST_TRIALS
    enough = max(least_trials(target, confidence), min(wanted, curve.kept(0.0).left_on_edge.known // 2))
    first = next((at for at, each in enumerate(thresholds) if curve.kept(each).known >= enough), len(thresholds) - 1)
    return thresholds[first:]


def _point(curve: Curve, threshold: float, confidence: float, random_rate: float) -> Point:
    kept = curve.kept(threshold)
    return Point(threshold, curve.cloud_share(threshold, random_rate), kept, kept.at_least(confidence))


@lru_cache(maxsize=1024)
def _trials_for(share: float, target: float, confidence: float) -> int | None:
    """How many trials, of which `share` succeed, show `target`; None: no number that a recording could have."""
    trials = least_trials(target, confidence)
    while trials <= _MOST_TRIALS:
        if lower_limit(int(share * trials), trials, confidence) >= target:
            return trials
        trials = trials * 5 // 4 + 1
    return None


def _more(kept: Kept, needed: int) -> str:
    left = kept.left_on_edge
    if not left.known and kept.unanswered:
        return f"; the cloud was asked about {kept.unanswered:,} of them and did not answer"
    if not left.known:
        return "; there is no random sample, set random_cloud_rate above 0"
    events = round(left.events / left.known * (needed - kept.known))
    return f": record some {events:,} decisions more, or raise random_cloud_rate"


def _not_shown(point: Point, target: float, confidence: float) -> str:
    agreement = point.kept.agreement() or 0.0
    told = (
        f"it is not shown that kept answers agree {target:g} of the time: of the surest, from a confidence of "
        f"{point.threshold:g} on, {agreement:.4f} do, at least {point.at_least:.4f} with confidence {confidence:g} "
        f"({point.kept.known:,} are known)"
    )
    needed = _trials_for(agreement, target, confidence) if agreement > target else None
    if needed is None:
        return f"{told}: ask for less"
    return f"{told}: ask for less, or record until some {needed:,} of them are known"
