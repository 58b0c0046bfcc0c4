"""Texts in, sentiment out: what `edgewise score` does to a file, from Python."""

import hashlib
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args, overload

from schemas.errors import UsageError
from schemas.records import Label, Reason, Role, Route

if TYPE_CHECKING:
    from streams.files.score import Scorer

_TEXTS = "a text is a str, several are a list or a pandas Series of them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The sentiment of one text.

    A text that the workers would put into dead-letters, an empty or a very long one, is not scored: `reason` says why
    (`empty_text`, `text_too_long`), `label`, `route` and `model` are None and the numbers NaN.
    """

    label: Label | None  # the likeliest
    confidence: float  # its calibrated probability, 0 to 1
    negative: float  # the three probabilities, which add up to 1
    neutral: float
    positive: float
    route: Route | None  # which of the two models answered; None: a folder's
    reason: Reason | Literal["empty_text", "text_too_long"] | None  # why that one did; None: nothing was decided
    model: str | None  # name@version of the model that answered; rules@2 where a rule did


class Model:
    """What `load` gives: call it with a text or with several. One thread at a time may call it."""

    def __init__(
        self,
        scorer: "Scorer",
        ids: Mapping[Route | None, str],
        max_text_chars: int,
        without_rules: Collection[str | None] = (),
    ) -> None:
        """Scores by `scorer`; `ids` names the model behind each route, None where there are no routes.

        On the routes `without_rules` no rule answers in the model's place.
        """
        self._scorer = scorer
        self._without_rules = without_rules
        self._max_text_chars = max_text_chars
        self._ids = ids

    def __repr__(self) -> str:
        """The names and versions of its models."""
        return f"<edgewise model {' + '.join(self._ids.values())}>"

    # A str is an iterable of str too; the first signature that fits counts.
    @overload
    def __call__(self, texts: str, roles: Role | None = None) -> Result: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, texts: Iterable[str], roles: Role | Iterable[str] | None = None) -> list[Result]: ...
    def __call__(self, texts: str | Iterable[str], roles: str | Iterable[str] | None = None) -> Result | list[Result]:
        """The result of a text; of several, a list in their order, so that it fits the index of a pandas Series.

        `roles` say who speaks: one of `customer`, `agent`, `bot`, `system`, `unknown` for all, or one a text. Results
        are what `edgewise score` gives. The random sample that a line sends to the cloud is drawn by the text itself:
        the same text has the same result whatever is beside it. `docs/python.md` tells of pandas.

        Raises UsageError: it is no text (None, a number, bytes), or one of several is not; its position is named.
        UsageError too: a role is none, or there are not as many as texts.
        """
        if isinstance(texts, str):
            return self._score([texts], _roles(roles, 1))[0]
        checked = _checked(texts)
        return self._score(checked, _roles(roles, len(checked)))

    def _score(self, texts: Sequence[str], roles: Sequence[str]) -> list[Result]:
        from streams.files.recording import Row
        from streams.files.score import score_rows

        rows = (
            Row(number, number, {"event_id": _digest(text), "role": role}, text)
            for number, (text, role) in enumerate(zip(texts, roles, strict=True), 1)
        )
        scored = score_rows(rows, self._scorer, max_text_chars=self._max_text_chars, recording="", columns={})
        return [self._result(text, cast(Role, role), row) for text, role, row in zip(texts, roles, scored, strict=True)]

    def _result(self, text: str, role: Role, row: dict[str, Any]) -> Result:
        from models import rules

        route = None if None in self._ids else row["route"]
        numbers = {
            name: math.nan if row[name] is None else row[name]
            for name in ("confidence", "negative", "neutral", "positive")
        }
        model = None if row["sentiment"] is None else self._ids[route]
        if model is not None and route not in self._without_rules:
            model = rules.answered_by(text, role, model)
        return Result(label=row["sentiment"], route=route, reason=row["reason"], model=model, **numbers)


def load(model: str | Path) -> Model:
    """The model that `model` names, loaded and verified: `line`, `edge`, `cloud`, or a folder.

    `edge` and `cloud` are the two models of the settings. `line` does what the workers do: the edge scores every text,
    the router decides, the cloud model answers what is deferred. A folder is one model, as `edgewise train` makes it.

    Raises UsageError: there is no such model, its files are not what its manifest says (`ArtifactError`), or a setting
    is wrong.
    """
    from models.artifact import load_artifact
    from streams.config.backends import cloud_name
    from streams.config.loading import load_settings
    from streams.files.score import Model as Way
    from streams.files.score import build_scorer

    settings = load_settings()
    if model in {"line", "edge", "cloud"}:
        ids = {"edge": load_artifact(settings.edge_model).id, "cloud": cloud_name(settings)}
        used = {route: id_ for route, id_ in ids.items() if model in {route, "line"}}
        return Model(
            build_scorer(settings, cast(Way, model)),
            cast("Mapping[Route | None, str]", used),
            settings.max_text_chars,
            () if settings.cloud_backend == "onnx" else ("cloud",),  # a service is asked about every text
        )
    if not Path(str(model)).is_dir():
        raise UsageError(f"there is no model {str(model)!r}: give line, edge, cloud, or the folder of a model")
    folder = str(Path(model).absolute())
    scorer = build_scorer(settings.model_copy(update={"edge_model": folder}), "edge")
    return Model(scorer, {None: load_artifact(folder).id}, settings.max_text_chars)


def _checked(texts: object) -> list[str]:
    """`texts` as a list of str. Raises UsageError: they are not."""
    if hasattr(texts, "columns"):  # a data frame would give the names of its columns
        raise UsageError(f'a table is not a text: give one of its columns, such as frame["text"]; {_TEXTS}')
    if texts is None or isinstance(texts, bytes | bytearray | Mapping) or not isinstance(texts, Iterable):
        raise UsageError(f"{_name(texts)} is not a text: {_TEXTS}")
    checked = list(texts)
    for position, text in enumerate(checked):
        if not isinstance(text, str):
            raise UsageError(
                f"the text at position {position} (from 0) is {_name(text)}, not a str: leave out what is missing, as "
                "Series.dropna() does"
            )
    return checked


def _roles(roles: object, count: int) -> list[str]:
    """`roles`, one for each of `count` texts. Raises UsageError: they are not."""
    if roles is None or isinstance(roles, str):
        return _known(["unknown" if roles is None else roles] * count)
    if not isinstance(roles, Iterable):
        raise UsageError(f"roles are {_name(roles)}: give one for all texts, or a list of as many as texts")
    given = _known(list(roles))
    if len(given) != count:
        raise UsageError(f"there are {len(given):,} roles for {count:,} texts: give one for all, or as many as texts")
    return given


def _known(roles: list[Any]) -> list[str]:
    allowed = get_args(Role)
    for position, role in enumerate(roles):
        if not isinstance(role, str) or role not in allowed:
            raise UsageError(f"the role at position {position} (from 0) is not one of {', '.join(allowed)}")
    return roles


def _digest(text: str) -> str:
    """What stands for an event's id: it depends on the text alone, and is no longer than an id may be."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _name(value: object) -> str:
    """`value` by its name, without what it holds: it may be a customer's."""
    if value is None:
        return "None"
    return "NaN" if isinstance(value, float) and math.isnan(value) else f"of type {type(value).__name__}"
