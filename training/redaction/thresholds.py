"""What a tagger's threshold does to what is found and to what is right: the curve of docs/redaction.md.

`python -m training.redaction.thresholds ../shared/data/pii`: needs no torch. Rules and tagger together, on the dev sets
that the threshold is chosen on.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from models.redaction import Redactor, Span
from models.redaction.onnx_tagger import OnnxTagger
from models.redaction.tag_artifact import MANIFEST, load_tag_artifact
from schemas.errors import EdgewiseError
from training.redaction import written
from training.redaction.figures import Labelled, measure

THRESHOLDS = (0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_HEAD = (
    "| threshold | written: NAME found | right | ADDRESS found | right "
    "| chats: NAME found | right | ADDRESS found | right | F1 of both sets |"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, or 2 when a file is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where *.dev.jsonl lie")
    parser.add_argument("--tagger", default="redaction", metavar="FOLDER", help="the tagger's artifact")
    chosen = parser.parse_args(arguments)
    try:
        artifact = load_tag_artifact(chosen.tagger)
        sentences = written.read(chosen.folder / "written.dev.jsonl")
        chats = [text for path in sorted(chosen.folder.glob("multidogo.*.dev.jsonl")) for text in written.read(path)]
        print(_HEAD, "|---" * 10 + "|", sep="\n")
        for threshold in THRESHOLDS:
            redact = _redactor(artifact.folder, threshold)
            cells = [f"{threshold:g}"]
            for texts in (sentences, chats):
                figures = measure(texts, redact)
                for kind in ("NAME", "ADDRESS"):
                    cells += [f"{figures.recall([kind]).value:.3f}", f"{figures.precision([kind]).value:.3f}"]
            f1 = measure([*sentences, *chats], redact).f1(artifact.manifest.told)
            print(f"| {' | '.join([*cells, f'{f1:.4f}'])} |", flush=True)
    except EdgewiseError as error:
        print(f"thresholds: {error}", file=sys.stderr)
        return 2
    return 0


def _redactor(folder: Path, threshold: float) -> Callable[[Labelled], Sequence[Span]]:
    """What redacts with the tagger in `folder` at another threshold."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(shutil.copytree(folder, Path(name) / "tagger"))
        manifest = json.loads((copy / MANIFEST).read_bytes())
        (copy / MANIFEST).write_text(json.dumps(manifest | {"threshold": threshold}), "utf-8")
        redactor = Redactor(tagger=OnnxTagger(str(copy)))
    return lambda item: redactor.redact(item.text).spans


if __name__ == "__main__":
    sys.exit(main())
