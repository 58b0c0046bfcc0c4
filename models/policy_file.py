"""A routing policy as a file, TOML or JSON: its numbers, what they were fitted on, and what they promise."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.artifact import PlainName
from models.router import Policy
from schemas.errors import UsageError

FORMAT: Final = 1
POLICY_ENDINGS: Final = (".toml", ".json")


class PolicyError(UsageError):
    """A policy's file that cannot be read, or is not for the edge model that runs."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CurvePoint(_Part):
    """What would be kept at a threshold, and how often what is kept agrees."""

    threshold: float = Field(ge=0, le=1)
    cloud_share: float = Field(ge=0, le=1)  # of the events that the router decides, with the random sample
    known: int = Field(ge=0)  # kept events of which it is known whether they agree
    agreement: float = Field(ge=0, le=1)
    at_least: float = Field(ge=0, le=1)  # with the confidence of the fit


class Fitted(_Part):
    """What the numbers were fitted on, and what they promise of the answers that the edge keeps."""

    agree_with: Literal["cloud", "people"]
    target: float = Field(gt=0, lt=1)
    confidence: float = Field(gt=0, lt=1)
    edge_model: str  # name@version: another model's confidence means something else
    cloud_models: tuple[str, ...]  # that answered; none: people did
    policy: str  # name@version of the one that took the recorded decisions; empty: a labelled file
    decisions: int = Field(ge=1)
    since: str  # of the first decision, ISO 8601; empty: a labelled file
    until: str
    made: str  # the day
    cloud_share: float = Field(ge=0, le=1)
    known: int = Field(ge=0)
    agreement: float = Field(ge=0, le=1)
    at_least: float = Field(ge=0, le=1)
    curve: tuple[CurvePoint, ...]


class PolicyFile(_Part):
    """What `edgewise route calibrate` writes; a person may write one too, without `fitted`."""

    format: Literal[1]
    name: PlainName
    confidence_threshold: float = Field(ge=0, le=1)
    complexity_threshold: float = Field(ge=0, allow_inf_nan=False)
    random_cloud_rate: float = Field(ge=0, le=1)
    fitted: Fitted | None = None

    def policy(self) -> Policy:
        """The policy. Its version is a digest of its numbers, so that the audit trail tells an edited file apart."""
        numbers = self.confidence_threshold, self.complexity_threshold, self.random_cloud_rate
        digest = blake2b(" ".join(map(repr, numbers)).encode(), digest_size=4, person=b"routing_policy").hexdigest()
        return Policy(self.name, digest, *numbers)

    def text(self, ending: str) -> str:
        """The file's text in the form that `ending`, one of `POLICY_ENDINGS`, names."""
        fields = self.model_dump(mode="json", exclude_none=True)
        if ending == ".json":
            return json.dumps(fields, indent=2, ensure_ascii=False) + "\n"
        return "".join(f"{line}\n" for line in _toml(fields))


def load_policy(path: str, edge_model: str) -> Policy:
    """The policy in the file at `path`, for events that the model `edge_model` (name@version) scores.

    Raises PolicyError: it cannot be read, is no policy, or was fitted on another model's confidence.
    """
    file = read_policy(path)
    if file.fitted is not None and file.fitted.edge_model != edge_model:
        raise PolicyError(
            f"the policy {path} was fitted on {file.fitted.edge_model}, and the edge model is {edge_model}, whose "
            "confidence means something else: make one with `edgewise route calibrate`"
        )
    return file.policy()


def read_policy(path: str) -> PolicyFile:
    """What the file at `path` holds. Raises PolicyError."""
    try:
        text = Path(path).read_text("utf-8-sig")
        fields = json.loads(text) if path.endswith(".json") else tomllib.loads(text)
        return PolicyFile.model_validate(fields)
    except OSError as error:
        raise PolicyError(f"the policy {path} can't be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise PolicyError(f"{path} is no policy: {where}: {first['msg']}") from None
    except ValueError as error:  # not UTF-8, not TOML, not JSON
        form = "JSON" if path.endswith(".json") else "TOML"
        raise PolicyError(f"{path} is no policy: it is not {form}: {error}") from None


def _toml(fields: Mapping[str, Any]) -> Iterator[str]:
    fitted = fields.get("fitted")
    yield "# A routing policy: EDGEWISE_ROUTER names this file. docs/routing.md tells what the numbers mean."
    yield from (f"{key} = {_value(value)}" for key, value in fields.items() if key != "fitted")
    if fitted is not None:
        yield from ("", "[fitted]")
        yield from (f"{key} = {_value(value)}" for key, value in fitted.items() if key != "curve")
        yield "curve = ["
        for point in fitted["curve"]:
            yield "    { " + ", ".join(f"{key} = {_value(value)}" for key, value in point.items()) + " },"
        yield "]"


def _value(value: object) -> str:
    """A text, a number or a list of texts: TOML writes them as JSON does, but for escapes of half a character."""
    return json.dumps(value, ensure_ascii=False)
