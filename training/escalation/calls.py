"""Labelled calls: read from JSON lines, and each turn scored by the model that workers run."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast, get_args

from models.classifier import Classifier
from models.escalation import ScoredTurn
from schemas.errors import UsageError
from schemas.records import LABELS, Label, Role


class Call(NamedTuple):
    """A conversation: its scored turns in order, each turn's label, and what people say of the whole, None: nothing."""

    turns: tuple[ScoredTurn, ...]
    labels: tuple[Label, ...]
    label: Label | None
    kind: str  # of call, to tell figures by; empty where the file says nothing

    def until(self, share: float) -> "Call":
        """The call after that share of its turns, and after one at least."""
        end = max(1, round(len(self.turns) * share))
        return self._replace(turns=self.turns[:end], labels=self.labels[:end])


def read(path: Path, classifier: Classifier) -> list[Call]:
    """The calls of a file of JSON lines, whose turns `classifier` scores.

    A line has `turns` of `speaker` (a role) and `text`, and may have `label` (negative, neutral, positive) and
    `complexity`, which names its kind. Raises `UsageError`: the file cannot be read, or a line is something else.
    """
    try:
        # By line ends alone: `splitlines` also splits at characters that JSON has inside a text.
        lines = path.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the calls in {path}: {error}") from None
    return [_call(f"{path}:{number}", line, classifier) for number, line in enumerate(lines, 1) if line.strip()]


def _call(where: str, line: str, classifier: Classifier) -> Call:
    try:
        found: Any = json.loads(line)
        label, kind, turns = found.get("label"), found.get("complexity", ""), found["turns"]
        roles: list[Role] = [turn["speaker"] for turn in turns]
        texts: list[str] = [turn["text"] for turn in turns]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f'{where}: not a call: {{"turns": [{{"speaker": "customer", "text": "…"}}, …]}}') from None
    if wrong := [role for role in roles if role not in get_args(Role)]:
        raise UsageError(f"{where}: a speaker is one of {', '.join(get_args(Role))}, not {wrong[0]!r}")
    if label not in (None, *LABELS):
        raise UsageError(f"{where}: a label is one of {', '.join(LABELS)}, not {label!r}")
    if not turns:
        raise UsageError(f"{where}: the call has no turns")
    probabilities = classifier.score(texts, roles)
    scores = [round(float(row[2] - row[0]) * 1000) for row in probabilities]
    labels = [LABELS[index] for index in probabilities.argmax(axis=1).tolist()]
    return Call(tuple(map(ScoredTurn, roles, scores)), tuple(labels), cast("Label | None", label), str(kind))


def customers_scores(call: Call) -> list[int]:
    """The scores of the customer's turns, in thousandths."""
    return [turn.score for turn in call.turns if turn.role in ("customer", "unknown")]


def last_label(call: Call) -> float:
    """1 where the customer's last turn is labelled negative, -1 positive, 0 neutral or where there is none."""
    said: Sequence[Label] = [
        label for turn, label in zip(call.turns, call.labels, strict=True) if turn.role in ("customer", "unknown")
    ]
    return 0.0 if not said else {"negative": 1.0, "neutral": 0.0, "positive": -1.0}[said[-1]]


def mean_so_far(call: Call) -> float:
    """How negative the customer's turns are on average, -1 to 1."""
    scores = customers_scores(call)
    return -sum(scores) / len(scores) / 1000 if scores else 0.0
