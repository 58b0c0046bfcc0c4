"""The best settings under a constraint: no more than so many dollars a day, no less than so much agreement, or both."""

from bisect import bisect_left
from collections.abc import Callable

from models.router import Policy
from schemas.errors import UsageError
from streams.monitoring.agreement import Curve
from streams.monitoring.policy_fit import Asked, fit_policy
from streams.monitoring.what_if import Outcome, WhatIf

_STEPS = 200


class NoPolicyError(UsageError):
    """No threshold keeps what was asked for."""


def best_policy(
    what_if: WhatIf, base: Policy, *, at_most_usd_a_day: float | None, at_least_agreement: float | None
) -> Outcome:
    """The threshold in place of that of `base` which is best under the constraints; the rest is as `base` has it.

    With `at_least_agreement` it is the cheapest whose kept answers are shown to agree so often, see `fit_policy`; else
    the one that sends most to the cloud for the money.

    Raises NoPolicyError: no threshold does that, and what the nearest would do. PolicyFitError: agreement is not shown.
    """
    if at_least_agreement is None:
        return _within_dollars(what_if, base, at_most_usd_a_day or 0.0)
    asked = Asked(at_least_agreement, what_if.confidence, base.complexity_threshold, base.random_cloud_rate)
    fit = fit_policy(what_if.decisions, asked)
    best = what_if.outcome(_at(base, fit.threshold))
    if at_most_usd_a_day is not None and best.usd_a_day > at_most_usd_a_day:
        raise NoPolicyError(
            f"no threshold does both: agreement of {at_least_agreement:g} needs {best.usd_a_day:,.2f} dollars a day, "
            f"at a threshold of {best.policy.confidence_threshold:g}"
        )
    return best


def first_kept(what_if: WhatIf, base: Policy, keeps: Callable[[Outcome], bool]) -> Outcome:
    """What the highest threshold does of which `keeps` holds, in place of that of `base`; of none, what the lowest.

    It must hold of all lower ones, too: the edge's share rises, and costs fall, as the threshold falls.
    """
    thresholds = Curve(what_if.decisions, base.complexity_threshold).thresholds(_STEPS) or [0.0]
    at = bisect_left(thresholds, True, key=lambda threshold: keeps(what_if.outcome(_at(base, threshold))))
    return what_if.outcome(_at(base, thresholds[min(at, len(thresholds) - 1)]))


def _within_dollars(what_if: WhatIf, base: Policy, most_usd: float) -> Outcome:
    """The highest threshold that costs no more."""
    found = first_kept(what_if, base, lambda outcome: outcome.usd_a_day <= most_usd)
    if found.usd_a_day > most_usd:
        raise NoPolicyError(
            f"no threshold costs {most_usd:g} dollars a day or less: with all on the edge but the random sample and "
            f"what is too complex it is {found.usd_a_day:,.2f}"
        )
    return found


def _at(base: Policy, threshold: float) -> Policy:
    return base.changed(confidence_threshold=threshold)
