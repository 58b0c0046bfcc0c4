"""What a corpus is made of: sources with their files' hashes and terms, splits with their labels and lengths."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from schemas.records import LABELS
from training.config.config import Config
from training.config.sources import Source
from training.data.corpus import Corpus, Example
from training.data.grammar import GRAMMAR
from training.data.rows import paths

SPLITS = (
    "domain_train",
    "domain_dev",
    "domain_test",
    "domain_sample",
    "extra_train",
    "general_train",
    "general_test",
    "calls",
    "unlabelled",
)


def describe(config: Config, corpus: Corpus) -> dict[str, Any]:
    """What `corpus` was made of (`sources`) and what is in it (`splits`), for JSON.

    A source has its role, licence, origin, files (path in `data`, bytes, SHA-256), and for each split how many of its
    texts were read, kept, and left out as repeated, by the split that had them first. A split has its rows, labels,
    and the mean, median and 95th percentile of its texts' characters and words (what white space parts).
    """
    return {
        "sources": [_source(source, config, corpus) for source in config.sources],
        "splits": {split: _split(getattr(corpus, split)) for split in SPLITS if getattr(corpus, split)}
        | {f"{name}_test": _split(examples) for name, examples in corpus.measured.items() if examples},
    }


def _source(source: Source, config: Config, corpus: Corpus) -> dict[str, Any]:
    files = paths(config.data, source.train + source.dev + source.test)
    if source.generate is not None:
        files = sorted(GRAMMAR.rglob("*.toml"))
    return {
        "name": source.name,
        "role": source.role,
        "licence": source.licence,
        "origin": source.origin,
        "files": [
            {
                "path": path.relative_to(config.data).as_posix() if path.is_relative_to(config.data) else path.name,
                "bytes": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for path in files
        ],
        "splits": {
            tally.split: {"read": tally.read, "kept": tally.kept, "repeated": dict(tally.repeated)}
            for tally in corpus.tallies
            if tally.source == source.name
        },
    }


def _split(texts: Sequence[Example] | Sequence[str]) -> dict[str, Any]:
    plain = [item.text if isinstance(item, Example) else item for item in texts]
    described: dict[str, Any] = {
        "texts": len(plain),
        "characters": _lengths([len(text) for text in plain]),
        "words": _lengths([len(text.split()) for text in plain]),
    }
    counts = Counter(LABELS[item.label] for item in texts if isinstance(item, Example))
    if counts:
        described["labels"] = {label: counts[label] for label in LABELS}
    return described


def _lengths(lengths: Sequence[int]) -> dict[str, float]:
    p50, p95 = np.percentile(lengths, (50, 95))
    return {"mean": round(float(np.mean(lengths)), 2), "p50": round(float(p50), 2), "p95": round(float(p95), 2)}
