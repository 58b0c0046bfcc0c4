"""What redaction finds and what it misses, by kind, on labelled texts and on made-up written and spoken ones.

`python -m training.redaction.evaluate ../shared/data/pii`: needs no torch. The folder holds `*.dev.jsonl`: files called
`written*` are written texts, all others chats without punctuation.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from models.redaction import KINDS, ConversationRedactor, Redactor, Span, Tagger
from schemas.errors import EdgewiseError, UsageError
from training.redaction import written
from training.redaction.figures import STRUCTURED, Figures, Labelled, measure
from training.redaction.sentences import sentences
from training.redaction.spoken import conversations, turns
from training.redaction.spoken_banks import HELD_OUT, TUNING

TURNS, CONVERSATIONS, SENTENCES, SEED = 4000, 400, 2000, 7


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, or 2 when the folder has nothing to measure on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where *.dev.jsonl lie")
    parser.add_argument("--tagger", type=Path, metavar="FOLDER", help="a tagger's artifact, to measure rules with it")
    parser.add_argument("--missed", type=int, default=0, metavar="N", help="print N missed texts of each kind as well")
    chosen = parser.parse_args(arguments)
    try:
        tagger = None
        if chosen.tagger:
            from models.redaction.onnx_tagger import OnnxTagger

            tagger = OnnxTagger(str(chosen.tagger))
        for title, texts, redact in _sets(chosen.folder, tagger):
            print("\n".join(table(title, measure(texts, redact), missed=chosen.missed)), end="\n\n")
    except EdgewiseError as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 2
    return 0


def table(title: str, figures: Figures, *, missed: int = 0) -> list[str]:
    """`figures` as the lines of a Markdown table, a kind a row, and what leaked."""
    lines = [
        f"### {title}",
        "",
        "| kind | labelled | found | of these, its own kind | right |",
        "|---|---|---|---|---|",
    ]
    structured = [kind for kind in KINDS if kind in STRUCTURED]
    rows: list[tuple[str, Sequence[str]]] = [
        (kind, (kind,)) for kind in KINDS if figures.labelled[kind] or figures.made[kind]
    ]
    for name, kinds in [*rows, ("all but names and addresses", structured)]:
        recall, precision = figures.recall(kinds), figures.precision(kinds)
        named = sum(figures.named[kind] for kind in kinds)
        own = f"{named / recall.part:.3f}" if recall.part else "-"
        lines.append(f"| {name} | {recall.whole:,} | {recall} | {own} | {precision} |")
    lines += [
        "",
        (
            f"Conversations with a leak: {len(figures.leaking):,} of {len(figures.conversations):,}; "
            f"without names and addresses {len(figures.leaking_structured):,}."
        ),
    ]
    for kind in KINDS:
        lines += [f"missed {kind}: {value!r} in {text!r}" for text, value in figures.missed[kind][:missed]]
    return lines


def _sets(
    folder: Path, tagger: Tagger | None
) -> list[tuple[str, list[Labelled], Callable[[Labelled], Sequence[Span]]]]:
    paths = sorted(folder.glob("*.dev.jsonl"))
    if not paths:
        raise UsageError(f"{folder}: no *.dev.jsonl there")
    redactor = Redactor(tagger=tagger)
    texts: list[Labelled] = [text for path in paths if path.name.startswith("written") for text in written.read(path)]
    chats = [text for path in paths if not path.name.startswith("written") for text in written.read(path)]
    invented = list(sentences(SENTENCES, SEED, learned=False))
    made = [turn for bank in TUNING for turn in turns(bank, TURNS // len(TUNING), SEED)]

    def alone(item: Labelled) -> Sequence[Span]:
        return redactor.redact(item.text).spans

    talks = ConversationRedactor(tagger=tagger)

    def together(item: Labelled) -> Sequence[Span]:
        return talks.redact(item.conversation, item.text).spans

    return [
        ("Written", texts, alone),
        ("Written, without punctuation", list(written.without_punctuation(texts)), alone),
        ("Written, made up, phrases and names held out", invented, alone),
        ("The same, without punctuation", list(written.without_punctuation(invented)), alone),
        ("Chats without punctuation", chats, alone),
        ("Spoken, made up, phrases that the rules were tuned on", made, alone),
        ("Spoken, made up, phrases held out", list(turns(HELD_OUT, TURNS, SEED)), alone),
        ("Numbers split over turns, made up, held out", list(conversations(HELD_OUT, CONVERSATIONS, SEED)), together),
    ]


if __name__ == "__main__":
    sys.exit(main())
