"""Every figure of the artifacts that ship, measured by the worker's own classifier on their files."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.artifact import Artifact, load_artifact
from models.classifier import Classifier
from models.text import normalise
from training.data import suite
from training.data.corpus import CALLS, Corpus, Example, sets_of
from training.measure import baseline, behaviour, bootstrap, deferral, robustness
from training.measure.figures import Scores, classification

Bools = NDArray[np.bool_]

LENGTHS = ((1, 10), (11, 20), (21, 30), (31, 50), (51, 100), (101, None))
"""First and last number of tokens of each slice by length, [CLS] and [SEP] not counted."""

AGREEMENTS = (("under 0.6", 0.0, 0.6), ("0.6 to 0.8", 0.6, 0.8), ("0.8 to 1", 0.8, 1.0), ("1: all agree", 1.0, 1.1))
"""Name, least and first greater agreement of each slice by the share of annotators behind the label."""


LEARNED_FROM = 2_000
"""So many of the unlabelled texts show how often edge and cloud agree on them."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One artifact's calibrated probabilities on every set."""

    artifact: Artifact
    score: Callable[[Sequence[str]], Scores]
    probabilities: Mapping[str, Scores]


def run(
    folders: Mapping[str, Path],
    corpus: Corpus,
    *,
    seeds: Mapping[str, Sequence[Path]] | None = None,
    teachers: Mapping[str, Sequence[Mapping[str, Scores]]] | None = None,
    before: Mapping[str, Any] | None = None,
    threads: int = 2,
) -> dict[str, Any]:
    """What `evaluation.json` says of the artifacts in `folders`, by name, among them `edge` and `cloud`.

    Nothing in them is changed. What is said of the line, and of what an edge keeps, is of these two.

    `seeds` has the folders of artifacts that were trained alike but for the seed, by kind. `teachers` has the logits,
    by set, of models that are no artifacts, again by kind. `before` is the baseline that the behaviour suite's kinds
    are compared with.
    """
    sets = sets_of(corpus)
    measured = {name: measure(folder, sets, threads) for name, folder in folders.items()}
    test = f"{corpus.name}_test"
    labels = {name: [example.label for example in examples] for name, examples in sets.items()}
    behaved = behaviour.run(folders["edge"], folders["cloud"], suite.load(), threads=threads)
    sure = measured["edge"].probabilities[test].max(axis=1)
    for at in behaved["thresholds"]:
        at["domain"] = float((sure < at["threshold"]).mean())
    return {
        "artifacts": {name: describe(each, sets, corpus) for name, each in measured.items()},
        "retention": {
            name: retention(measured["edge"].probabilities[name], measured["cloud"].probabilities[name], wanted)
            for name, wanted in labels.items()
        },
        "agreement": {
            name: agreement(measured["edge"].probabilities[name], measured["cloud"].probabilities[name])
            for name in sets
        }
        | {
            name: agreement(measured["edge"].score(texts), measured["cloud"].score(texts))
            for name, texts in without_labels(corpus).items()
        },
        "deferral": {
            test: deferral.curves(
                measured["edge"].probabilities[test], measured["cloud"].probabilities[test], labels[test]
            ),
            "teacher": measured["cloud"].artifact.id,
        },
        "seeds": {
            kind: over_seeds([measure(folder, sets, threads).probabilities for folder in folders], labels, test)
            for kind, folders in (seeds or {}).items()
        }
        | {
            kind: over_seeds(scores, {name: labels[name] for name in scores[0]}, test)
            for kind, scores in (teachers or {}).items()
        },
        "behaviour": behaved | {"falls": [] if before is None else baseline.falls(behaved, before)},
    }


def measure(folder: Path, sets: Mapping[str, Sequence[Example]], threads: int) -> Measured:
    """Scores every set with the artifact in `folder`, as a worker would: told who speaks, where the set knows."""
    artifact = load_artifact(str(folder))
    score = Classifier(artifact, threads=threads).score
    answers = {
        name: score([each.text for each in examples], [each.role for each in examples])
        for name, examples in sets.items()
    }
    return Measured(artifact, score, answers)


