"""From labelled calls to the folder of an escalation model: its weights, its card, and how good it is."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from models.artifact import PlainName, load_artifact
from models.classifier import Classifier
from models.escalation import MODEL_FILE, load_escalation_model
from schemas.errors import UsageError
from training.escalation import card
from training.escalation.calls import Call, last_label, mean_so_far, read
from training.escalation.figures import alarms, auc, auc_gain
from training.escalation.fit import SHARES, Fitted, fit, out_of_fold

LEAST = 50
"""Calls of each sort that there must be: with fewer the intervals say nothing."""

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
SHOWN = (0.25, 0.5, 1.0)
"""The shares of a call's turns that figures are told after."""


def train(paths: Sequence[Path], unlabelled: Sequence[Path], edge_model: str, out: Path, *, threads: int = 1) -> str:
    """Fits a model on the labelled calls in `paths`, writes its folder `out`, and returns its card.

    The edge model scores the turns, as in a worker. Of the conversations in `unlabelled` it is measured how many would
    raise an alarm. Raises `UsageError`: `out` is no name of a model, a file cannot be read or there are too few calls;
    `ArtifactError`.
    """
    try:
        TypeAdapter(PlainName).validate_python(out.name)
    except ValidationError:
        raise UsageError(
            f"{out}: the model is called as its folder, and {out.name!r} is not a name: it is letters, digits, dots, "
            "'_' and '-', begins with a letter or a digit, and has at most 100 characters, such as my-model"
        ) from None
    artifact = load_artifact(edge_model)
    classifier = Classifier(artifact, threads=threads)
    calls = [call for path in paths for call in read(path, classifier) if call.label is not None]
    negative = np.array([call.label == "negative" for call in calls], np.bool_)
    if min(negative.sum(), (~negative).sum()) < LEAST:
        raise UsageError(
            f"{', '.join(map(str, paths))}: {negative.sum()} of {len(calls)} labelled calls are negative; at least "
            f"{LEAST} that are and {LEAST} that are not are needed"
        )
    fitted = fit(calls)
    metrics = measure(calls, negative)
    metrics["elsewhere"] = [_elsewhere(path, classifier, fitted) for path in unlabelled]
    weights = {
        "intercept": fitted.intercept,
        "features": {name: weight.model_dump() for name, weight in fitted.weights.items()},
    }
    described = {
        "format": 1,
        "name": out.name,
        # As that of other models that are given none: no two have the same.
        "version": f"0.0.0+{hashlib.sha256(json.dumps(weights).encode()).hexdigest()[:8]}",
        "created": datetime.now(UTC).date().isoformat(),
        "edge_model": artifact.id,
        "calls": len(calls),
        "negative": int(negative.sum()),
        **weights,
        "metrics": metrics,
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / MODEL_FILE).write_text(json.dumps(described, indent=2) + "\n", "utf-8")
    text = card.text(described)
    (out / "CARD.md").write_text(text, "utf-8")
    load_escalation_model(str(out))  # as a worker will, which refuses what it cannot use
    return text


def measure(calls: Sequence[Call], negative: NDArray[np.bool_]) -> dict[str, Any]:
    """The figures of models on calls that they have not seen, beside the two plain ways to rank calls."""
    risks = out_of_fold(calls)
    found: dict[str, Any] = {"auc": {}, "gain": {}, "alarms": {}, "kinds": {}}
    for share in SHOWN:
        cut = [call.until(share) for call in calls]
        ways = {
            "risk": risks[share],
            "last label": np.array([last_label(call) for call in cut]),
            "mean so far": np.array([mean_so_far(call) for call in cut]),
        }
        found["auc"][f"{share:g}"] = {way: _with_ends(*auc(values, negative)) for way, values in ways.items()}
        found["gain"][f"{share:g}"] = {
            way: _with_ends(*auc_gain(risks[share], values, negative)) for way, values in ways.items() if way != "risk"
        }
        found["alarms"][f"{share:g}"] = {
            f"{threshold:g}": _rounded(alarms(risks[share], negative, threshold)) for threshold in THRESHOLDS
        }
    for kind in sorted({call.kind for call in calls}):
        within = np.array([call.kind == kind for call in calls], np.bool_)
        if 0 < negative[within].sum() < within.sum():
            found["kinds"][kind] = [int(within.sum()), *_with_ends(*auc(risks[SHARES[-1]][within], negative[within]))]
    return found


def _elsewhere(path: Path, classifier: Classifier, fitted: Fitted) -> dict[str, Any]:
    """How many of a file's conversations the model would raise an alarm for, at each of `THRESHOLDS`."""
    model = fitted.model("fitted")
    risks = np.array([model.assess(call.turns).value for call in read(path, classifier)])
    if not len(risks):
        raise UsageError(f"{path}: there are no conversations in it")
    return {
        "file": f"{path.parent.name}/{path.name}",
        "conversations": len(risks),
        "alarms": {f"{threshold:g}": round(float((risks >= threshold).mean()), 3) for threshold in THRESHOLDS},
    }


def _with_ends(value: float, ends: tuple[float, float]) -> list[float]:
    return [round(each, 3) for each in (value, *ends)]


def _rounded(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else round(value, 3) for value in values]
