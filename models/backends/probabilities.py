"""From what a service sends to a distribution over the labels, or the reason why it is none."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from models.cloud import SUM_TOLERANCE
from schemas.records import LABELS

Probabilities = tuple[float, float, float]  # negative, neutral, positive

LEAST_MASS = 0.5
"""The least probability of all codes together: below it the model was about to say something else."""

# A language model that writes its probabilities rounds them, or adds up badly; more than this, and they mean nothing.
WRITTEN_TOLERANCE = 0.05


class NoDistributionError(ValueError):
    """What came back is no distribution over the labels. The message has nothing of it."""


class LittleMassError(NoDistributionError):
    """The model was about to say something else than a code; to another text it may say one."""


def exact(values: Any) -> Probabilities:
    """Three numbers that are probabilities and add up to 1 within `SUM_TOLERANCE`. Raises NoDistributionError."""
    return _distribution(values, SUM_TOLERANCE)


def written(values: Any) -> Probabilities:
    """The distribution that a language model wrote as `{"negative": …, …}`. Raises NoDistributionError."""
    if not isinstance(values, Mapping):
        raise NoDistributionError("the answer is no JSON object with three probabilities")
    return _distribution([values.get(label) for label in LABELS], WRITTEN_TOLERANCE)


def of_codes(top: Any, codes: Sequence[str]) -> Probabilities:
    """The distribution over `codes` by the first token's `top_logprobs` (natural logarithms).

    A code's probability is the sum over its spellings (`A`, ` A`, `a`, `A.`). A code that is not among the tokens has
    at most the probability of the least of them, and at most what all of them leave: the smaller is taken, rather
    than 0. Raises NoDistributionError: no list of log-probabilities; LittleMassError: the codes have less than
    `LEAST_MASS` together.
    """
    if not isinstance(top, list) or not top:
        raise NoDistributionError("the answer has no log-probabilities")
    found = dict.fromkeys(codes, 0.0)
    everything, least = 0.0, 1.0
    for entry in top:
        token = entry.get("token") if isinstance(entry, Mapping) else None
        logprob = _number(entry.get("logprob")) if isinstance(entry, Mapping) else None
        if not isinstance(token, str) or logprob is None or logprob > SUM_TOLERANCE:
            raise NoDistributionError("the answer's log-probabilities are none")
        probability = math.exp(min(0.0, logprob))  # -9999 stands for "very unlikely"
        everything += probability
        least = min(least, probability)
        if (code := token.strip(" \t\r\n.,:;()[]\"'▁Ġ").upper()) in found:
            found[code] += probability
    mass = sum(found.values())
    if mass < LEAST_MASS:
        raise LittleMassError(f"the codes have a probability below {LEAST_MASS:g} together")
    floor = min(least, max(0.0, 1 - everything))
    values = [found[code] or floor for code in codes]
    return exact([value / sum(values) for value in values])


def tempered(p: Probabilities, temperature: float) -> Probabilities:
    """`p` to the power 1 / `temperature`, normalised: the softmax of its logarithms / `temperature`.

    Guo et al., "On Calibration of Modern Neural Networks", 2017. Above 1 it takes confidence away.
    """
    logs = [math.log(value) / temperature if value > 0 else -math.inf for value in p]
    top = max(logs)
    powers = [math.exp(value - top) for value in logs]
    total = sum(powers)
    return powers[0] / total, powers[1] / total, powers[2] / total


def _distribution(values: Any, tolerance: float) -> Probabilities:
    if not isinstance(values, list) or len(values) != len(LABELS):
        raise NoDistributionError("the answer has not three probabilities")
    numbers = [number for value in values if (number := _number(value)) is not None and number >= 0]
    if len(numbers) != len(LABELS):
        raise NoDistributionError("the answer holds what is no probability")
    total = sum(numbers)
    if abs(total - 1) > tolerance:
        raise NoDistributionError("the answer's probabilities do not add up to 1")
    return numbers[0] / total, numbers[1] / total, numbers[2] / total


def _number(value: Any) -> float | None:
    if type(value) not in (int, float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
