"""Make a confidence mean what it says, and set the confidence below which the edge asks the cloud."""

from collections.abc import Sequence

import numpy as np

from models.router import complexity, policy
from training.evaluate import Scores

COVERAGE = 0.90
"""The share of airline dev that the router's default policy shall keep on the edge."""


def fit_temperature(probabilities: Scores, labels: Sequence[int]) -> float:
    """Return the temperature with the least negative log-likelihood, to two decimals (Guo et al. 2017, section 4.2).

    ``probabilities`` ``[rows, 3]`` are those at temperature 1: their logarithms are the logits but for a constant a
    row, which softmax ignores.
    """
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-12))
    wanted = np.asarray(labels)

    def loss(temperature: float) -> float:
        scaled = logits / temperature
        scaled -= scaled.max(axis=1, keepdims=True)
        return float((np.log(np.exp(scaled).sum(axis=1)) - scaled[np.arange(len(wanted)), wanted]).mean())

    return min((step / 100 for step in range(20, 1001)), key=loss)


def choose_threshold(texts: Sequence[str], confidences: Sequence[float]) -> float:
    """Return the highest threshold, to three decimals, at which the default policy keeps :data:`COVERAGE` on the edge.

    ``confidences`` are the edge's, calibrated. An event stays when it is not too complex, its confidence reaches the
    threshold, and the random sample does not draw it; the last counts by its rate, for the draw hangs on ids that a
    recording does not have yet. When complexity alone sends too many away the result is 0.
    """
    default = policy("default", calibrated_threshold=0.0)
    eligible = np.asarray(
        [
            confidence if complexity(text, confidence).total <= default.complexity_threshold else -1.0
            for text, confidence in zip(texts, confidences, strict=True)
        ]
    )
    for step in range(999, 0, -1):
        if float((eligible >= step / 1000).mean()) * (1 - default.random_cloud_rate) >= COVERAGE:
            return step / 1000
    return 0.0
