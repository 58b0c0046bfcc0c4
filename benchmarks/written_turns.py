"""What models make of turns that were written one by one: those that training learns from, and those kept aside.

    python -m benchmarks.written_turns MODEL...

A model is named as `edgewise.load` takes it, or is an artifact's folder. The turns are the grammar's that are whole as
they stand and have one right label; of those that are learned from, 3,000 are drawn. Wrong and sure: wrong with the
edge's default threshold or more. The turns are as in this commit: a model that was trained before some were written
has learned from none of these. A share's interval is its 95 % Wilson interval.
"""

import random
import sys
from typing import Final, NamedTuple

from models.artifact import load_artifact
from models.classifier import Classifier
from schemas.records import LABELS, Role
from streams.cli.table import print_table
from training.data.grammar import Grammar, load
from training.data.suite import UNSURE
from training.measure.figures import wilson

DRAWN: Final = 3_000


class Turn(NamedTuple):
    """A written turn."""

    text: str
    label: str
    role: Role


def turns(grammar: Grammar) -> list[Turn]:
    """The turns of `grammar` that have no template's mark and one label."""
    return [
        Turn(text, start.label, start.role)
        for start in grammar.starts
        if start.label != UNSURE
        for text in start.texts
        if "{" not in text
    ]


def main() -> None:
    """Prints a row for each model."""
    if not (names := sys.argv[1:]):
        sys.exit(__doc__)
    grammar = load()
    learned = random.Random(0).sample(turns(grammar.learned), DRAWN)
    aside = turns(grammar.aside)
    threshold = load_artifact("edge").confidence_threshold or 0.0
    rows = []
    for name in names:
        artifact = load_artifact(name)
        classifier = Classifier(artifact, threads=2)
        cells = [cell for asked in (learned, aside) for cell in _cells(classifier, asked, threshold)]
        rows.append((artifact.id, *cells))
    heads = (f"learned from ({len(learned):,}): right", "wrong and sure", f"kept aside ({len(aside):,}): right")
    print_table(("model", *heads, "wrong and sure"), *rows)


def _cells(classifier: Classifier, asked: list[Turn], threshold: float) -> tuple[str, str]:
    scores = classifier.score([turn.text for turn in asked], [turn.role for turn in asked])
    is_right = [LABELS[best] == turn.label for best, turn in zip(scores.argmax(axis=1), asked, strict=True)]
    is_sure = scores.max(axis=1) >= threshold
    right, sure = sum(is_right), sum(not each and sure for each, sure in zip(is_right, is_sure, strict=True))
    return _share(right, len(asked)), _share(int(sure), len(asked))


def _share(count: int, of: int) -> str:
    low, high = wilson(count, of)
    return f"{count / of:.3f} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    main()
