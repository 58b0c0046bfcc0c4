"""Those of the highest risk are kept, and all are counted."""

import random

from streams.monitoring.at_risk import AtRisk
from tests.reports import state


def test_the_highest_are_kept_in_order_and_all_are_counted() -> None:
    risks = [at / 100 for at in range(101)]
    random.Random(1).shuffle(risks)
    found = AtRisk(0.7, 3)
    for risk in risks:
        found.add(state(f"c{risk}", risk, status="open" if risk >= 0.9 else "ended"))
    assert [each.risk for each in found.highest()] == [1.0, 0.99, 0.98]
    assert dict(found.conversations) == {"open": 11, "ended": 90}
    assert dict(found.at_risk) == {"open": 11, "ended": 20}


def test_none_may_be_wanted() -> None:
    found = AtRisk(0.7, 0)
    found.add(state("c", 0.8))
    assert found.highest() == []
    assert found.at_risk.total() == 1
