"""Figures of a classifier on labelled rows, and of an artifact on every set it is measured on."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.artifact import load_artifact
from models.classifier import Classifier
from schemas.records import LABELS
from training.corpus import Corpus, Example

Scores = NDArray[np.floating]


def classification(scores: Scores, labels: Sequence[int]) -> dict[str, float]:
    """Return ``accuracy``, ``macro_f1`` and ``macro_recall`` (SemEval's own measure), unweighted over the labels.

    ``scores`` are logits or probabilities ``[rows, 3]``: the highest is the answer.
    """
    wanted = np.asarray(labels)
    given = scores.argmax(axis=1)
    recalls, f1s = [], []
    for label in range(len(LABELS)):
        hits = int(((given == label) & (wanted == label)).sum())
        has, says = int((wanted == label).sum()), int((given == label).sum())
        recalls.append(hits / has if has else 0.0)
        f1s.append(2 * hits / (has + says) if has + says else 0.0)
    return {
        "accuracy": float((given == wanted).mean()),
        "macro_f1": float(np.mean(f1s)),
        "macro_recall": float(np.mean(recalls)),
    }


def calibration_error(probabilities: Scores, labels: Sequence[int], bins: int = 15) -> float:
    """Return the expected calibration error over equal-width bins of the top probability (Guo et al. 2017, eq. 3)."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == np.asarray(labels)
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for index in range(bins):
        inside = which == index
        if inside.any():
            error += float(inside.mean()) * abs(float(right[inside].mean()) - float(confidence[inside].mean()))
    return error


def probabilities_of(folder: Path, examples: Sequence[Example]) -> NDArray[np.float32]:
    """Score ``examples`` with the worker's own classifier: calibrated probabilities ``[rows, 3]``."""
    return Classifier(load_artifact(str(folder)), threads=2).score([example.text for example in examples])


def measure(folder: Path, corpus: Corpus) -> dict[str, dict[str, float]]:
    """Return what the manifest says of the artifact in ``folder``: figures on each held-out set, to four decimals."""
    sets: Mapping[str, Sequence[Example]] = {
        "airline_dev": corpus.airline_dev,
        "airline_test": corpus.airline_test,
        "semeval_heldout": corpus.semeval_held_out,
    }
    metrics = {}
    for name, examples in sets.items():
        probabilities = probabilities_of(folder, examples)
        labels = [example.label for example in examples]
        figures = {**classification(probabilities, labels), "ece": calibration_error(probabilities, labels)}
        metrics[name] = {key: round(value, 4) for key, value in figures.items()} | {"rows": len(examples)}
    return metrics


def table(metrics: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """Return the figures of several artifacts (by name, then set) as a Markdown table."""
    lines = ["| artifact | set | rows | accuracy | macro F1 | macro recall | ECE |", "|---|---|---|---|---|---|---|"]
    lines += [
        f"| {artifact} | {name} | {figures['rows']:,} | {figures['accuracy']:.4f} | {figures['macro_f1']:.4f} "
        f"| {figures['macro_recall']:.4f} | {figures['ece']:.4f} |"
        for artifact, sets in metrics.items()
        for name, figures in sets.items()
    ]
    return "\n".join(lines)
