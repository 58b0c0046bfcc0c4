"""The file of a drift reference: JSON that a person can read."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.errors import UsageError
from streams.monitoring.drift import ASPECTS, Aspect, Reference
from streams.monitoring.window import Window

LEAST_EVENTS = 1_000
"""A reference of fewer would bring more noise than what is compared with it."""

Count = Annotated[int, Field(ge=0)]


class DriftReferenceError(UsageError):
    """A drift reference that cannot be read, or made."""


class _File(BaseModel):
    # Fields that a later writer adds are ignored; a change that matters gets a new `format`.
    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal[1]
    since: AwareDatetime
    until: AwareDatetime
    events: int = Field(ge=LEAST_EVENTS)
    models: list[str]
    policies: list[str]
    counts: dict[Aspect, dict[str, Count]]
    edges: dict[Literal["confidence", "length"], list[float]]

    @model_validator(mode="after")
    def _whole(self) -> "_File":
        if missing := [aspect for aspect in ASPECTS if aspect not in self.counts]:
            raise ValueError(f"counts lack {', '.join(missing)}")
        for name in ("confidence", "length"):
            if (edges := self.edges.get(name)) is None or edges != sorted(set(edges)):
                raise ValueError(f"edges of {name} are missing, or do not rise")
        return self


class LatestRelease:
    """Merges windows, given in the order of time, as far as one set of models and policies has answered them.

    Where a model's version or the policy changes, it begins again: what came before is another release's. A model of
    another name is one that answers beside those there are.
    """

    def __init__(self) -> None:
        self._window: Window | None = None

    def add(self, window: Window) -> None:
        """Takes the next window."""
        if not window.events:
            return
        if self._window is not None and _is_mixed(self._window, window):
            self._window = None
        if _is_mixed(window):  # while a release is rolled out
            return
        if self._window is None:
            self._window = Window(window.start, window.end, -1)
        self._window.merge(window)

    def reference(self) -> Reference:
        """What was merged. Raises DriftReferenceError: it is of too few events."""
        events = self._window.events if self._window else 0
        if self._window is None or events < LEAST_EVENTS:
            raise DriftReferenceError(
                f"a reference needs {LEAST_EVENTS:,} events that the models and the policy in force have answered, and "
                f"there are {events:,} in this time: wait, or begin earlier"
            )
        return Reference.of(self._window)


def _is_mixed(*windows: Window) -> bool:
    """Whether two versions of one model have answered, or two policies decided."""
    models = {model for window in windows for model in window.models}
    names = Counter(model.partition("@")[0] for model in models)
    return max(names.values(), default=0) > 1 or len({policy for window in windows for policy in window.routers}) > 1


def reference_text(reference: Reference) -> str:
    """The file's content."""
    return (
        _File(
            format=1,
            since=_moment(reference.since_ms),
            until=_moment(reference.until_ms),
            events=reference.events,
            models=sorted(reference.models),
            policies=sorted(reference.policies),
            counts={aspect: dict(sorted(counts.items())) for aspect, counts in reference.counts.items()},
            edges={"confidence": [*reference.edges["confidence"]], "length": [*reference.edges["length"]]},
        ).model_dump_json(indent=2)
        + "\n"
    )


def read_reference(path: str) -> Reference:
    """The reference in the file at `path`. Raises DriftReferenceError."""
    try:
        file = _File.model_validate_json(Path(path).read_bytes())
    except OSError as error:
        raise DriftReferenceError(f"the drift reference {path} can't be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise DriftReferenceError(f"{path} is no drift reference: {where}: {first['msg']}") from None
    return Reference(
        round(file.since.timestamp() * 1000),
        round(file.until.timestamp() * 1000),
        file.events,
        frozenset(file.models),
        frozenset(file.policies),
        file.counts,
        {"confidence": file.edges["confidence"], "length": file.edges["length"]},
    )


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
