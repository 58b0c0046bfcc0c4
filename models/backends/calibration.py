"""A temperature for a backend's probabilities, fitted on labelled texts and kept with its model's name."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import UsageError

FORMAT: Final = 1
COLDEST, HOTTEST = 0.05, 20.0
LEAST_TEXTS = 30
"""Fewer labelled texts say next to nothing about a temperature."""

# A probability of 0 for what a person says is right would cost infinitely much; no backend is that sure with reason.
_LEAST = 1e-4


class CalibrationError(UsageError):
    """A calibration that cannot be read, or made of what there is."""


class Calibration(BaseModel):
    """What `edgewise cloud calibrate` writes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = Field(FORMAT, ge=FORMAT, le=FORMAT)
    model: str
    fingerprint: str | None
    temperature: float = Field(ge=COLDEST, le=HOTTEST)
    texts: int
    accuracy: float
    loss_before: float  # mean negative log-likelihood, in nats
    loss_after: float
    made: str

    @property
    def made_for(self) -> tuple[str, str | None]:
        """The model's name and fingerprint."""
        return self.model, self.fingerprint

    @property
    def is_at_its_limit(self) -> bool:
        """Whether a higher temperature, which makes all labels equally likely, would have been better still."""
        return self.temperature > 0.99 * HOTTEST


def load_calibration(path: str) -> Calibration:
    """The calibration in the file at `path`. Raises CalibrationError."""
    try:
        return Calibration.model_validate_json(Path(path).read_bytes())
    except OSError as error:
        raise CalibrationError(f"the calibration {path} can't be read: {error.strerror}") from None
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "it is no JSON"
        raise CalibrationError(
            f"{path} is no calibration ({where}): make one with `edgewise cloud calibrate`"
        ) from None


def fit(
    probabilities: Sequence[Sequence[float]], labels: Sequence[int], *, model: str, fingerprint: str | None
) -> Calibration:
    """The temperature with the least mean negative log-likelihood, as in `probabilities.tempered`.

    `probabilities` are (n, 3), `labels` the indices of the right ones. The loss has one minimum in the temperature's
    inverse, for it is convex there; golden-section search finds it between `COLDEST` and `HOTTEST`.

    Raises CalibrationError: fewer than `LEAST_TEXTS`.
    """
    if len(labels) < LEAST_TEXTS:
        raise CalibrationError(
            f"there are {len(labels)} labelled texts with an answer; at least {LEAST_TEXTS} are needed"
        )
    logs = np.log(np.clip(np.asarray(probabilities, np.float64), _LEAST, 1))
    right = np.asarray(labels)
    temperature = _least(logs, right)
    return Calibration(
        format=FORMAT,
        model=model,
        fingerprint=fingerprint,
        temperature=round(temperature, 4),
        texts=len(labels),
        accuracy=round(float((logs.argmax(axis=1) == right).mean()), 4),
        loss_before=round(_loss(logs, right, 1.0), 4),
        loss_after=round(_loss(logs, right, temperature), 4),
        made=datetime.now(UTC).date().isoformat(),
    )


def _least(logs: NDArray[np.float64], right: NDArray[np.int_]) -> float:
    ratio = (math.sqrt(5) - 1) / 2
    low, high = 1 / HOTTEST, 1 / COLDEST
    while high - low > 1e-6:
        left, middle = high - ratio * (high - low), low + ratio * (high - low)
        if _loss(logs, right, 1 / left) <= _loss(logs, right, 1 / middle):
            high = middle
        else:
            low = left
    return float(np.clip(2 / (low + high), COLDEST, HOTTEST))


def _loss(logs: NDArray[np.float64], right: NDArray[np.int_], temperature: float) -> float:
    scaled = logs / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    return float((np.log(np.exp(scaled).sum(axis=1)) - scaled[np.arange(len(right)), right]).mean())
