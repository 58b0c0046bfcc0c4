"""How sure an answer may be that a model gave to a text which it cannot read."""

from collections.abc import Sequence
from typing import Final

from schemas.records import LABELS

MOST_SURE: Final = 0.5
"""Below the thresholds of the shipped edge models: who goes by confidence takes it for a guess."""


def doubted(probabilities: Sequence[float]) -> list[float]:
    """`probabilities`, nearer to all being alike, so that none is above `MOST_SURE`; their order stays.

    What is not above it is returned as it is.
    """
    alike = 1 / len(LABELS)
    most = max(probabilities)
    if most <= MOST_SURE:
        return list(probabilities)
    share = (MOST_SURE - alike) / (most - alike)
    return [alike + share * (each - alike) for each in probabilities]