def describe(measured: Measured, sets: Mapping[str, Sequence[Example]], corpus: Corpus) -> dict[str, Any]:
    """The artifact's entry: size, figures of each set with their intervals, slices, behavioural tests."""
    right = {
        name: measured.probabilities[name].argmax(axis=1) == np.asarray([each.label for each in examples])
        for name, examples in sets.items()
    }
    return {
        "id": measured.artifact.id,
        "bytes": measured.artifact.model_path.stat().st_size,
        "sets": {
            name: bootstrap.figures(measured.probabilities[name], [each.label for each in examples])
            for name, examples in sets.items()
        },
        "slices": slices(measured.artifact, corpus.domain_test, right[f"{corpus.name}_test"])
        | {
            "channel": [
                _slice(f"{'voice' if name == CALLS else 'written'} ({name})", hits)
                for name, hits in right.items()
                if not name.endswith("_dev")
            ]
        },
        "robustness": robustness.run(measured.score, [example.text for example in corpus.domain_dev]),
    }


def slices(artifact: Artifact, examples: Sequence[Example], right: Bools) -> dict[str, list[dict[str, Any]]]:
    """The accuracy by length in the artifact's own tokens and by the annotators' agreement, where it varies."""
    tokenizer = Tokenizer.from_file(str(artifact.tokenizer_path))
    texts = [normalise(example.text) for example in examples]
    tokens = np.asarray([len(row.ids) for row in tokenizer.encode_batch(texts, add_special_tokens=False)])
    agreement = np.asarray([example.agreement for example in examples])
    found = {
        "length": [
            (
                f"{low} tokens or more" if high is None else f"{low}-{high} tokens",
                (tokens >= low) & (tokens <= (high or np.inf)),
            )
            for low, high in LENGTHS
        ]
    }
    if len(np.unique(agreement)) > 1:
        found["agreement"] = [(name, (agreement >= low) & (agreement < high)) for name, low, high in AGREEMENTS]
    return {
        kind: [_slice(name, right[inside]) for name, inside in parts if inside.any()] for kind, parts in found.items()
    }


def without_labels(corpus: Corpus) -> dict[str, list[str]]:
    """What edge and cloud are compared on beside the sets: the turns of the calls, unseen, and texts learned from."""
    turns = list(dict.fromkeys(line for call in corpus.calls for line in call.text.splitlines() if line.strip()))
    learned = corpus.unlabelled
    drawn = random.Random(1).sample(learned, min(LEARNED_FROM, len(learned)))
    found = {f"{CALLS}, turn by turn": turns, "unlabelled, learned from": drawn}
    return {name: texts for name, texts in found.items() if texts}


def agreement(edge: Scores, cloud: Scores) -> dict[str, Any]:
    """The `share` of texts to which both give the same label, its `interval`, and how many `rows` they are."""
    same = edge.argmax(axis=1) == cloud.argmax(axis=1)
    return {"rows": len(same), "share": float(same.mean()), "interval": list(bootstrap.proportion(same))}


def retention(edge: Scores, cloud: Scores, labels: Sequence[int]) -> dict[str, Any]:
    """The `ratio` of the edge's accuracy to the cloud's, and its `interval`."""
    ratio, ends = bootstrap.retention(edge, cloud, labels)
    return {"ratio": ratio, "interval": list(ends)}


def over_seeds(
    probabilities: Sequence[Mapping[str, Scores]], labels: Mapping[str, Sequence[int]], test: str
) -> dict[str, Any]:
    """Each figure's values over the seeds, as SET_FIGURE; `mean` and `spread` (least, greatest) of test accuracy."""
    found: dict[str, list[float]] = {}
    for measured in probabilities:
        for name, wanted in labels.items():
            for figure, value in classification(measured[name], wanted).items():
                found.setdefault(f"{name}_{figure}", []).append(value)
    accuracies = found[f"{test}_accuracy"]
    return {**found, "mean": float(np.mean(accuracies)), "spread": [min(accuracies), max(accuracies)]}


def _slice(name: str, right: Bools) -> dict[str, Any]:
    return {
        "slice": name,
        "rows": len(right),
        "accuracy": float(right.mean()),
        "accuracy_interval": list(bootstrap.proportion(right)),
    }
