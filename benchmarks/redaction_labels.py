"""How often redaction changes a model's label: what the cloud is asked is redacted.

    python -m benchmarks.redaction_labels FILE...

Each FILE is a recording, as `edgewise score` reads one. Turns of a conversation are read in their order. A share is of
all texts, with Wilson's 95 % interval. Both shipped models are asked; the edge, on a worker, reads what was said.
Beside it stands how often the cloud's label changes where each name that was found is replaced by another of the file:
that much of it is the model's own doing.
"""

import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from models.artifact import load_artifact
from models.classifier import Classifier
from models.redaction import ConversationRedactor, Span
from streams.config.loading import load_settings
from streams.config.redaction import build_tagger
from streams.files.recording import read_recording
from training.redaction.figures import Share

MODELS = ("edge", "cloud")
_STEP = 101  # names between one and that which takes its place; a prime, so that few take their own


def main(paths: list[str]) -> int:
    """Prints a row of a Markdown table for each file."""
    classifiers = [Classifier(load_artifact(name)) for name in MODELS]
    tagger = build_tagger(load_settings())
    print(
        "| file | texts | redacted | edge's label changed | cloud's label changed | by another name |",
        "|---|---|---|---|---|---|",
        sep="\n",
    )
    for path in map(Path, paths):
        talks = ConversationRedactor(tagger=tagger)
        texts, said, sent, found = 0, list[str](), list[str](), list[Sequence[Span]]()
        for row in read_recording(path):
            texts += 1
            without = talks.redact(str(row.fields.get("conversation_id", texts)), row.text)
            if without.spans:
                said.append(row.text)
                sent.append(without.text)
                found.append([span for span in without.spans if span.kind == "NAME"])
        changed = [_changed(model, said, sent) for model in classifiers]
        changed.append(_changed(classifiers[-1], said, _renamed(said, found)))
        print(f"| {path.name} | {texts:,} |", *(f"{Share(part, texts)} |" for part in (len(said), *changed)))
    return 0


def _changed(model: Classifier, said: Sequence[str], instead: Sequence[str]) -> int:
    """How many labels of `said` the texts `instead` do not have."""
    if not said:
        return 0
    return int((model.score(list(said)).argmax(axis=1) != model.score(list(instead)).argmax(axis=1)).sum())


def _renamed(said: Sequence[str], found: Sequence[Sequence[Span]]) -> list[str]:
    """`said` with another of the names found in place of each."""
    names = [text[span.start : span.end] for text, spans in zip(said, found, strict=True) for span in spans]
    others, renamed = count(_STEP), []
    for text, spans in zip(said, found, strict=True):
        made, end = "", 0
        for span in spans:
            made += text[end : span.start] + names[next(others) % len(names)]
            end = span.end
        renamed.append(made + text[end:])
    return renamed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
