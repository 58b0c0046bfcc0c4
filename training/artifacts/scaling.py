"""Probabilities from logits and a few parameters, which are fitted by the likelihood of labels."""

from collections.abc import Callable, Sequence

import numpy as np

from schemas.records import LABELS
from training.measure.figures import Floats, Scores, surprise

# Each method's features [rows, labels, parameters]: its logits are their product with the parameters.
Method = Callable[[Floats], Floats]


def of_temperature(logits: Floats) -> Floats:
    """The features of a temperature: the one parameter is its inverse."""
    return logits[:, :, None]


def of_offsets(logits: Floats) -> Floats:
    """The features of a temperature, whose inverse is the first parameter, and an offset for each label."""
    return np.concatenate([of_temperature(logits), np.broadcast_to(np.eye(3), (len(logits), 3, 3))], axis=2)


def logits_of(probabilities: Scores, temperature: float = 1.0) -> Floats:
    """The logits behind `probabilities` `[rows, 3]` at `temperature`, but for a constant a row.

    Softmax ignores that constant.
    """
    return np.log(np.maximum(probabilities.astype(np.float64), 1e-12)) * temperature


def fit(features: Floats, labels: Sequence[int], weights: Sequence[float] | None = None) -> Floats:
    """The parameters with the least negative log-likelihood. The loss is convex, so Newton's method finds them.

    `weights` say how much each row counts; their mean is 1. All count alike by default.
    """
    counted = np.ones(len(labels)) if weights is None else np.asarray(weights)
    wanted = np.eye(len(LABELS))[np.asarray(labels)]
    size = features.shape[2]
    # Without a penalty there is not always one solution: the same can be added to all offsets, and where every answer
    # is right a larger factor is always better. A penalty this small changes no solution in its first four digits.
    ridge = 1e-6 * len(labels)
    parameters = np.zeros(size)

    def loss(at: Floats) -> float:
        return float(counted @ surprise(softmax(features @ at), labels) + ridge * at @ at / 2)

    for _ in range(50):
        given = softmax(features @ parameters)
        slope = np.einsum("rlp,rl,r->p", features, given - wanted, counted) + ridge * parameters
        centred = features - np.einsum("rlp,rl->rp", features, given)[:, None, :]
        curve = np.einsum("rlp,rl,rlq,r->pq", centred, given, centred, counted, optimize=True) + ridge * np.eye(size)
        step = np.linalg.solve(curve, slope)
        while loss(parameters - step) > loss(parameters) + 1e-9 and np.abs(step).max() > 1e-9:
            step = step / 2
        parameters = parameters - step
        if np.abs(step).max() < 1e-7:
            break
    return parameters


def softmax(logits: Floats) -> Floats:
    """Each row's softmax, in double precision."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
