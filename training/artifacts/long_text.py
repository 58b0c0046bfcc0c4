"""How a long text is best read: tried on whole calls."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from models.artifact import Artifact, WeighingEntry, load_artifact
from models.classifier import Classifier, load_tokenizer
from models.long_text import How
from models.text import normalise
from schemas.records import LABELS
from training.artifacts import manifest
from training.artifacts.scaling import fit, logits_of, of_offsets, softmax
from training.data.corpus import Corpus, Example, halves
from training.measure import bootstrap
from training.measure.figures import Floats, Scores, classification

WAYS: tuple[How, ...] = get_args(How)

WEIGHED = "weighed"
"""The name of the way that a `models.long_text.Weighing` is, beside `WAYS`."""

FEWEST = 100
"""The fewest calls longer than a model reads at once that a weighing is fitted on: it has four numbers."""

PUT_TOGETHER = 0.25
"""How many texts that are put together stand beside each call in the fit.

Calls that end well are called neutral, so hardly one is positive. Of the calls alone a model learns never to answer
that, and calls a long text of nothing but praise neutral.
"""

FOLDS = 10


def choose(folders: Mapping[str, Path], corpus: Corpus, threads: int = 2) -> dict[str, Any] | None:
    """Chooses how each of the artifacts in `folders` (by name, the edge first) reads long texts; tells their manifests.

    It is the way with the least negative log-likelihood on one half of the calls: of their figures the one with the
    least noise. On 180 calls accuracy has a standard error of 4 points, and so few calls are
    positive that a macro figure depends on single ones. Calibrate the artifacts first: the likelihood depends on their
    temperature.

    A weighing is fitted on that half as well, so there its figures are by cross-validation. Where it is better than
    the best way it reads what is longer than the model reads at once, and `head` leaves whole what is not: no call says
    how that is best read, and in a mail of a hundred words one sentence decides, which the others outvote in pieces.

    Returns what `long_text.json` says: the way `chosen` by artifact; for the first of them the figures of the other
    half by way, as `calls`; the same of each artifact in `artifacts`, with those `chosen_on`; and in `majority` what it
    gets there to answer the most frequent label always. None without calls: the manifests then stay as they are.
    """
    parts = dict(zip(("chosen_on", "calls"), halves(corpus.calls), strict=True))
    if not all(parts.values()):
        return None
    labels = {part: [call.label for call in calls] for part, calls in parts.items()}
    found: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
    chosen: dict[str, str] = {}
    for name, folder in folders.items():
        given: dict[str, dict[str, Scores]] = {
            part: {way: score(folder, way, examples, threads) for way in WAYS} for part, examples in parts.items()
        }
        weighing = None
        fitted = weigh(folder, parts["chosen_on"], corpus.domain_dev, threads)
        if fitted is not None:
            weighing, given["chosen_on"][WEIGHED] = fitted
            given["calls"][WEIGHED] = score(folder, "chunks", parts["calls"], threads, weighing)
        found[name] = {
            part: {way: bootstrap.figures(each, labels[part]) for way, each in ways.items()}
            for part, ways in given.items()
        }
        losses = {way: each["nll"] for way, each in found[name]["chosen_on"].items()}
        chosen[name] = min(losses, key=losses.__getitem__)
        if weighing is not None and chosen[name] == WEIGHED:
            manifest.update(folder, long_text="head", weighing=weighing.model_dump(mode="json"))
        else:
            manifest.update(folder, long_text=chosen[name], weighing=None)
    frequent = np.bincount(labels["chosen_on"], minlength=3).argmax()
    return {
        "calls": next(iter(found.values()))["calls"],
        "chosen": chosen,
        "artifacts": found,
        "majority": classification(np.tile(np.eye(3)[frequent], (len(labels["calls"]), 1)), labels["calls"]),
    }


def score(
    folder: Path, way: How, examples: Sequence[Example], threads: int, weighing: WeighingEntry | None = None
) -> Scores:
    """The probabilities of a worker's classifier that reads long texts in that way, or by that `weighing`."""
    return _score(load_artifact(str(folder)), way, examples, threads, weighing)


def weigh(
    folder: Path, calls: Sequence[Example], sentences: Sequence[Example], threads: int
) -> tuple[WeighingEntry, Scores] | None:
    """The weighing with the least negative log-likelihood on those of `calls` that the model can't read at once.

    Beside them stand long texts put together from `sentences` (`put_together`). Returns it, to three decimals, with the
    probabilities of all `calls`, those of each long one by a fit on nine tenths of them that it is not in. None: fewer
    than `FEWEST` are long, or a piece says nothing of its call.
    """
    artifact = load_artifact(str(folder))
    tokenizer = load_tokenizer(artifact, threads)
    encoded = tokenizer.encode_batch_fast([normalise(call.text) for call in calls])
    long = np.array([len(each.ids) > artifact.max_tokens for each in encoded])
    count = int(long.sum())
    if count < FEWEST:
        return None
    beside = put_together(sentences, round(count * PUT_TOGETHER), artifact.max_tokens)
    plain = WeighingEntry(temperature=1.0, offsets=(0.0, 0.0, 0.0))
    given = _score(artifact, artifact.long_text, [*calls, *beside], threads, plain)
    features = of_offsets(logits_of(given))
    mine, others = features[: len(calls)][long], features[len(calls) :]
    wanted = np.array([call.label for call in calls])[long]
    wanted_of_others = [each.label for each in beside]

    def fitted(inside: np.ndarray[Any, np.dtype[np.bool_]]) -> Floats:
        return fit(np.concatenate([mine[inside], others]), [*wanted[inside].tolist(), *wanted_of_others])

    fold = np.random.default_rng(1).permutation(count) % FOLDS
    unseen = np.empty((count, len(LABELS)))
    for held in range(FOLDS):
        unseen[fold == held] = softmax(mine[fold == held] @ fitted(fold != held))
    inverse, *offsets = fitted(np.ones(count, bool)).tolist()
    if inverse < 0.01:
        return None
    probabilities = given[: len(calls)].astype(np.float64)
    probabilities[long] = unseen
    negative, neutral, positive = (round(each, 3) for each in offsets)
    return WeighingEntry(temperature=round(1 / inverse, 3), offsets=(negative, neutral, positive)), probabilities


def put_together(sentences: Sequence[Example], count: int, words: int) -> list[Example]:
    """`count` texts of more than `words` words, each of `sentences` of one label, which is the text's, in turn.

    A label that no sentence has is left out. The same for the same arguments.
    """
    draw = np.random.default_rng(1)
    by_label = [[each.text for each in sentences if each.label == label] for label in range(len(LABELS))]
    there = [(label, texts) for label, texts in enumerate(by_label) if any(text.split() for text in texts)]
    made = []
    for number in range(count if there else 0):
        label, texts = there[number % len(there)]
        parts: list[str] = []
        while sum(len(part.split()) for part in parts) <= words:
            parts.append(texts[draw.integers(len(texts))])
        made.append(Example(f"put together {number}", " ".join(parts), label))
    return made


def _score(
    artifact: Artifact, way: How, examples: Sequence[Example], threads: int, weighing: WeighingEntry | None
) -> Scores:
    changed = artifact.manifest.model_copy(update={"long_text": way, "weighing": weighing})
    return Classifier(replace(artifact, manifest=changed), threads=threads).score([each.text for each in examples])
