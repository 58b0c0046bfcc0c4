"""Advice is what recorded decisions say: the threshold that is named does keep the bound, by what-if's own outcome."""

import numpy as np
import pytest

from models.router import Policy
from streams.monitoring.advice import Advice, advise
from streams.monitoring.decisions import Decisions
from streams.monitoring.health import Health, assess
from streams.monitoring.health_rules import HealthRule, bounds, load_health_rules
from streams.monitoring.what_if import WhatIf, recorded_a_day
from streams.monitoring.window import Window
from tests.decisions import cloud_answer, simulated
from tests.events import routing_event

BASE = Policy("default", "1", 0.3, 1.0, 0.05)


def tried(decisions: Decisions) -> WhatIf:
    prices = np.full(len(decisions), 0.02)
    return WhatIf(decisions, edge_usd=0.001, call_usd=prices, events_a_day=recorded_a_day(decisions))


@pytest.fixture(scope="module")
def what_if() -> WhatIf:
    """Of confidence c a share of 0.6 + 0.4 c agrees: kept answers agree in 0.86 at the threshold in force, 0.3."""
    return tried(simulated(20_000, threshold=0.3, rate=0.2, seed=1)[0])


def health(*, edge: int = 0, disagreed: int = 0, cost_usd: float = 0.0, budget_used: float = 0.0) -> Health:
    window = Window(0, 60_000, 0)
    window.add([routing_event(cost_usd=cost_usd, budget_used=budget_used)] * edge)
    window.add([cloud_answer(cloud_label="positive", cost_usd=0.0, budget_used=budget_used)] * disagreed)
    return assess(window, [window], bounds(load_health_rules()))


def only(found: list[Advice], name: str) -> Advice:
    return next(each for each in found if each.figure.metric.name == name)


def test_a_line_that_is_well_is_left_alone(what_if: WhatIf) -> None:
    assert advise(health(edge=10), what_if, BASE, 100.0) == []


def test_an_edge_that_keeps_too_little_gets_the_highest_threshold_that_keeps_enough(what_if: WhatIf) -> None:
    then = only(advise(health(disagreed=50), what_if, BASE, None), "edge_share").then
    assert then is not None
    assert 0.80 <= then.edge_share < 0.81
    assert then.policy.confidence_threshold < BASE.confidence_threshold


def test_too_little_agreement_gets_a_threshold_that_is_shown_to_agree(what_if: WhatIf) -> None:
    low = Policy("default", "1", 0.05, 1.0, 0.05)
    assert what_if.outcome(low).interval[0] < 0.85
    then = only(advise(health(edge=400, disagreed=100), what_if, low, None), "agreement").then
    assert then is not None
    assert then.kept.at_least(0.95) >= 0.85
    assert then.policy.confidence_threshold > low.confidence_threshold


def test_what_is_too_dear_gets_the_highest_threshold_for_the_money(what_if: WhatIf) -> None:
    most = 0.01 * what_if.events_a_day
    assert what_if.outcome(BASE.changed(confidence_threshold=0.9)).usd_a_day > most
    dear = BASE.changed(confidence_threshold=0.9)
    then = only(advise(health(edge=10, cost_usd=0.05), what_if, dear, None), "cost_per_event_usd").then
    assert then is not None
    assert 0.97 * most < then.usd_a_day <= most


def test_a_spent_budget_counts_without_the_edges_cost(what_if: WhatIf) -> None:
    events = what_if.events_a_day
    budget = 0.002 * events
    found = advise(health(edge=10, budget_used=1.0), what_if, BASE, budget)
    then = only(found, "budget_used").then
    assert then is not None
    assert then.usd_a_day - 0.001 * events <= 0.9 * budget
    assert advise(health(edge=10, budget_used=1.0), what_if, BASE, None) == []


def test_a_bound_from_above_on_what_should_be_high_has_no_advice(what_if: WhatIf) -> None:
    """Seen to fail with a threshold that raises the edge's share further."""
    most = HealthRule.model_validate(
        {"name": "edge", "metric": "edge_share", "at_most": 0.5, "window": "1h", "severity": "info"}
    )
    window = Window(0, 60_000, 0)
    window.add([routing_event()] * 10)
    found = assess(window, [window], {"edge_share": most})
    assert [each.standing for each in found.figures if each.metric.name == "edge_share"] == ["missed"]
    assert advise(found, what_if, BASE.changed(confidence_threshold=0.9), None) == []


def test_what_no_threshold_does_is_said(what_if: WhatIf) -> None:
    complex_ones = Policy("default", "1", 0.3, 0.1, 0.05)  # all are deferred as too complex
    none = only(advise(health(disagreed=50), what_if, complex_ones, None), "edge_share")
    assert none.then is None
    assert "no threshold leaves 80% on the edge" in none.why


def test_a_threshold_that_is_in_force_already_is_no_advice(what_if: WhatIf) -> None:
    then = only(advise(health(disagreed=50), what_if, BASE, None), "edge_share").then
    assert then is not None
    lower = BASE.changed(confidence_threshold=0.0)
    for in_force in (then.policy, lower):  # a higher one would keep the bound too, and do harm
        again = only(advise(health(disagreed=50), what_if, in_force, None), "edge_share")
        assert again.then is None
        assert "the threshold in force keeps this bound" in again.why
    high = BASE.changed(confidence_threshold=0.9)
    assert only(advise(health(edge=400, disagreed=100), what_if, high, None), "agreement").then is None
