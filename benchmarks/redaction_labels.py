"""How often redaction changes a model's label: what the cloud is asked is redacted.

    python -m benchmarks.redaction_labels FILE...

Each FILE is a recording, as `edgewise score` reads one. Turns of a conversation are read in their order. A share is of
all texts, with Wilson's 95 % interval. Both shipped models are asked; the edge, on a worker, reads what was said.
"""

import sys
from pathlib import Path

from models.artifact import load_artifact
from models.classifier import Classifier
from models.redaction import ConversationRedactor
from streams.config.loading import load_settings
from streams.config.redaction import build_tagger
from streams.files.recording import read_recording
from training.redaction.figures import Share

MODELS = ("edge", "cloud")


def main(paths: list[str]) -> int:
    """Prints a row of a Markdown table for each file."""
    classifiers = [Classifier(load_artifact(name)) for name in MODELS]
    tagger = build_tagger(load_settings())
    print(
        "| file | texts | redacted | edge's label changed | cloud's label changed |", "|---|---|---|---|---|", sep="\n"
    )
    for path in map(Path, paths):
        talks = ConversationRedactor(tagger=tagger)
        texts, said, sent = 0, list[str](), list[str]()
        for row in read_recording(path):
            texts += 1
            without = talks.redact(str(row.fields.get("conversation_id", texts)), row.text)
            if without.spans:
                said.append(row.text)
                sent.append(without.text)
        labels = [
            int((model.score(said).argmax(axis=1) != model.score(sent).argmax(axis=1)).sum()) if said else 0
            for model in classifiers
        ]
        print(f"| {path.name} | {texts:,} |", *(f"{Share(part, texts)} |" for part in (len(said), *labels)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
