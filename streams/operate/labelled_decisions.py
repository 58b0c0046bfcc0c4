"""Decisions on texts that people have labelled, as the edge model of the settings takes them."""

from collections.abc import Iterable
from itertools import islice

import numpy as np

from models.artifact import load_artifact
from models.classifier import Classifier
from models.router import complexity
from schemas.errors import UsageError
from streams.config.settings import Settings
from streams.files.labelled import labelled
from streams.files.recording import Row
from streams.monitoring import decisions
from streams.monitoring.decisions import Decisions

_CHUNK = 1_000


def labelled_decisions(settings: Settings, rows: Iterable[Row], label_column: str) -> Decisions:
    """A decision for each of `rows`: the edge's confidence, the text's complexity, and whether the label is a person's.

    Raises UsageError: a row has no label in `label_column`, or there are no rows; ArtifactError.
    """
    artifact = load_artifact(settings.edge_model)
    classifier = Classifier(artifact, threads=settings.model_threads, token_budget=settings.token_budget)
    remaining = labelled(rows, label_column)
    confidences, complexities, agrees = list[float](), list[float](), list[bool]()
    while chunk := list(islice(remaining, _CHUNK)):
        scores = classifier.score([each.text for each, _ in chunk], [each.role for each, _ in chunk])
        found = scores.max(axis=1).tolist()
        confidences += found
        complexities += [complexity(asked.text, each).total for (asked, _), each in zip(chunk, found, strict=True)]
        agrees += [bool(best == label) for (_, label), best in zip(chunk, scores.argmax(axis=1), strict=True)]
    if not agrees:
        raise UsageError("the file has no labelled text")
    return decisions.labelled(np.array(confidences), np.array(complexities), np.array(agrees), artifact.id)
