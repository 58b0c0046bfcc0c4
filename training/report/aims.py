"""What was aimed at beside what was measured: a table of aims is data, and a report may have none."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.errors import UsageError

SHIPPED = Path(__file__).parent / "aims.toml"
"""The aims of the shipped models."""


MOST_DIGITS = 9
"""So many digits tell apart any two figures that differ by more than a rounding error."""


class AimsError(UsageError):
    """The table of aims is missing, is not TOML, or says something other than aims."""


class Aim(BaseModel):
    """One figure to reach: at least or at most so much of the value at `path` in the report."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: str
    path: tuple[str, ...] = Field(min_length=1)
    at_least: float | None = None
    at_most: float | None = None
    unit: str = ""
    scale: float = 1.0
    """What the report's value is multiplied by, so that it is in `unit`."""
    digits: int = Field(default=3, ge=0, le=6)

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give either at_least or at_most")
        return self


def read(path: Path) -> list[Aim]:
    """The aims in a TOML file of `[[aim]]` tables. Raises AimsError: it is missing or not that."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
        return [Aim.model_validate(each) for each in content["aim"]]
    except OSError as error:
        raise AimsError(f"cannot read the aims {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AimsError(f"{path} is not TOML: {error}") from error
    except KeyError as error:
        raise AimsError(f"{path} has no [[aim]]") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise AimsError(f"{path}: an aim is wrong: {where}: {first['msg']}") from error


def judge(aim: Aim, report: Mapping[str, Any]) -> dict[str, Any]:
    """The aim with `measured`, its `interval` and `reached`, each None where the report has no such value.

    Only the measured value is held against the aim. `within` says that an aim which was missed lies in the interval,
    so that the measurement does not tell the two apart.
    """
    value, interval = _look_up(aim.path, report)
    bound = aim.at_least if aim.at_least is not None else aim.at_most
    judged: dict[str, Any] = {
        "what": aim.what,
        "kind": "at least" if aim.at_least is not None else "at most",
        "aim": bound,
        "unit": aim.unit,
        "digits": aim.digits,
        "measured": None,
        "interval": None,
        "reached": None,
        "within": None,
    }
    if value is None or bound is None:
        return judged
    measured = value * aim.scale
    ends = [None if end is None else end * aim.scale for end in interval] if interval else None
    reached = measured >= bound if aim.at_least is not None else measured <= bound
    if not reached:
        while judged["digits"] < MOST_DIGITS and f"{measured:.{judged['digits']}f}" == f"{bound:.{judged['digits']}f}":
            judged["digits"] += 1  # an aim missed by little must not look reached on the page
    judged |= {"measured": measured, "interval": ends, "reached": reached}
    if ends:
        low, high = ends
        judged["within"] = not reached and (low is None or low <= bound) and (high is None or bound <= high)
    return judged


def beside(judged: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A judged aim with `runs`, the values that several trainings have, null where one has none."""
    return {**judged, "runs": [each["measured"] for each in runs]}


def _look_up(path: Sequence[str], report: Mapping[str, Any]) -> tuple[float | None, Sequence[float | None] | None]:
    parent: Any = report
    for key in path[:-1]:
        parent = parent.get(key) if isinstance(parent, Mapping) else None
    if not isinstance(parent, Mapping):
        return None, None
    value = parent.get(path[-1])
    if isinstance(value, Mapping):  # a timing: the median of several, and their spread
        return value.get("value"), value.get("spread")
    if isinstance(value, list):  # over seeds
        return mean(value), [min(value), max(value)]
    return value, parent.get(f"{path[-1]}_interval", parent.get("interval"))
