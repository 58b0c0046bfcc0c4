"""What redaction costs a turn, beside scoring the same turns with the edge model.

    python -m benchmarks.redaction [FOLDER]

FOLDER holds `*.jsonl` with a field `text`; else the turns are those of `samples/`. Where the setting `redaction`
is `tagger`, the rules have the tagger of `redaction_model` beside them. All are measured a turn a call, in rounds,
of which the first does not count. Time is the processor's: what else the machine does is left out.
"""

import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median
from time import thread_time_ns

from benchmarks.figure import Figure, figure, quantile
from benchmarks.table import show
from benchmarks.traffic import SAMPLE
from models.artifact import load_artifact
from models.classifier import Classifier
from models.redaction import ConversationRedactor, Redactor
from streams.config.loading import load_settings
from streams.config.redaction import build_tagger
from streams.files.recording import read_recording

REPETITIONS = 7
TURNS = 2_000
LENGTH = 12  # turns of a conversation


def main() -> None:
    """Prints the median and the 95th percentile of each, and the ratio of the medians."""
    tagger = build_tagger(load_settings())
    paths = sorted(Path(sys.argv[1]).glob("*.jsonl")) if len(sys.argv) > 1 else [SAMPLE]
    texts = [row.text for path in paths for row in read_recording(path)]
    texts = texts[:: max(1, len(texts) // TURNS)]
    classifier = Classifier(load_artifact("edge"))
    redactor, talks, said = Redactor(tagger=tagger), ConversationRedactor(tagger=tagger), count()
    works: dict[str, Callable[[str], object]] = {
        "redact": redactor.redact,
        "redact in a conversation": lambda text: talks.redact(str(next(said) // LENGTH), text),
        "score": lambda text: classifier.score([text]),
    }
    taken = {name: [_times_us(work, texts) for _ in range(REPETITIONS + 1)][1:] for name, work in works.items()}
    figures: list[Figure] = []
    for name, rounds in taken.items():
        figures.append(figure(f"{name}, median", "a turn", "us", [median(times) for times in rounds]))
        figures.append(figure(f"{name}, 95th percentile", "a turn", "us", [quantile(times, 0.95) for times in rounds]))
    ratios = [median(one) / median(other) for one, other in zip(taken["redact"], taken["score"], strict=True)]
    figures.append(figure("redact over score, medians", "a turn", "", ratios))
    sums = [sum(one) / sum(other) for one, other in zip(taken["redact"], taken["score"], strict=True)]
    figures.append(figure("redact over score, all turns", "a turn", "", sums))
    length = sum(map(len, texts)) / len(texts)
    show(f"{len(texts):,} turns of {length:.0f} characters on average, {REPETITIONS} rounds", figures)


def _times_us(work: Callable[[str], object], texts: list[str]) -> list[float]:
    """Processor time of `work` on each text, in microseconds."""
    times = []
    for text in texts:
        begun = thread_time_ns()
        work(text)
        times.append((thread_time_ns() - begun) / 1_000)
    return times


if __name__ == "__main__":
    main()
