"""How well models do on the behaviour suite, by kind, with the worker's own classifier."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np

from models.admission import Admission
from models.artifact import load_artifact
from models.classifier import Classifier
from models.language_detection import detect
from models.router import Policy, Scored, policy
from schemas.records import LABELS, Role, Route
from training.data.suite import UNSURE, Item
from training.measure import bootstrap
from training.measure.figures import Scores, calibration_error, wilson

Model = Literal["edge", "cloud", "line"]
MODELS: Final[tuple[Model, ...]] = ("edge", "cloud", "line")
"""`line` is what the workers do together: the edge answers, or, where the router defers, the cloud."""

Score = Callable[[Sequence[str], Sequence[Role]], Scores]

OVERALL: Final = "overall"
"""Stands beside the kinds for all items together."""

DIGITS: Final = 4
"""Of the shares in a report: finer than an item's weight."""

THRESHOLDS: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
"""At which a report says what an edge that defers more would be."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a model answered to one item, by which model, and whether that is right.

    `sure` is a confidence at or above the threshold: nothing else would be asked.
    """

    item: Item
    answer: str
    confidence: float
    route: Route
    sure: bool

    @property
    def right(self) -> bool:
        """Whether the answer is one of the item's labels, or is unsure where that is right."""
        return self.answer in self.item.labels or (UNSURE in self.item.labels and not self.sure)

    @property
    def wrong_and_sure(self) -> bool:
        """Whether the answer is wrong and its confidence says otherwise."""
        return self.sure and not self.right


def run(
    edge: Path | str, cloud: Path | str, items: Sequence[Item], *, models: Sequence[Model] = MODELS, threads: int = 1
) -> dict[str, Any]:
    """The report, for JSON, of the artifacts in the folders `edge` and `cloud` on `items`.

    The threshold is the edge's: of the line, and to tell what a cloud's answer would be worth on the edge.

    Raises ArtifactError: a model is missing or altered. UsageError: the edge has no threshold.
    """
    artifacts = {"edge": load_artifact(str(edge))}
    if set(models) != {"edge"}:
        artifacts["cloud"] = load_artifact(str(cloud))
    rules = policy("default", calibrated_threshold=artifacts["edge"].confidence_threshold)
    scores = {name: Classifier(artifact, threads=threads).score for name, artifact in artifacts.items()}
    ids = {name: artifact.id for name, artifact in artifacts.items()}
    reads = {name: artifact.languages for name, artifact in artifacts.items()}
    admission = Admission(get_args(Role), reads["edge"], reads.get("cloud", ()), "publish", detect)
    found = answers(items, rules, admission, scores["edge"], scores.get("cloud"))
    return {
        "threshold": rules.confidence_threshold,
        "items": {item.id: item.digest for item in items},
        "models": {
            name: {"artifact": ids.get(name, f"{ids['edge']} and {ids.get('cloud')}")} | summary(found[name])
            for name in models
        },
        "thresholds": at_thresholds(found["edge"], found["cloud"]) if "cloud" in found else [],
    }


def answers(
    items: Sequence[Item], rules: Policy, admission: Admission, edge: Score, cloud: Score | None
) -> dict[Model, list[Outcome]]:
    """Each model's outcomes, in the order of `items`; without a `cloud` the edge's alone.

    Languages are the line's business: what `admission` says that neither reads stays on its edge, which is not sure.
    """
    texts, roles = [item.text for item in items], [item.role for item in items]
    on_edge = edge(texts, roles)
    found: dict[Model, list[Outcome]] = {"edge": _outcomes(items, rules, on_edge, ["edge"] * len(items))}
    if cloud is not None:
        on_cloud = cloud(texts, roles)
        admitted = [admission.admit(item.role, None, item.text) for item in items]
        believed = np.asarray([each.believed(row.tolist()) for each, row in zip(admitted, on_edge, strict=True)])
        scored = [Scored(item.id, item.text, float(row.max())) for item, row in zip(items, believed, strict=True)]
        decisions = zip(admitted, rules.decide(scored), strict=True)
        routes = [each.decided(decision).route for each, decision in decisions]
        deferred = np.asarray([route == "cloud" for route in routes])
        found["cloud"] = _outcomes(items, rules, on_cloud, ["cloud"] * len(items))
        found["line"] = _outcomes(items, rules, np.where(deferred[:, None], on_cloud, believed), routes)
    return found


