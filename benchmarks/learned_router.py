"""Whether a learned router would keep better answers than plain confidence does, at the same share of the cloud.

    python -m benchmarks.learned_router FOLDER [EVENTS]

FOLDER holds `airline/dev.csv`, `care/dev.jsonl`, `calls/train.jsonl` and `multidogo/*.dev.jsonl`; at most EVENTS turns
(2,500 by default) are taken of each of the four. The edge and the cloud model answer all. What is learned is whether
they agree, by logistic regression, from what an audit event has: margin, confidence, label, length, role, redaction,
complexity and the kind of text; then with products of these and the margin too. Every event is judged by a model that
was fitted on other conversations (ten folds). Intervals are of the difference to confidence on the same conversations,
drawn again 1,000 times.
"""

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.artifact import load_artifact
from models.classifier import Classifier
from models.redaction import Redactor
from models.router import complexity
from schemas.records import Role
from streams.cli.table import aligned
from streams.files.recording import read_recording
from streams.monitoring.decisions import Floats

EVENTS = 2_500
FOLDS = 10
DRAWS = 1_000
SHARES = (0.8, 0.9, 0.95)  # kept on the edge
RIDGE = 1.0


class Turn(NamedTuple):
    """A text, what it is, whose, and the conversation that it is from."""

    kind: str
    conversation: str
    text: str
    agent: bool = False


def main() -> None:
    """Prints the figures of every router on each kind of text and on all."""
    folder, limit = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else EVENTS
    turns = [turn for kind in KINDS for turn in islice(_turns(folder, kind), limit) if turn.text.strip()]
    texts = [turn.text for turn in turns]
    roles: list[Role] = ["agent" if turn.agent else "customer" for turn in turns]
    edge, cloud = (Classifier(load_artifact(name)).score(texts, roles) for name in ("edge", "cloud"))
    agrees = edge.argmax(axis=1) == cloud.argmax(axis=1)
    names = np.array([f"{turn.kind} {turn.conversation}" for turn in turns])
    _, conversations = np.unique(names, return_inverse=True)
    features = _features(turns, edge)
    routers: dict[str, Floats] = {
        "confidence": edge.max(axis=1).astype(np.float64),
        "margin": _margin(edge),
        "learned": _out_of_fold(features, agrees, conversations),
        "learned, with products": _out_of_fold(_with_products(features), agrees, conversations),
    }
    kinds = np.array([turn.kind for turn in turns])
    sets = {**{kind: kinds == kind for kind in KINDS}, "all": np.ones(len(turns), np.bool_)}
    for name, chosen in sets.items():
        count = len(np.unique(conversations[chosen]))
        print(f"\n{name}: {chosen.sum():,} turns of {count:,} conversations, {agrees[chosen].mean():.4f} agree")
        header = ("router", *(f"{share:.0%} kept" for share in SHARES), "mean over shares", "", "", "", "")
        of_set = {router: scores[chosen] for router, scores in routers.items()}
        print("\n".join(aligned(header, *_rows(of_set, agrees[chosen], conversations[chosen]))))


KINDS = ("tweets", "threads", "calls", "chats")


def _turns(folder: Path, kind: str) -> Iterator[Turn]:
    if kind == "tweets":
        for row in read_recording(folder / "airline" / "dev.csv"):
            yield Turn(kind, str(row.fields["id"]), row.text)
        return
    places = {"threads": "care/dev.jsonl", "calls": "calls/train.jsonl", "chats": "multidogo/*.dev.jsonl"}
    # One line of each file in turn, so that no domain has all of what is taken.
    files = [path.read_text("utf-8").splitlines() for path in sorted(folder.glob(places[kind]))]
    for number in range(max(map(len, files))):
        for lines in files:
            if number < len(lines):
                conversation = json.loads(lines[number])
                for turn in conversation["turns"]:
                    yield Turn(kind, conversation["conversation_id"], turn["text"], turn.get("speaker") == "agent")


def _margin(probabilities: NDArray[np.floating]) -> Floats:
    ordered = np.sort(probabilities, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2], np.float64)


