"""Which setting would bring a figure within its bound, and what else it would do: tried on recorded decisions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from models.router import Policy
from schemas.errors import UsageError
from streams.monitoring.best_policy import NoPolicyError, best_policy, first_kept
from streams.monitoring.health import Figure, Health
from streams.monitoring.health_rules import HealthRule
from streams.monitoring.what_if import Outcome, WhatIf

SETTING: Final = "confidence_threshold"
"""The setting that what-if tries."""

_SAME: Final = 1e-4  # thresholds have four decimals


@dataclass(frozen=True)
class Advice:
    """What would bring a figure within its bound."""

    figure: Figure
    then: Outcome | None  # with the setting changed; None: nothing that was tried does it
    why: str = ""  # it does not


def advise(health: Health, what_if: WhatIf, base: Policy, budget_usd_a_day: float | None) -> list[Advice]:
    """For each figure that misses its bound and that the threshold on confidence moves: the threshold that mends it.

    `base` is the policy in force, `budget_usd_a_day` the tightest budget of the cloud. Other figures have no advice:
    recorded decisions do not tell what would make a line quicker, or its cloud answer.
    """
    mends: dict[str, Callable[[float], Outcome]] = {
        "edge_share": lambda bound: _with_edge_share(what_if, base, bound),
        "agreement": lambda bound: best_policy(what_if, base, at_most_usd_a_day=None, at_least_agreement=bound),
        "cost_per_event_usd": lambda bound: _within(what_if, base, bound * what_if.events_a_day),
    }
    if budget_usd_a_day is not None:
        edge_usd = what_if.edge_usd * what_if.events_a_day  # a budget is of the cloud's cost alone
        mends["budget_used"] = lambda bound: _within(what_if, base, edge_usd + bound * budget_usd_a_day)
    return [
        _tried(figure, mends[figure.metric.name], base)
        for figure in health.figures
        if figure.standing in {"missed", "unclear"} and figure.metric.name in mends and _is_usual(figure.rule)
    ]


def _is_usual(rule: HealthRule | None) -> bool:
    """Whether the bound lies on the side where worse is: nobody asks how to keep less on the edge than so much."""
    return rule is not None and (rule.at_least is not None) == rule.of.higher_is_better


def _tried(figure: Figure, mend: Callable[[float], Outcome], base: Policy) -> Advice:
    try:
        then = mend(figure.bound or 0.0)
    except UsageError as error:  # no threshold does it, or the decisions do not show that one does
        return Advice(figure, None, str(error))
    moved = then.policy.confidence_threshold - base.confidence_threshold
    if (moved if figure.metric.name == "agreement" else -moved) < _SAME:  # more agreement needs a higher one
        return Advice(figure, None, "by the recorded decisions a policy with the threshold in force keeps this bound")
    return Advice(figure, then)


def _within(what_if: WhatIf, base: Policy, usd_a_day: float) -> Outcome:
    return best_policy(what_if, base, at_most_usd_a_day=usd_a_day, at_least_agreement=None)


def _with_edge_share(what_if: WhatIf, base: Policy, least: float) -> Outcome:
    """The highest threshold that leaves a share of `least` on the edge."""
    found = first_kept(what_if, base, lambda outcome: outcome.edge_share >= least)
    if found.edge_share < least:
        raise NoPolicyError(f"no threshold leaves {least:.0%} on the edge: the most is {found.edge_share:.1%}")
    return found
