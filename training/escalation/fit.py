"""The risk model's weights: a logistic regression on calls cut off after a share of their turns."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.escalation import FEATURES, EscalationModel, Weight, features
from training.escalation.calls import Call

Floats = NDArray[np.float64]

SHARES = (0.25, 0.5, 0.75, 1.0)
"""A call is learned from after each of these shares of its turns, so that the risk is of use before the end."""

PENALTY = 1.0
"""Of the squared weights, over the sum of the log-losses: scikit-learn's `C=1`."""

FOLDS = 10
REPEATS = 5
SEED = 1
_STEPS = 50


class Fitted(NamedTuple):
    """An intercept and the weights of the features that count."""

    intercept: float
    weights: dict[str, Weight]

    def model(self, model_id: str) -> EscalationModel:
        """The model that a worker would run."""
        return EscalationModel(model_id, self.intercept, self.weights)


def fit(calls: Sequence[Call]) -> Fitted:
    """The weights that tell negative calls from others. A feature that would lower the risk as it grows is left out.

    A reason that is shown to people must be one: two features that say much the same could else get weights of
    opposite signs.
    """
    cut = [call.until(share) for call in calls for share in SHARES]
    found = [features(call.turns) for call in cut]
    names = list(FEATURES)
    wanted = np.array([call.label == "negative" for call in cut], np.float64)
    while True:
        values = np.array([[each[name] for name in names] for each in found], np.float64)
        mean, scale = values.mean(axis=0), values.std(axis=0)
        scale[scale == 0] = 1.0
        intercept, coefficients = logistic_regression((values - mean) / scale, wanted)
        if len(names) == 1 or coefficients.min() >= 0:
            break
        del names[int(coefficients.argmin())]
    return Fitted(
        round(intercept, 4),
        {
            name: Weight(mean=round(float(m), 4), scale=round(float(s), 4), coefficient=round(float(c), 4))
            for name, m, s, c in zip(names, mean, scale, coefficients, strict=True)
        },
    )


def logistic_regression(values: Floats, wanted: Floats, penalty: float = PENALTY) -> tuple[float, Floats]:
    """Intercept and coefficients `[features]` for `values` `[rows, features]` and `wanted`, 0 or 1 a row.

    The least of the log-losses' sum plus half of `penalty` times the squared coefficients (not the intercept), by
    Newton's method: Hastie, Tibshirani and Friedman 2009, 4.4.1 (iteratively reweighted least squares).
    """
    design = np.column_stack([np.ones(len(values)), values])
    ridge = np.diag([0.0, *[penalty] * values.shape[1]])
    found = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        risks = 1 / (1 + np.exp(-(design @ found)))
        gradient = design.T @ (risks - wanted) + ridge @ found
        hessian = (design * (risks * (1 - risks))[:, None]).T @ design + ridge
        step = np.linalg.solve(hessian, gradient)
        found -= step
        if np.abs(step).max() < 1e-10:
            break
    return float(found[0]), found[1:]


def out_of_fold(calls: Sequence[Call]) -> dict[float, Floats]:
    """The risk of each call after each of `SHARES`, by models that have not seen it; the mean of `REPEATS` of them."""
    negative = np.array([call.label == "negative" for call in calls])
    risks = {share: np.zeros(len(calls)) for share in SHARES}
    for repeat in range(REPEATS):
        for fold in _folds(negative, np.random.default_rng(SEED + repeat)):
            kept = np.setdiff1d(np.arange(len(calls)), fold)
            model = fit([calls[index] for index in kept]).model("fold")
            for share in SHARES:
                risks[share][fold] += [model.assess(calls[index].until(share).turns).value for index in fold]
    return {share: values / REPEATS for share, values in risks.items()}


def _folds(negative: NDArray[np.bool_], rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """The rows in `FOLDS` parts, each with its share of the negative ones."""
    parts: list[list[int]] = [[] for _ in range(FOLDS)]
    for group in (np.flatnonzero(negative), np.flatnonzero(~negative)):
        for place, index in enumerate(rng.permutation(group).tolist()):
            parts[place % FOLDS].append(index)
    return [np.array(sorted(part)) for part in parts]
