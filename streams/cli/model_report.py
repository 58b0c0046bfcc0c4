"""What a model artifact is, in words: for `edgewise models`."""

import json
import re
from typing import Any

import numpy as np

from models.artifact import MANIFEST, MODEL, Artifact, ArtifactError, load_artifact
from models.languages import ALL
from models.long_text import what_is_read
from streams.cli.table import aligned

TRAIN = "edgewise train all --config FILE --out RUN"
"""The one command that makes weights from data of one's own."""

CARD = "CARD.md"
NO_COMMERCE = re.compile(r"\bBY-NC\b|\bresearch\b", re.IGNORECASE)
"""Terms in a manifest's `licence` that plain words should follow."""

# What a text's probabilities may move by beside other texts: float32 sums in another order.
TOLERANCE = 1e-3
PROBES = ("Thank you, that was quick.", "My bag is lost and nobody answers.", "Which gate is it?", "word " * 600)


def summary_row(name: str) -> tuple[str, ...]:
    """Name, version, size, labels, accuracy on its test set, and its data's terms; what is wrong with it instead."""
    try:
        artifact = load_artifact(name)
    except ArtifactError as error:
        return name, "", "", "", "", f"refused: {error}"
    manifest = artifact.manifest
    tests = {
        on: figures["accuracy"]
        for on, figures in manifest.metrics.items()
        if on.endswith("_test") and "accuracy" in figures
    }
    accuracy = next((f"{value:.3f} on {on}" for on, value in tests.items()), "not measured")
    return name, manifest.version, _size(artifact), ", ".join(manifest.labels), accuracy, _terms(artifact)


def as_json(artifact: Artifact) -> dict[str, Any]:
    """The manifest as it is in its file, and before it the artifact's id and folder."""
    manifest = json.loads((artifact.folder / MANIFEST).read_bytes())
    return {"id": artifact.id, "folder": str(artifact.folder), **manifest}


def describe(artifact: Artifact) -> str:
    """The manifest in words, the terms of use before the figures."""
    manifest = artifact.manifest
    threshold = manifest.confidence_threshold
    lines = [
        f"{artifact.id}, made {manifest.created}: {artifact.folder}",
        "",
        "Terms",
        f"  {manifest.licence}",
        *([f"  Intended use and limits: {artifact.folder / CARD}"] if (artifact.folder / CARD).is_file() else []),
        *(["  They rule out commercial use."] if NO_COMMERCE.search(manifest.licence) else []),
        "  To make weights from your own transcripts instead:",
        "",
        f"      {TRAIN}",
        "",
        "What it is",
        f"  It tells {', '.join(manifest.labels[:-1])} and {manifest.labels[-1]} texts apart.",
        f"  {MODEL}: {_size(artifact)}, ONNX opset {manifest.opset}; base model: {manifest.base}",
        f"  reads {'all languages' if ALL in manifest.languages else ', '.join(manifest.languages)}",
        f"  {what_is_read(manifest.long_text, manifest.max_tokens, weighed=manifest.weighing is not None)}",
        f"  Probabilities are the softmax of its logits / {manifest.temperature:g}.",
        "  It does not route: it has no confidence threshold."
        if threshold is None
        else f"  Below a confidence of {threshold:g} it is unsure, and the default policy asks the cloud model.",
        "",
        "Made from",
        *(f"  {line}" for line in _data(artifact) or ["(its manifest does not say)"]),
        "",
        "How good",
        *(f"  {line}" for line in _figures(artifact) or ["(not measured)"]),
    ]
    return "\n".join(lines)


def verify(name_or_folder: str) -> str:
    """Loads the artifact as a worker does and scores with it; one line that says what was found in order.

    Raises ArtifactError that says what is not.
    """
    from models.classifier import Classifier

    artifact = load_artifact(name_or_folder)
    classifier = Classifier(artifact)
    together = classifier.score(PROBES)
    alone = np.concatenate([classifier.score([text]) for text in PROBES])
    if (moved := float(np.abs(together - alone).max())) > TOLERANCE:
        raise ArtifactError(
            f"{artifact.model_path}: a text's probabilities move by {moved:.3g} with the texts beside it; at most "
            f"{TOLERANCE:g} is allowed"
        )
    manifest = artifact.manifest
    return (
        f"{artifact.id}: {len(manifest.files)} files are what the manifest says, labels {', '.join(manifest.labels)}, "
        "the tokenizer is the model's, it loads and scores"
    )


def _size(artifact: Artifact) -> str:
    return f"{artifact.manifest.files[MODEL].bytes / 1e6:.1f} MB"


def _sets(artifact: Artifact) -> list[dict[str, Any]]:
    """What the manifest says of each set of the training data. Its form is not fixed: a model may be another's."""
    data = artifact.manifest.training.get("data")
    return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []


def _terms(artifact: Artifact) -> str:
    """The terms of the training data, in short."""
    terms = dict.fromkeys(str(each["licence"]) for each in _sets(artifact) if each.get("licence"))
    return ", ".join(terms) or artifact.manifest.licence


def _data(artifact: Artifact) -> list[str]:
    lines = []
    for each in _sets(artifact):
        rows = each.get("rows")
        parts = [
            f"{rows:,} rows" if isinstance(rows, int) else "",
            str(each.get("licence") or "licence not stated"),
            str(each.get("origin") or each.get("source") or ""),
        ]
        lines.append(f"{each.get('name', 'unnamed')}: {', '.join(part for part in parts if part)}")
    return lines


def _figures(artifact: Artifact) -> list[str]:
    metrics = artifact.manifest.metrics
    columns = list(dict.fromkeys(name for figures in metrics.values() for name in figures))
    table = [["set", *(name.replace("_", " ") for name in columns)]]
    for measured_on, figures in metrics.items():
        cells = (figures.get(name) for name in columns)
        table.append([measured_on, *("" if cell is None else _number(cell) for cell in cells)])
    return aligned(*table) if metrics else []


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() and value > 1 else f"{value:.3f}"