def at_thresholds(edge: Sequence[Outcome], cloud: Sequence[Outcome]) -> list[dict[str, float]]:
    """For each of `THRESHOLDS` the shares of items that an edge with it would defer, and answer wrongly.

    `deferred` is what lies below the threshold, `wrong_and_sure` what the edge keeps and has wrong, `right` what the
    two have right together. The router's other reasons to ask the cloud are left aside.
    """
    found = []
    for threshold in THRESHOLDS:
        judged = [replace(each, sure=each.confidence >= threshold) for each in edge]
        right = [(own if own.sure else other).right for own, other in zip(judged, cloud, strict=True)]
        count = len(judged)
        found.append(
            {
                "threshold": threshold,
                "deferred": round(sum(not each.sure for each in judged) / count, DIGITS),
                "wrong_and_sure": round(sum(each.wrong_and_sure for each in judged) / count, DIGITS),
                "right": round(sum(right) / count, DIGITS),
            }
        )
    return found


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """A model's figures: `overall`, `macro` (the mean accuracy of kinds), and those of each kind and role.

    `lowest` is the kind that it has the fewest right of.
    """
    kinds = _by(outcomes, lambda outcome: outcome.item.kind)
    figures = {kind: _figures(part) | _wrong(part) for kind, part in kinds.items()}
    lowest = min(figures, key=lambda kind: figures[kind]["accuracy"])
    return {
        OVERALL: _figures(outcomes) | _honesty(outcomes),
        "macro": round(sum(each["right"] / each["items"] for each in figures.values()) / len(figures), DIGITS),
        "lowest": {"kind": lowest} | {key: figures[lowest][key] for key in ("accuracy", "accuracy_interval")},
        "kinds": figures,
        "roles": {role: _figures(part) for role, part in _by(outcomes, lambda outcome: outcome.item.role).items()},
    }


def _outcomes(items: Sequence[Item], rules: Policy, scores: Scores, routes: Sequence[Route]) -> list[Outcome]:
    confidences = scores.max(axis=1).tolist()
    return [
        Outcome(item, LABELS[answer], confidence, route, confidence >= rules.confidence_threshold)
        for item, answer, confidence, route in zip(items, scores.argmax(axis=1), confidences, routes, strict=True)
    ]


def _by(outcomes: Sequence[Outcome], key: Callable[[Outcome], str]) -> dict[str, list[Outcome]]:
    parts: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        parts.setdefault(key(outcome), []).append(outcome)
    return parts


def _figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    count, right = len(outcomes), sum(outcome.right for outcome in outcomes)
    return {
        "items": count,
        "right": right,
        "accuracy": round(right / count, DIGITS),
        "accuracy_interval": [round(end, DIGITS) for end in wilson(right, count)],
        "wrong_and_sure": round(sum(outcome.wrong_and_sure for outcome in outcomes) / count, DIGITS),
        "cloud": round(sum(outcome.route == "cloud" for outcome in outcomes) / count, DIGITS),
    }


def _honesty(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The calibration error where a label is right; an item may have several, so its answer is right or not."""
    known = [outcome for outcome in outcomes if UNSURE not in outcome.item.labels]
    if not known:
        return {}
    confidence = np.asarray([outcome.confidence for outcome in known])
    # The answer, and two others that share the rest.
    given = np.column_stack([confidence, *[(1 - confidence) / 2] * 2])
    answered = [0 if outcome.right else 1 for outcome in known]
    ends = bootstrap.intervals(given, answered)["ece"]
    return {
        "ece": round(calibration_error(given, answered), DIGITS),
        "ece_interval": [round(end, DIGITS) for end in ends],
    }


def _wrong(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {"wrong": [outcome.item.id for outcome in outcomes if not outcome.right]}
