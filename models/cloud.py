"""What the cloud agent asks for the answers that the edge defers."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.errors import EdgewiseError


class CloudError(EdgewiseError):
    """The cloud did not answer: the caller falls back on the edge's answer. Its message has no customer text."""


# Probabilities add up to 1 within it: float32 is off by 1e-6, a service that rounds to four digits by 1.5e-4.
SUM_TOLERANCE = 1e-3


class CloudBackend(Protocol):
    """A larger model, wherever it runs."""

    @property
    def id(self) -> str:
        """`name@version` of the model, as results carry it."""
        ...

    async def score(self, texts: Sequence[str], timeout_s: float) -> NDArray[np.float32]:
        """Calibrated probabilities (n, 3) of negative, neutral, positive, in the order of `texts`.

        Raises CloudError: there is no answer, at once when that is known, after `timeout_s` seconds at the latest.
        """
        ...

    async def close(self) -> None:
        """Frees what the backend holds; a later `score` raises CloudError."""
        ...


def require_probabilities(answer: NDArray[np.float32]) -> None:
    """Raises CloudError unless every row of `answer` (n, 3) is a distribution: nothing else may reach a result."""
    if not (np.isfinite(answer).all() and (answer >= 0).all()):
        raise CloudError("the answer holds what is no probability")
    if (np.abs(answer.sum(axis=1) - 1) > SUM_TOLERANCE).any():
        raise CloudError("the answer's probabilities do not add up to 1")
