"""The risk that a conversation escalates, 0 to 1, from the sentiment of its turns so far: a logistic regression."""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.artifact import ArtifactError, PlainName, Version, artifact_folder
from schemas.records import Role

MODEL_FILE: Final = "risk.json"

Finite = Annotated[float, Field(allow_inf_nan=False)]


class ScoredTurn(NamedTuple):
    """Whose a turn is, and its score in thousandths: the probability of positive less that of negative."""

    role: Role
    score: int


def displeasure(customers: Sequence[int], _agents: Sequence[int]) -> float:
    """How much displeasure the customer has shown in all: the sum of the negative scores, as a positive number."""
    return sum(-score for score in customers if score < 0) / 1000


def worst_turn(customers: Sequence[int], _agents: Sequence[int]) -> float:
    """How bad the customer's worst turn was, -1 to 1; 1 is the worst."""
    return -min(customers, default=0) / 1000


def agent_regret(_customers: Sequence[int], agents: Sequence[int]) -> float:
    """How negative the agent's turns are on average, -1 to 1: an agent regrets and refuses where things go wrong."""
    return -sum(agents) / len(agents) / 1000 if agents else 0.0


FEATURES: Final[Mapping[str, Callable[[Sequence[int], Sequence[int]], float]]] = MappingProxyType(
    {feature.__name__: feature for feature in (displeasure, worst_turn, agent_regret)}
)
"""What the risk is made of, by name. Each grows with the trouble, and is 0 where nothing was said."""


class Weight(BaseModel):
    """What a feature counts: `coefficient` a standard deviation (`scale`) above its `mean` over the training calls."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: Finite
    scale: float = Field(gt=0, allow_inf_nan=False)
    coefficient: Finite


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal[1]
    name: PlainName
    version: Version
    intercept: Finite
    features: dict[str, Weight] = Field(min_length=1)


class Risk(NamedTuple):
    """A risk from 0 to 1, and the features that raise it above the usual, the strongest first."""

    value: float
    reasons: tuple[str, ...]


# A reason raises the odds by a tenth at least: below that it explains nothing.
_REASON_LOG_ODDS = math.log(1.1)


class EscalationModel:
    """Turns to risk; `load_escalation_model` makes it. It depends on the order of the turns in nothing."""

    def __init__(self, model_id: str, intercept: float, weights: Mapping[str, Weight]) -> None:
        self.id = model_id  # name@version
        self._intercept = intercept
        self._weights = dict(weights)

    def assess(self, turns: Sequence[ScoredTurn]) -> Risk:
        """The risk after `turns`: 1 / (1 + exp(-(intercept + sum of coefficient * (feature - mean) / scale)))."""
        values = features(turns)
        parts = {
            name: weight.coefficient * (values[name] - weight.mean) / weight.scale
            for name, weight in self._weights.items()
        }
        log_odds = self._intercept + sum(parts.values())
        strongest = sorted(parts, key=lambda name: (-parts[name], name))
        return Risk(_logistic(log_odds), tuple(name for name in strongest if parts[name] >= _REASON_LOG_ODDS))


def features(turns: Sequence[ScoredTurn]) -> dict[str, float]:
    """The value of each of `FEATURES`. Turns of unknown role are the customer's, those of bots and systems nobody's."""
    customers = [turn.score for turn in turns if turn.role in ("customer", "unknown")]
    agents = [turn.score for turn in turns if turn.role == "agent"]
    return {name: feature(customers, agents) for name, feature in FEATURES.items()}


def load_escalation_model(name_or_folder: str) -> EscalationModel:
    """The model of that name in models/artifacts, or in that folder.

    Raises `ArtifactError`: there is none, or it is not one that this version can read.
    """
    folder = artifact_folder(name_or_folder)
    path = folder / MODEL_FILE
    try:
        read = _File.model_validate_json(path.read_bytes(), strict=True)
    except OSError as error:
        raise ArtifactError(
            f"there is no escalation model {name_or_folder!r}: cannot read {path}: {error.strerror}; give "
            f"`escalation`, or a folder with a {MODEL_FILE}, as `edgewise train escalation` writes it"
        ) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ArtifactError(f"{path}: {where}: {first['msg']}") from None
    if unknown := sorted(read.features.keys() - FEATURES.keys()):
        raise ArtifactError(f"{path}: features.{unknown[0]}: there is no such feature; there are {', '.join(FEATURES)}")
    return EscalationModel(f"{read.name}@{read.version}", read.intercept, read.features)


def _logistic(log_odds: float) -> float:
    if log_odds >= 0:
        return 1 / (1 + math.exp(-min(log_odds, 700.0)))
    return math.exp(max(log_odds, -700.0)) / (1 + math.exp(max(log_odds, -700.0)))
