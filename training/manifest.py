"""The manifest of an artifact: what its files are, what they were made from, how good they are, under which terms."""

import hashlib
import json
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from models import text
from models.artifact import MANIFEST, MODEL, TOKENIZER
from schemas.records import LABELS
from training.corpus import Corpus
from training.export import OPSET
from training.finetune import BASE
from training.network import MAX_TOKENS

VERSION = "1.0.0"
LIBRARIES = ("torch", "transformers", "tokenizers", "onnx", "onnxruntime")
LICENCE = (
    "code Apache-2.0; weights carry the data's terms: Twitter US Airline Sentiment is CC BY-NC-SA 4.0 (no commercial "
    "use), SemEval 2013-2016 task 4 is for research"
)


def describe(folder: Path, data: Path, corpus: Corpus, seed: int) -> None:
    """Write the manifest of a fresh export, not yet calibrated or measured."""
    sets = [
        ("airline", corpus.airline_train, "CC BY-NC-SA 4.0", "Twitter US Airline Sentiment (CrowdFlower, 2015)"),
        ("semeval", corpus.semeval_train, "research use", "SemEval 2013-2016, task 4A, Twitter"),
    ]
    write(
        folder,
        {
            "format": 1,
            "name": folder.name,
            "version": VERSION,
            "created": datetime.now(UTC).date().isoformat(),
            "base": BASE,
            "labels": list(LABELS),
            "files": {
                name: {"sha256": sha256(folder / name), "bytes": (folder / name).stat().st_size}
                for name in (MODEL, TOKENIZER)
            },
            "max_tokens": MAX_TOKENS,
            "text_version": text.VERSION,
            "temperature": 1.0,
            "confidence_threshold": None,
            "opset": OPSET,
            "metrics": {},
            "training": {
                "seed": seed,
                "data": [
                    {
                        "name": name,
                        "rows": len(rows),
                        "sha256": sha256(data / name / "train.csv"),
                        "licence": licence,
                        "source": source,
                    }
                    for name, rows, licence, source in sets
                ],
                "libraries": {name: version(name) for name in LIBRARIES},
            },
            "licence": LICENCE,
        },
    )


def update(folder: Path, **fields: object) -> None:
    """Set top-level fields of the manifest in ``folder``."""
    write(folder, json.loads((folder / MANIFEST).read_text("utf-8")) | fields)


def write(folder: Path, manifest: dict[str, object]) -> None:
    """Write the manifest of an artifact folder."""
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


def sha256(path: Path) -> str:
    """Return a file's SHA-256 as hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