def _features(turns: list[Turn], probabilities: NDArray[np.floating]) -> Floats:
    """Columns, each of mean 0 and deviation 1: margin first; a last one of ones."""
    confidences = probabilities.max(axis=1).tolist()
    redactor = Redactor()
    parts = [complexity(turn.text, each) for turn, each in zip(turns, confidences, strict=True)]
    columns = [
        _margin(probabilities),
        np.array(confidences),
        *(probabilities.argmax(axis=1) == label for label in (0, 2)),
        np.log1p([len(turn.text) for turn in turns]),
        [turn.agent for turn in turns],
        [bool(redactor.redact(turn.text).kinds) for turn in turns],
        *zip(*((part.length, part.syntax, part.emotion, part.total) for part in parts), strict=True),
        *([turn.kind == kind for turn in turns] for kind in KINDS[1:]),
    ]
    table = np.array(columns, np.float64).T
    spread = table.std(axis=0)
    return np.column_stack([(table - table.mean(axis=0)) / np.where(spread > 0, spread, 1), np.ones(len(turns))])


def _with_products(features: Floats) -> Floats:
    """The features, and the products of each with the margin."""
    return np.column_stack([features[:, :-1], features[:, :-1] * features[:, :1], features[:, -1]])


def _out_of_fold(features: Floats, agrees: NDArray[np.bool_], conversations: NDArray[np.int64]) -> Floats:
    fold = np.random.default_rng(1).permutation(conversations.max() + 1)[conversations] % FOLDS
    scores = np.empty(len(agrees))
    for held in range(FOLDS):
        weights = _logistic(features[fold != held], agrees[fold != held].astype(np.float64))
        scores[fold == held] = features[fold == held] @ weights
    return scores


def _logistic(features: Floats, wanted: Floats) -> Floats:
    """Weights of a logistic regression with a ridge penalty, by Newton's method."""
    weights = np.zeros(features.shape[1])
    penalty = RIDGE * np.eye(features.shape[1])
    for _ in range(25):
        given = 1 / (1 + np.exp(-features @ weights))
        slope = features.T @ (given - wanted) + penalty @ weights
        step = np.linalg.solve((features.T * (given * (1 - given))) @ features + penalty, slope)
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    return weights


def _rows(
    routers: dict[str, Floats], agrees: NDArray[np.bool_], conversations: NDArray[np.int64]
) -> Iterator[tuple[str, ...]]:
    """The agreement of what each router keeps, and how much more it is than confidence keeps, with its interval."""
    _, place = np.unique(conversations, return_inverse=True)
    random = np.random.default_rng(1)
    drawn = random.multinomial(place.max() + 1, np.full(place.max() + 1, 1 / (place.max() + 1)), size=DRAWS)
    weights = np.vstack([np.ones((1, len(agrees))), drawn[:, place]])
    figures = {name: _kept_agreement(scores, agrees, weights) for name, scores in routers.items()}
    for name, found in figures.items():
        cells = [f"{value:.4f}" for value in found[0]]
        gains = found[1:] - figures["confidence"][1:]
        low, high = np.quantile(gains, [0.025, 0.975], axis=0)
        told = [f"{one:+.4f} to {two:+.4f}" for one, two in zip(low, high, strict=True)]
        yield (name, *cells, *(told if name != "confidence" else [""] * len(told)))


def _kept_agreement(scores: Floats, agrees: NDArray[np.bool_], weights: Floats) -> Floats:
    """The weighted share that agrees of the surest `SHARES`, and its mean over all shares, for each of `weights`."""
    order = np.argsort(-scores, kind="stable")
    mass = np.cumsum(weights[:, order], axis=1)
    right = np.cumsum(weights[:, order] * agrees[order], axis=1)
    shares = right / np.maximum(mass, 1)
    found = [
        shares[np.arange(len(weights)), np.minimum((mass < share * mass[:, -1:]).sum(axis=1), len(agrees) - 1)]
        for share in SHARES
    ]
    return np.column_stack([*found, (shares * weights[:, order]).sum(axis=1) / mass[:, -1]])


if __name__ == "__main__":
    main()
