"""From labelled chats, masked comments and made-up sentences to the tagger's artifact."""

import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import onnx
import torch

from models.artifact import MODEL, TOKENIZER
from models.redaction import Redactor, Span
from models.redaction.onnx_tagger import OnnxTagger
from models.redaction.tag_artifact import MANIFEST
from models.redaction.tag_words import WORD, WordReader, spelling
from training.artifacts.manifest import sha256
from training.learn import bases
from training.redaction import examples, written
from training.redaction.card import card
from training.redaction.evaluate import table
from training.redaction.figures import Figures, Labelled, measure
from training.redaction.network import CLASSES, REACH, WIDTH, WordTagger, export
from training.redaction.people import People
from training.redaction.sentences import as_typed, sentences
from training.redaction.tagging import TOLD, Log, Schedule, fit, tag_rows

PIECES = 12_000
COMMENTS = 8_000
"""Comments without a name among the examples."""

SENTENCES = 24_000
"""Made-up written sentences among the examples."""

HELD_OUT = 2_000
"""Made-up sentences of held-out templates and names to measure on."""

THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
SEED = 1
LICENCE = (
    "code Apache-2.0; weights carry the terms of what they are made of: MultiDoGO CDLA-Permissive-1.0; GoEmotions "
    "CC BY 4.0; all-MiniLM-L6-v2 Apache-2.0"
)


def train(data: Path, out: Path, schedule: Schedule, log: Log, domains: Sequence[str] = ("*",)) -> str:
    """Trains a tagger on `data`, writes its artifact to `out`, and returns its figures as Markdown tables.

    `data` holds `pii/multidogo.DOMAIN.{train,dev}.jsonl`, `pii/written.dev.jsonl` and `goemotions/train.csv`; only
    `domains` are learned from. Raises UsageError: a file is missing or can't be read.
    """
    rng = random.Random(SEED)
    chats = examples.chats(data / "pii", domains)
    rng.shuffle(chats)
    names = examples.Names(chats, People(rng, learned=True), rng)
    comments = examples.comments(data / "goemotions" / "train.csv", names, rng, COMMENTS)
    rng.shuffle(comments)
    made = list(as_typed(sentences(SENTENCES, SEED, learned=True), SEED))
    texts = [*chats, *as_typed(iter(comments), SEED), *examples.spoken(SEED), *made]
    read = [" ".join(map(spelling, WORD.findall(item.text))) for item in texts]
    base, tokenizer = bases.load(bases.MINILM, read, PIECES)
    torch.manual_seed(SEED)
    model = WordTagger(base.bert.embeddings.word_embeddings.weight)
    model = fit(model, tag_rows(WordReader(tokenizer), texts), schedule, seed=SEED, log=log)
    out.mkdir(parents=True, exist_ok=True)
    onnx.save(export(model), out / MODEL)
    tokenizer.save(str(out / TOKENIZER))
    learned = {
        "texts": len(texts),
        "chats": len(chats),
        "comments": len(comments),
        "sentences": len(made),
        "domains": list(domains),
        "pieces": PIECES,
        "width": WIDTH,
        "epochs": schedule.epochs,
        "batch": schedule.batch,
        "rate": schedule.rate,
        "seed": SEED,
    }
    manifest = _manifest(out, learned, examples.common_words(texts, TOLD))
    sets = _dev_sets(data / "pii")
    manifest["threshold"] = _best_threshold(out, [*sets["chats"], *sets["written"]], manifest)
    _write(out, manifest)
    tagger = OnnxTagger(str(out))
    alone = {name: measure(items, lambda item: tagger.tag([item.text])[0]) for name, items in sets.items()}
    redactor = Redactor(tagger=tagger)
    together = {name: measure(items, lambda item: redactor.redact(item.text).spans) for name, items in sets.items()}
    manifest["metrics"] = {f"{name}_dev": _metrics(figures) for name, figures in together.items()}
    _write(out, manifest)
    (out / "CARD.md").write_text(card(manifest, together), "utf-8")
    lines = [line for name, figures in together.items() for line in [*table(f"{name}, rules and tagger", figures), ""]]
    lines += [line for name, figures in alone.items() for line in [*table(f"{name}, tagger alone", figures), ""]]
    return "\n".join(lines)


def _best_threshold(out: Path, dev: Sequence[Labelled], manifest: dict[str, Any]) -> float:
    """The threshold with the greatest F1 over the kinds told, with rules, on `dev`."""

    def f1(threshold: float) -> float:
        _write(out, manifest | {"threshold": threshold})
        redactor = Redactor(tagger=OnnxTagger(str(out)))
        found: Callable[[Labelled], Sequence[Span]] = lambda item: redactor.redact(item.text).spans  # noqa: E731
        return measure(dev, found).f1(TOLD)

    return max(THRESHOLDS, key=f1)


def _dev_sets(folder: Path) -> dict[str, list[Labelled]]:
    sets = {path.name.split(".")[1]: written.read(path) for path in sorted(folder.glob("multidogo.*.dev.jsonl"))}
    return (
        {"chats": [item for items in sets.values() for item in items]}
        | sets
        | {"written": written.read(folder / "written.dev.jsonl")}
        | {"sentences": list(sentences(HELD_OUT, SEED, learned=False))}
    )


def _metrics(figures: Figures) -> dict[str, float]:
    return {
        f"{kind.lower()}_{name}": round(share.value, 4)
        for kind in TOLD
        for name, share in (("recall", figures.recall([kind])), ("precision", figures.precision([kind])))
        if share.whole
    }


def _manifest(out: Path, learned: dict[str, Any], common: list[str]) -> dict[str, Any]:
    """The manifest of the model in `out`, but for the threshold that is still to be found, and without figures."""
    return {
        "format": 2,
        "name": "redaction",
        "version": sha256(out / MODEL)[:12],
        "created": datetime.now(UTC).date().isoformat(),
        "base": bases.MINILM.name,
        "classes": list(CLASSES),
        "told": list(TOLD),
        "threshold": THRESHOLDS[0],
        "files": {
            name: {"sha256": sha256(out / name), "bytes": (out / name).stat().st_size} for name in (MODEL, TOKENIZER)
        },
        "reach": REACH,
        "metrics": {},
        "training": learned,
        "licence": LICENCE,
        "common": common,
    }


def _write(out: Path, manifest: dict[str, Any]) -> None:
    (out / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False) + "\n", "utf-8")
