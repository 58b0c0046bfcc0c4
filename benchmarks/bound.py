"""How often the bound of `edgewise route calibrate` holds: policies fitted to recordings whose truth is known.

    python -m benchmarks.bound [DRAWS]

DRAWS are 2,000 by default for each case, at a confidence of 0.95: a policy promises more than is true in 5 % of them at
most. In the first cases an answer of confidence c agrees with probability 0.6 + 0.4 c, and confidence is spread evenly:
above a threshold t, 0.8 + 0.2 t agrees. In the last all answers agree equally often, a little less than is asked for:
every policy that is made there promises too much.
"""

import sys
from typing import NamedTuple

import numpy as np

from streams.cli.table import aligned
from streams.monitoring.binomial import interval
from streams.monitoring.decisions import DEFERRED, KEPT, SAMPLED, Decider, Decisions, Floats
from streams.monitoring.policy_fit import Asked, PolicyFitError, fit_policy

CONFIDENCE = 0.95
RATE = 0.1  # of the random sample


class Case(NamedTuple):
    """Recordings of so many events at `threshold`, of which a policy is asked that agrees `target` of the time."""

    what: str
    events: int
    threshold: float
    target: float
    base: float = 0.6  # an answer of confidence c agrees with probability base + slope * c
    slope: float = 0.4


CASES = (
    Case("above the recording's threshold", 5_000, 0.0, 0.86),
    Case("below it: two strata", 5_000, 0.6, 0.86),
    Case("a small sample", 1_200, 0.0, 0.86),
    Case("much is asked, little known", 2_000, 0.3, 0.95),
    Case("nothing does: one stratum", 5_000, 0.0, 0.9, 0.8999, 0.0),
    Case("nothing does: two strata", 5_000, 0.6, 0.9, 0.8999, 0.0),
)


def main() -> None:
    """Prints for each case how often a policy was made, how often it promised too much, and the interval of that."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    rows = [("case", "asked", "policies made", "promised too much", "of all draws", "95 % interval")]
    for case in CASES:
        thresholds = [_fitted(case, seed) for seed in range(draws)]
        made = [each for each in thresholds if each is not None]
        broken = sum(_truth(case, each) < case.target for each in made)
        low, high = interval(broken, draws, 0.95)
        rows.append((
            case.what, f"{case.target:g}", f"{len(made):,}", f"{broken:,}", f"{broken / draws:.4f}",
            f"{low:.4f} to {high:.4f}",
        ))  # fmt: skip
        print(".", end="", file=sys.stderr, flush=True)
    print(f"{draws:,} draws each, confidence {CONFIDENCE:g}, a random sample of {RATE:.0%}")
    print("\n".join(aligned(*rows)))


def _fitted(case: Case, seed: int) -> float | None:
    """The threshold of the policy; None where none is made."""
    random = np.random.default_rng(seed)
    confidence = random.random(case.events)
    agrees = random.random(case.events) < case.base + case.slope * confidence
    drawn = np.where(random.random(case.events) < RATE, SAMPLED, KEPT)
    group = np.where(confidence < case.threshold, DEFERRED, drawn).astype(np.int8)
    try:
        fit = fit_policy(
            _decisions(confidence, group, np.where(group == KEPT, -1, agrees).astype(np.int8)),
            Asked(case.target, CONFIDENCE, complexity_threshold=1.0, random_cloud_rate=RATE),
        )
    except PolicyFitError:
        return None
    return fit.threshold


def _truth(case: Case, threshold: float) -> float:
    """The share that agrees of all answers of confidence `threshold` to 1."""
    return case.base + case.slope * (1 + threshold) / 2


def _decisions(confidence: Floats, group: np.ndarray, agrees: np.ndarray) -> Decisions:
    nothing = np.zeros(len(confidence), np.int64)
    return Decisions(
        confidence=confidence,
        complexity=np.zeros(len(confidence)),
        group=group,
        agrees=agrees,
        to_cloud=group != KEPT,
        cost_nanos=nothing,
        tokens=np.zeros((len(confidence), 3), np.int64),
        text_chars=nothing,
        recorded_ms=nothing,
        decider=Decider("p@1", "edge@1"),
        cloud_models=("cloud@1",),
    )


if __name__ == "__main__":
    main()
