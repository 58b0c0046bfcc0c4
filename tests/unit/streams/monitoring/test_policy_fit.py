"""A fitted threshold: it keeps most where that is shown, is refused where too little is known, and its bound holds."""

from dataclasses import replace

import numpy as np
import pytest

from streams.monitoring.decisions import KEPT, SAMPLED, UNANSWERED, labelled
from streams.monitoring.policy_fit import Asked, PolicyFitError, fit_policy, policy_curve
from tests.decisions import simulated


def test_more_is_asked_for_less_is_kept() -> None:
    decisions, _ = simulated(60_000, threshold=0.4, rate=0.05, seed=1)
    fits = [fit_policy(decisions, Asked(target, 0.95, 0.75, 0.02)) for target in (0.78, 0.84, 0.88)]
    # Of confidence c a share of 0.6 + 0.4 c agrees: above t on average 0.8 + 0.2 t.
    assert [fit.threshold for fit in fits] == sorted(fit.threshold for fit in fits)
    assert fits[0].threshold < 0.01
    assert 0.2 < fits[1].threshold < 0.4  # below the recording's: what it deferred is known, and weighted
    assert 0.4 < fits[2].threshold < 0.6
    assert all(fit.at_least >= target for fit, target in zip(fits, (0.78, 0.84, 0.88), strict=True))
    curve = policy_curve(decisions, Asked(0.88, 0.95, 0.75, 0.02))
    assert fits[2] in curve
    passed = [each.threshold for each in curve if each.at_least >= 0.88]
    assert [each.threshold for each in curve[: len(passed)]] == passed
    assert passed[-1] == fits[2].threshold
    assert fits[2].cloud_share == pytest.approx(1 - 0.98 * (1 - fits[2].threshold), abs=0.01)


def test_people_may_have_labelled_all() -> None:
    random = np.random.default_rng(5)
    confidence = random.random(4_000)
    agrees = random.random(4_000) < 0.6 + 0.4 * confidence
    found = fit_policy(
        labelled(confidence, np.zeros(4_000), agrees, "edge@1"),
        Asked(0.9, 0.95, 0.75, 0.0)
    )  # fmt: skip
    assert 0.5 < found.threshold < 0.65
    assert found.kept.known == (confidence >= found.threshold).sum()


def test_a_sample_that_is_too_small_is_refused_and_says_how_much_is_needed() -> None:
    decisions, _ = simulated(3_000, threshold=0.0, rate=0.02, seed=2)
    with pytest.raises(PolicyFitError, match=r"of 3,000 decisions .*: 99 at least are needed .* record some 1,641 dec"):
        fit_policy(decisions, Asked(0.97, 0.95, 0.75, 0.02))


def test_without_a_random_sample_it_is_refused() -> None:
    decisions, _ = simulated(3_000, threshold=0.0, rate=0.0, seed=2)
    assert (decisions.group == KEPT).all()
    with pytest.raises(PolicyFitError, match="there is no random sample"):
        fit_policy(decisions, Asked(0.9, 0.95, 0.75, 0.02))


def test_a_sample_that_the_cloud_did_not_answer_is_told_from_none() -> None:
    decisions, _ = simulated(3_000, threshold=0.0, rate=0.02, seed=2)
    asked = (decisions.group == SAMPLED).sum()
    unanswered = np.where(decisions.group == SAMPLED, UNANSWERED, decisions.group).astype(np.int8)
    silent = replace(decisions, group=unanswered, agrees=np.full(3_000, -1, np.int8))
    with pytest.raises(PolicyFitError, match=f"the cloud was asked about {asked} of them and did not answer$"):
        fit_policy(silent, Asked(0.9, 0.95, 0.75, 0.02))


def test_what_is_not_so_is_not_shown() -> None:
    decisions, _ = simulated(30_000, threshold=0.0, rate=0.05, seed=3)
    everyone_disagrees = replace(decisions, agrees=np.where(decisions.agrees >= 0, 0, -1).astype(np.int8))
    with pytest.raises(PolicyFitError, match=r"it is not shown .* ask for less$"):
        fit_policy(everyone_disagrees, Asked(0.9, 0.95, 0.75, 0.02))
    with pytest.raises(PolicyFitError, match=r"record until some [\d,]+ of them are known"):
        fit_policy(decisions, Asked(0.87, 0.999999, 0.75, 0.02))


@pytest.mark.parametrize("threshold", [0.0, 0.6])
def test_the_bound_is_broken_no_more_often_than_it_says(threshold: float) -> None:
    """At confidence 0.8 of 60 draws: 12 are expected at most, and more than 21 with a probability of 0.002."""
    broken = 0
    for seed in range(60):
        decisions, _ = simulated(2_000, threshold=threshold, rate=0.2, seed=seed)
        try:
            fit = fit_policy(decisions, Asked(0.86, 0.8, 0.75, 0.02))
        except PolicyFitError:
            continue
        broken += 0.8 + 0.2 * fit.threshold < 0.86
    assert broken <= 21
