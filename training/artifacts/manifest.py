"""The manifest of an artifact: what its files are, what they were made from, how good they are, under which terms."""

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import onnx

from models import text
from models.artifact import MANIFEST, MODEL, TOKENIZER, Manifest
from schemas.records import LABELS
from training.data.corpus import LEARNED_FROM

FIGURES = ("accuracy", "macro_f1", "macro_recall", "ece", "rows")
"""What the manifest says of each set; the intervals are in the report."""


def describe(
    folder: Path,
    *,
    name: str,
    source: str,
    base: str,
    max_tokens: int,
    seed: int,
    data: Sequence[Mapping[str, Any]],
    libraries: Mapping[str, str],
) -> None:
    """Writes the manifest of a fresh model file, not yet calibrated or measured.

    Its version is `0.0.0+` and the first eight digits of the model file's SHA-256, so that no two models have the same
    `name@version`. `source` names the run's model and format, as `edge-1/int8`. `data` is `data_of` the corpus,
    `libraries` the versions that the model was trained with.
    """
    files: dict[str, dict[str, Any]] = {
        file: {"sha256": sha256(folder / file), "bytes": (folder / file).stat().st_size} for file in (MODEL, TOKENIZER)
    }
    write(
        folder,
        {
            "format": 1,
            "name": name,
            "version": f"0.0.0+{files[MODEL]['sha256'][:8]}",
            "created": datetime.now(UTC).date().isoformat(),
            "base": base,
            "labels": list(LABELS),
            "files": files,
            "max_tokens": max_tokens,
            "long_text": "head",
            "languages": ["en"],  # of the bases, and of every set that is learned from
            "text_version": text.VERSION,
            "temperature": 1.0,
            "confidence_threshold": None,
            "opset": opset(folder / MODEL),
            "metrics": {},
            "training": {
                "source": source,
                "seed": seed,
                "data": [dict(each) for each in data],
                "libraries": dict(libraries),
            },
            "licence": licence(data),
        },
    )


def data_of(corpus: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The sets that a model learned from, with their terms and the hashes of their files.

    `corpus` is what `statistics.describe` returned: the run's `corpus.json`.
    """
    learned = []
    for source in corpus["sources"]:
        rows = {split: tally["kept"] for split, tally in source["splits"].items() if split in LEARNED_FROM}
        if sum(rows.values()):
            learned.append(
                {
                    "name": source["name"],
                    "rows": sum(rows.values()),
                    "labelled": "unlabelled" not in rows,
                    "sha256": {file["path"]: file["sha256"] for file in source["files"]},
                    "licence": source["licence"],
                    "source": source["origin"],
                }
            )
    return learned


def sets_of(manifest: Manifest, known: Collection[str]) -> list[dict[str, Any]]:
    """The sets that the model of a `manifest` learned from, but for those whose names are `known`."""
    sets: Any = manifest.training["data"]
    return [dict(each) for each in sets if each["name"] not in known]


def licence(data: Sequence[Mapping[str, Any]]) -> str:
    """The terms in one line: the code's, and what each labelled set asks of weights that are made from it."""
    terms = "; ".join(f"{each['name']}: {terms_of(each)}" for each in data if each["labelled"])
    return f"code Apache-2.0; weights carry the terms of their labelled data: {terms}"


def terms_of(data: Mapping[str, Any]) -> str:
    """A set's licence, with what its letters mean for who would use the model."""
    name = str(data["licence"]) or "terms not stated"
    return f"{name} (no commercial use)" if re.search(r"\bNC\b", name) else name


def metrics_of(measured: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """The manifest's figures of an artifact, to four digits, from the dev and test sets of its evaluation.

    Whole calls are left out: they are few, and say more of how long texts are read than of the model.
    """
    return {
        name: {key: round(value, 4) for key in FIGURES if isinstance(value := figures.get(key), int | float)}
        for name, figures in measured.items()
        if name.endswith(("_dev", "_test"))
    }


def update(folder: Path, **fields: object) -> None:
    """Sets top-level fields of the manifest in `folder`."""
    write(folder, json.loads((folder / MANIFEST).read_text("utf-8")) | fields)


def write(folder: Path, manifest: dict[str, object]) -> None:
    """Writes the manifest of an artifact folder."""
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", "utf-8")


def opset(path: Path) -> int:
    """The version of ONNX's own operators that a model file is written in."""
    model = onnx.load(path, load_external_data=False)
    return int(next(each.version for each in model.opset_import if each.domain in {"", "ai.onnx"}))


def sha256(path: Path) -> str:
    """A file's SHA-256 as hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
