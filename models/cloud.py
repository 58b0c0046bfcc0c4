"""What the cloud agent asks for the answers that the edge defers."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from models.spending import Spending
from schemas.errors import EdgewiseError
from schemas.records import Reason, Role


class CloudError(EdgewiseError):
    """The cloud did not answer. The message has no customer text."""


class Question(NamedTuple):
    """A text to be scored, its language (BCP 47) where it is known, and who speaks."""

    text: str
    language: str | None = None
    role: Role = "unknown"


class Answer(NamedTuple):
    """What a backend made of a question."""

    probabilities: tuple[float, float, float]  # negative, neutral, positive: calibrated, they add up to 1
    model: str  # name@version
    spent: Spending = Spending()


class Failure(NamedTuple):
    """Why a backend has no answer; the event keeps the edge's. `detail` is for the log and has no customer text."""

    reason: Reason
    detail: str
    spent: Spending = Spending()  # on tries that gave no answer


class CloudBackend(Protocol):
    """A larger model, wherever it runs."""

    @property
    def batch(self) -> int:
        """The most questions that the backend wants at once. It cuts them into calls itself."""

    def most_nanodollars(self, texts: int, size_bytes: int, deadline_s: float) -> int:
        """The most that one try of each of `texts` questions can cost, whose texts take `size_bytes` in UTF-8."""

    async def answer(self, questions: Sequence[Question], deadline_s: float) -> Sequence[Answer | Failure]:
        """An answer or a failure for each of `questions`, in their order.

        Each call of the backend may take `deadline_s` seconds. When one fails, the rest of the questions fail without
        being asked, so that what is behind them does not wait for one deadline after another.
        """

    async def close(self) -> None:
        """Frees what the backend holds; later questions fail."""


# Probabilities add up to 1 within it: float32 is off by 1e-6, a service that rounds to four digits by 1.5e-4.
SUM_TOLERANCE = 1e-3


def require_probabilities(answer: NDArray[np.float32]) -> None:
    """Raises CloudError unless every row of `answer` (n, 3) is a distribution: nothing else may reach a result."""
    if not (np.isfinite(answer).all() and (answer >= 0).all()):
        raise CloudError("the answer holds what is no probability")
    if (np.abs(answer.sum(axis=1) - 1) > SUM_TOLERANCE).any():
        raise CloudError("the answer's probabilities do not add up to 1")
