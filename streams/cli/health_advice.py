"""The recommendations of `edgewise health`, from recorded decisions."""

from models.artifact import load_artifact
from streams.config.routing import build_router
from streams.config.settings import Settings
from streams.monitoring.advice import Advice, advise
from streams.monitoring.call_costs import Prices, call_costs, edge_cost
from streams.monitoring.decisions import Decisions
from streams.monitoring.health import Health
from streams.monitoring.what_if import DAYS_A_MONTH, Outcome, WhatIf, recorded_a_day


def recommendations(settings: Settings, health: Health, decisions: Decisions) -> tuple[list[Advice], Outcome | None]:
    """What `advise` says by `decisions`, and what the policy in force makes of them.

    Where all decisions have the same time nothing is known of a rate, and so of dollars a day: then there is no advice.
    Raises what `load_artifact` and `build_router` raise.
    """
    if not decisions.span_ms:
        return [], None
    base = build_router(settings, load_artifact(settings.edge_model))
    what_if = WhatIf(
        decisions,
        edge_usd=edge_cost(decisions, None, settings.edge_price_usd),
        call_usd=call_costs(decisions, Prices(), settings.cloud_price_usd),
        events_a_day=recorded_a_day(decisions),
    )
    return advise(health, what_if, base, _budget_a_day(settings)), what_if.outcome(base)


def _budget_a_day(settings: Settings) -> float | None:
    """The tightest of the budgets, in dollars a day."""
    hour, day, month = settings.budget_usd_per_hour, settings.budget_usd_per_day, settings.budget_usd_per_month
    budgets = (hour, 24), (day, 1), (month, 1 / DAYS_A_MONTH)
    return min((usd * times for usd, times in budgets if usd is not None), default=None)
