"""When something is wrong: rules of metrics with their bounds, from `health_rules.toml` and a file of one's own."""

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from schemas.errors import UsageError
from schemas.records import Severity
from streams.monitoring.health_metrics import METRICS, Metric

SHIPPED: Final = Path(__file__).parent / "health_rules.toml"

ESCALATION: Final = "escalation"
"""The rule of the conversation agent's alerts, whose bound is a setting."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_DURATION: Final = re.compile(r"([1-9][0-9]{0,5})([smhd])", re.ASCII)
_UNIT_MS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

# All windows of the longest stretch are held, and read after a restart.
_LONGEST_WINDOW_MS: Final = 7 * _UNIT_MS["d"]
_LONGEST_FOR_MS: Final = _UNIT_MS["d"]

_BOUND: Final = ("at_least", "at_most", "resolve")


class HealthRuleError(UsageError):
    """Rules that cannot be used."""


def parse_duration(text: object) -> int:
    """`15m` as milliseconds. Raises ValueError."""
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f'{text!r} is no duration: give one such as "90s", "15m", "6h" or "2d"')
    return int(found[1]) * _UNIT_MS[found[2]]


def duration_text(ms: int) -> str:
    """Milliseconds as `parse_duration` takes them, in the largest unit that fits: `15m`."""
    unit = next(unit for unit in "dhms" if ms % _UNIT_MS[unit] == 0)
    return f"{ms // _UNIT_MS[unit]}{unit}"


def _parse_up_to(longest_ms: int, text: object) -> int:
    if (found := parse_duration(text)) > longest_ms:
        raise ValueError(f"{text} is too long: {duration_text(longest_ms)} is the longest")
    return found


_Window = Annotated[int, BeforeValidator(partial(_parse_up_to, _LONGEST_WINDOW_MS))]
_For = Annotated[int, BeforeValidator(partial(_parse_up_to, _LONGEST_FOR_MS))]
_Bound = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class HealthRule(BaseModel):
    """A metric, its bound, and when missing it is worth an alert."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    metric: str
    at_least: _Bound | None = None
    at_most: _Bound | None = None
    resolve: _Bound | None = None
    """What must be reached again before it resolves; not given: the bound."""
    window: _Window = Field(0, validate_default=False)
    """What is measured at a time, ms; 0: a moment."""
    for_: _For = Field(0, alias="for", validate_default=False)
    """For how long it must miss its bound, at every look, before it fires; ms."""
    severity: Severity
    min_events: int = Field(0, ge=0, strict=True)
    """Events in the window (of a share that was counted: those that were looked at), under which it does not judge."""
    enabled: bool = Field(True, strict=True)
    why: str = ""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.metric not in METRICS:
            near = get_close_matches(self.metric, METRICS, 1)
            meant = f"did you mean {near[0]}? They are" if near else "it is one of"
            raise ValueError(f"there is no metric {self.metric!r}; {meant} {', '.join(METRICS)}")
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("it needs one bound, at_least or at_most")
        if self.resolve is not None and (self.misses(self.resolve) or self.resolve == self.bound):
            raise ValueError(f"resolve is {self.resolve:g}: it must lie on the good side of the bound, {self.bound:g}")
        if self.of.is_share and not all(0 <= bound <= 1 for bound in (self.bound, self.resolve_bound)):
            raise ValueError(f"a bound of {self.metric} is from 0 to 1: it is a share, not percent")
        if self.metric == "agreement" and self.at_least == 1:
            raise ValueError("at_least is 1: no number of events shows that all agree, so give less")
        return self

    @model_validator(mode="after")
    def _sound_in_time(self) -> Self:
        if (self.of.source == "lag") != (self.window == 0):
            raise ValueError(
                f"{self.metric} is of a moment and has no window" if self.window else "it needs a window, such as 15m"
            )
        if self.min_events and (self.of.source not in {"windows", "labels"} or self.metric == "events"):
            raise ValueError(f"min_events means nothing for {self.metric}")
        return self

    @property
    def of(self) -> Metric:
        """The metric."""
        return METRICS[self.metric]

    @property
    def bound(self) -> float:
        """What the metric should keep."""
        return self.at_least if self.at_least is not None else self.at_most or 0.0

    @property
    def resolve_bound(self) -> float:
        """What the metric must reach again before it resolves."""
        return self.bound if self.resolve is None else self.resolve

    def misses(self, value: float) -> bool:
        """Whether `value` misses the bound."""
        return self._misses(value, self.bound)

    def has_recovered(self, value: float) -> bool:
        """Whether `value` is back where the rule resolves."""
        return not self._misses(value, self.resolve_bound)

    def _misses(self, value: float, bound: float) -> bool:
        return value < bound if self.at_least is not None else value > bound


def load_health_rules(own: str | None = None) -> tuple[HealthRule, ...]:
    """The rules in force: those shipped, with the keys that the TOML file `own` gives in the place of theirs.

    A table of `own` with another name is a rule more; `enabled = false` switches one off. Raises HealthRuleError.
    """
    tables = _read(SHIPPED)
    path = SHIPPED if own is None else Path(own)
    added = {} if own is None else _read(path)
    rules = []
    for name in {**tables, **added}:
        try:
            rules.append(HealthRule.model_validate(_merged(tables.get(name, {}), added.get(name, {})) | {"name": name}))
        except ValidationError as error:
            raise HealthRuleError(f"the rules {path} can't be used, {name}{_first(error)}") from None
    return tuple(rule for rule in rules if rule.enabled)


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        found = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise HealthRuleError(f"the rules {path} can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HealthRuleError(f"the rules {path} are no TOML: {error}") from None
    for name, table in found.items():
        if not isinstance(table, dict):
            raise HealthRuleError(f"the rules {path} can't be used: {name} is no table: a rule begins with [{name}]")
        if not _NAME.fullmatch(name) or name == ESCALATION:
            raise HealthRuleError(
                f"the rules {path} can't be used: no rule may be called {name!r}: a name is of a to z, 0 to 9 and _, "
                f"begins with a letter, and is not {ESCALATION!r}, which is the conversations'"
            )
        if "name" in table:
            raise HealthRuleError(f"the rules {path} can't be used, {name}: unknown key 'name'")
    return found


def _merged(shipped: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of both, one's own first: with a bound of one's own nothing is left of the bound that is shipped."""
    is_bound = "at_least" in own or "at_most" in own
    kept = {key: value for key, value in shipped.items() if not (is_bound and key in _BOUND)}
    return {**kept, **own}


def _first(error: ValidationError) -> str:
    found = error.errors()[0]
    place = "".join(f".{part}" for part in found["loc"])
    if found["type"] == "extra_forbidden":
        keys = (field.alias or name for name, field in HealthRule.model_fields.items() if name != "name")
        return f": unknown key '{found['loc'][0]}'; a rule has {', '.join(keys)}"
    if found["type"] == "missing":
        return f": {found['loc'][0]} is missing"
    return f"{place}: {found['msg'].removeprefix('Value error, ')}"


def bounds(rules: tuple[HealthRule, ...]) -> Mapping[str, HealthRule]:
    """The rule that a metric is judged by where one is asked for: the first that names it."""
    found: dict[str, HealthRule] = {}
    for rule in rules:
        found.setdefault(rule.metric, rule)
    return found
