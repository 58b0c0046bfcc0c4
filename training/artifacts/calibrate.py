"""The temperature that makes a confidence mean what it says, and the confidence below which the edge asks the cloud.

An artifact carries one number for calibration, its temperature. `compare` says on dev what more numbers would buy.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.artifact import load_artifact
from models.classifier import Classifier
from models.router import complexity, policy
from training.artifacts import long_text, manifest
from training.artifacts.scaling import Method, fit, logits_of, of_offsets, of_temperature, softmax
from training.data.corpus import Corpus, Example, halves
from training.measure.figures import Floats, Scores, error_if_honest, honesty, reliability, surprise

COVERAGE = 0.90
"""The share of the domain's dev set that the router's default policy shall keep on the edge."""

FOLDS = 10


def _vector(logits: Floats) -> Floats:
    """A factor and an offset for each label: vector scaling (Guo et al. 2017, 4.2)."""
    return np.concatenate([logits[:, :, None] * np.eye(3), of_offsets(logits)[:, :, 1:]], axis=2)


METHODS: dict[str, Method] = {"temperature": of_temperature, "bias": of_offsets, "vector": _vector}


def fit_temperature(sets: Sequence[tuple[Scores, Sequence[int], float]]) -> float:
    """The temperature with the least negative log-likelihood, to two decimals, from 0.05 to 20.

    Each set has probabilities `[rows, 3]` at temperature 1, its rows' labels (Guo et al. 2017, section 4.2), and how
    much it counts, however many rows it has: confidence is to be honest on all of them.
    """
    labels = [label for _, given, _ in sets for label in given]
    share = len(labels) / sum(counts for _, _, counts in sets)
    weights = [share * counts / len(given) for _, given, counts in sets for _ in given]
    together = np.concatenate([probabilities for probabilities, _, _ in sets])
    (inverse,) = fit(of_temperature(logits_of(together)), labels, weights)
    return round(1 / float(np.clip(inverse, 1 / 20, 1 / 0.05)), 2)


def compare(probabilities: Scores, labels: Sequence[int]) -> dict[str, dict[str, float]]:
    """What each method's probabilities are worth on rows that it was not fitted on: 10-fold cross-validation.

    For each of `METHODS`: `ece`, `brier`, `nll`, and `gain`: by how many nats a row it beats a
    temperature, with its standard error `gain_error`. A method is worth more than a temperature when its gain is over
    two standard errors. With the shipped models no gain was.
    """
    logits = logits_of(probabilities)
    wanted = np.asarray(labels)
    fold = np.random.default_rng(1).permutation(len(wanted)) % FOLDS
    scaled = {}
    for name, method in METHODS.items():
        features = method(logits)
        scaled[name] = np.empty_like(logits)
        for held in range(FOLDS):
            parameters = fit(features[fold != held], wanted[fold != held].tolist())
            scaled[name][fold == held] = softmax(features[fold == held] @ parameters)
    base = surprise(scaled["temperature"], labels)
    found = {}
    for name, given in scaled.items():
        gains = base - surprise(given, labels)
        error = float(gains.std(ddof=1) / np.sqrt(len(gains)))
        found[name] = honesty(given, labels) | {"gain": float(gains.mean()), "gain_error": error}
    return found


def choose_threshold(texts: Sequence[str], confidences: Sequence[float]) -> float:
    """The highest threshold, to three decimals, at which the default policy keeps `COVERAGE` on the edge.

    `confidences` are the edge's, calibrated. An event stays when it is not too complex, its confidence reaches the
    threshold, and the random sample does not draw it. The random sample counts by its rate, because the draw depends on
    ids, which a recording does not have yet. When complexity alone sends too many away the result is 0.
    """
    default = policy("default", calibrated_threshold=0.0)
    eligible = np.asarray(
        [
            confidence if complexity(text, confidence).total <= default.complexity_threshold else -1.0
            for text, confidence in zip(texts, confidences, strict=True)
        ]
    )
    for step in range(999, 0, -1):
        if float((eligible >= step / 1000).mean()) * (1 - default.random_cloud_rate) >= COVERAGE:
            return step / 1000
    return 0.0


def calibrate(folder: Path, corpus: Corpus, *, routes: bool, threads: int = 2) -> dict[str, Any]:
    """Fits the artifact in `folder`, and writes `temperature` and `confidence_threshold` to its manifest.

    The temperature is fitted on dev and on half of each set that is measured alone, as much as its weight says; the
    threshold on dev.

    `routes` says whether it is the edge, whose manifest has a threshold.

    Returns its entry of `calibration.json`: what was written, the figures `before` (at temperature 1) and `after`, the
    `reliability` diagram's points after and `reliability_before`, `ece_if_honest` and the `methods` compared, on dev;
    the same of the test set in `test`.
    """
    artifact = load_artifact(str(folder))
    classifier = Classifier(artifact, threads=threads)

    def logits(examples: Sequence[Example]) -> Floats:
        texts, roles = [example.text for example in examples], [example.role for example in examples]
        return logits_of(classifier.score(texts, roles), artifact.temperature)

    sets = {"dev": corpus.domain_dev, "test": corpus.domain_test}
    before = {name: softmax(logits(examples)) for name, examples in sets.items()}
    labels = {name: [example.label for example in examples] for name, examples in sets.items()}
    others = [half for examples in corpus.measured.values() if (half := halves(examples)[0])]
    kinds = [(softmax(logits(half)), [example.label for example in half], half[0].weight) for half in others]
    temperature = fit_temperature([(before["dev"], labels["dev"], 1.0), *kinds])
    after = {name: softmax(logits_of(given) / temperature) for name, given in before.items()}
    threshold = None
    if routes:
        confidences = after["dev"].max(axis=1).tolist()
        threshold = choose_threshold([example.text for example in corpus.domain_dev], confidences)
    manifest.update(folder, temperature=temperature, confidence_threshold=threshold)
    figures = {
        name: {
            "before": honesty(before[name], labels[name]),
            "after": honesty(after[name], labels[name]),
            "reliability_before": reliability(before[name], labels[name]),
            "reliability": reliability(after[name], labels[name]),
            "ece_if_honest": error_if_honest(after[name]),
        }
        for name in sets
    }
    return {
        "temperature": temperature,
        "confidence_threshold": threshold,
        **figures["dev"],
        "methods": compare(before["dev"], labels["dev"]),
        "test": figures["test"],
    }


def run(folders: Mapping[str, Path], corpus: Corpus, *, threads: int = 2) -> dict[str, Any]:
    """Calibrates the artifacts in `folders`, by name: all but the cloud's route.

    Then it chooses on half of the calls how all of them read long texts.

    Returns what the run's files `calibration.json` and `long_text.json` say, by file. The latter is None without calls.
    """
    calibration = {
        name: calibrate(folder, corpus, routes=name != "cloud", threads=threads) for name, folder in folders.items()
    }
    return {"calibration.json": calibration, "long_text.json": long_text.choose(folders, corpus, threads)}
