"""What scoring the shipped edge model in batches changes: labels, confidences and time.

    python -m benchmarks.batch_mates [ARTIFACT]

Batched, a model with fixed scales moves in the last bits only. One that is quantised at run time scales the activations
of a whole batch together, so that a text's answer depends on its batch mates; the worker gives it one text a call. This
measures both ways of calling, on the texts of `samples/`, in turns.
"""

import sys
from time import perf_counter

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.traffic import SAMPLE
from models.artifact import load_artifact
from models.classifier import Classifier
from streams.files.recording import read_recording

BUDGETS = (256, 2048)  # tokens in a batch
REPETITIONS = 3


def main() -> None:
    """Prints a row for each size of a batch."""
    texts = [row.text for row in read_recording(SAMPLE)]
    classifier = Classifier(load_artifact(sys.argv[1] if len(sys.argv) > 1 else "edge"))
    one = 1
    seconds: dict[int, list[float]] = {budget: [] for budget in (one, *BUDGETS)}
    answers = {}
    for _ in range(REPETITIONS):
        for budget, taken in seconds.items():
            classifier._token_budget = budget  # noqa: SLF001 - what the classifier itself does not offer, on purpose
            begun = perf_counter()
            answers[budget] = classifier.score(texts)
            taken.append(perf_counter() - begun)
    alone = answers[one]
    table = Table(title=f"{len(texts):,} texts in batches, against one text a call")
    for heading in (
        "tokens a batch",
        "labels changed",
        "confidence moved, mean",
        "at most",
        "time of one text a call over it",
    ):
        table.add_column(heading, justify="right")
    for budget in BUDGETS:
        together = answers[budget]
        moved = np.abs(alone.max(axis=1) - together.max(axis=1))
        ratios = [single / batched for single, batched in zip(seconds[one], seconds[budget], strict=True)]
        table.add_row(
            f"{budget:,}",
            f"{(alone.argmax(axis=1) != together.argmax(axis=1)).mean():.1%}",
            f"{moved.mean():.1e}",
            f"{moved.max():.1e}",
            f"{np.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
