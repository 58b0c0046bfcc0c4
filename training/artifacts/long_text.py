"""How a long text is best read: tried on whole calls."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from models.artifact import load_artifact
from models.classifier import Classifier
from models.long_text import How
from training.artifacts import manifest
from training.data.corpus import Corpus, Example, halves
from training.measure import bootstrap
from training.measure.figures import Scores, classification

WAYS: tuple[How, ...] = get_args(How)


def choose(folders: Mapping[str, Path], corpus: Corpus, threads: int = 2) -> dict[str, Any] | None:
    """Chooses how each of the artifacts in `folders` (by name, the edge first) reads long texts; tells their manifests.

    It is the way with the least negative log-likelihood on one half of the calls: of their figures the one with the
    least noise. On 180 calls accuracy has a standard error of 4 points, and so few calls are
    positive that a macro figure depends on single ones. Calibrate the artifacts first: the likelihood depends on their
    temperature.

    Returns what `long_text.json` says: the way `chosen` by artifact; for the first of them the figures of the other
    half by way, as `calls`; the same of each artifact in `artifacts`, with those `chosen_on`; and in `majority` what it
    gets there to answer the most frequent label always. None without calls: the manifests then stay as they are.
    """
    parts = dict(zip(("chosen_on", "calls"), halves(corpus.calls), strict=True))
    if not all(parts.values()):
        return None
    found: dict[str, dict[str, dict[How, dict[str, Any]]]] = {
        name: {
            part: {
                way: bootstrap.figures(score(folder, way, examples, threads), [call.label for call in examples])
                for way in WAYS
            }
            for part, examples in parts.items()
        }
        for name, folder in folders.items()
    }
    chosen = {name: min(WAYS, key=lambda way: each["chosen_on"][way]["nll"]) for name, each in found.items()}
    for name, folder in folders.items():
        manifest.update(folder, long_text=chosen[name])
    frequent = np.bincount([call.label for call in parts["chosen_on"]], minlength=3).argmax()
    labels = [call.label for call in parts["calls"]]
    return {
        "calls": next(iter(found.values()))["calls"],
        "chosen": chosen,
        "artifacts": found,
        "majority": classification(np.tile(np.eye(3)[frequent], (len(labels), 1)), labels),
    }


def score(folder: Path, way: How, examples: Sequence[Example], threads: int) -> Scores:
    """The probabilities of a worker's classifier that reads long texts in that way."""
    artifact = load_artifact(str(folder))
    changed = artifact.manifest.model_copy(update={"long_text": way})
    return Classifier(replace(artifact, manifest=changed), threads=threads).score([each.text for each in examples])
