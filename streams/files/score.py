"""`edgewise score`: scores the rows of a recording in this process, without Kafka."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from models.artifact import load_artifact
from models.classifier import Classifier
from models.router import Scored, policy
from schemas.records import LABELS
from streams.config.settings import Settings
from streams.files.recording import Row
from streams.files.writing import CHUNK, renamed

Model = Literal["edge", "cloud", "line"]

FIELDS: Final = ("sentiment", "confidence", "negative", "neutral", "positive", "route", "reason")
"""What each row gets, after its own fields."""

# The model's batches are smaller than a chunk (`token_budget`), and sorting a chunk's texts by length leaves them
# next to no padding.
# float32 carries seven digits: more would be noise that differs between machines.
DIGITS = 6


Answer = tuple[list[float], str, str | None]  # probabilities, route, reason
Scorer = Callable[[Sequence[str], Sequence[str]], list[Answer]]  # event ids, texts


def build_scorer(settings: Settings, model: Model) -> Scorer:
    """What scores texts by `model`, its artifacts loaded and verified.

    `line` does what the workers do: the edge scores all, the router decides, the cloud answers what is deferred.
    `edge` and `cloud` score all with one model; no decision is taken, so there is no reason.

    Raises ArtifactError: a model is missing or altered. UsageError: the policy lacks a threshold.
    """
    if model != "line":
        classifier = _load(settings, settings.edge_model if model == "edge" else settings.cloud_model)
        return lambda _ids, texts: [(p, model, None) for p in classifier.score(texts).tolist()]
    artifact = load_artifact(settings.edge_model)
    chosen = policy(
        settings.router,
        calibrated_threshold=artifact.confidence_threshold,
        confidence_threshold=settings.confidence_threshold,
        complexity_threshold=settings.complexity_threshold,
        random_cloud_rate=settings.random_cloud_rate,
    )
    edge = _load(settings, settings.edge_model)
    cloud = _load(settings, settings.cloud_model)

    def score(ids: Sequence[str], texts: Sequence[str]) -> list[Answer]:
        probabilities: NDArray[np.float32] = edge.score(texts)
        confidences = probabilities.max(axis=1, initial=0).tolist()
        decisions = chosen.decide([Scored(*each) for each in zip(ids, texts, confidences, strict=True)])
        deferred = [i for i, decision in enumerate(decisions) if decision.route == "cloud"]
        probabilities[deferred] = cloud.score([texts[i] for i in deferred])
        return [(p, d.route, d.reason) for p, d in zip(probabilities.tolist(), decisions, strict=True)]

    return score


def score_rows(rows: Iterable[Row], scorer: Scorer) -> Iterator[dict[str, object]]:
    """Each row's fields and then `FIELDS`, in the rows' order.

    A field of the input that has one of those names is kept as `input_` and its name, in its place. A text that is
    empty, or white space only, has nothing to be scored: its new fields are None and the reason is `empty_text`, which
    is what the workers say of it in dead-letters. The random sample is drawn by the field `event_id`, else `id`, else
    the row's number.
    """
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        answerable = [row for row in chunk if row.text.strip()]
        answers = iter(scorer([_event_id(row) for row in answerable], [row.text for row in answerable]))
        for row in chunk:
            yield renamed(row.fields, FIELDS) | (_scored(*next(answers)) if row.text.strip() else _EMPTY)


def _load(settings: Settings, name_or_folder: str) -> Classifier:
    artifact = load_artifact(name_or_folder)
    return Classifier(artifact, threads=settings.model_threads, token_budget=settings.token_budget)


_EMPTY: Final[dict[str, object]] = dict.fromkeys(FIELDS) | {"reason": "empty_text"}


def _scored(probabilities: list[float], route: str, reason: str | None) -> dict[str, object]:
    top = probabilities.index(max(probabilities))
    values = [round(p, DIGITS) for p in probabilities]
    return dict(zip(FIELDS, (LABELS[top], values[top], *values, route, reason), strict=True))


def _event_id(row: Row) -> str:
    for name in ("event_id", "id"):
        if value := row.fields.get(name):
            return str(value)
    return str(row.number)
