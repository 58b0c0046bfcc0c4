"""The tagger's card says of the tagger what its manifest does, and its figures."""

from models.redaction import Span
from training.redaction.card import card
from training.redaction.figures import Labelled, measure

LEARNED = {
    "chats": 29_900, "comments": 17_000, "sentences": 24_000, "epochs": 6, "batch": 256, "rate": 0.0025, "seed": 1,
    "pieces": 8_000, "width": 96,
}  # fmt: skip
MANIFEST = {
    "version": "0a1b2c", "created": "2026-01-02", "base": "BERT 2x128", "threshold": 0.4, "licence": "Apache-2.0",
    "told": ["NAME", "ADDRESS"], "common": ["is", "so"], "training": LEARNED,
    "files": {"model.onnx": {"bytes": 1_500_000}, "tokenizer.json": {"bytes": 250_000}},
}  # fmt: skip


def test_the_card_is_made_of_the_manifest_and_the_figures() -> None:
    item = Labelled("a", "so it is jane", (Span(9, 13, "NAME"),))
    made = card(MANIFEST, {"chats": measure([item], lambda each: each.spans)})
    for part in (
        "# Model card: redaction@0a1b2c", "come from BERT 2x128; 1.75 MB", "2026-01-02",
        "reach 0.4,\nand one beside it where they reach 0.05.",
        "of 2 in `tagger.json`", "| 29,900 |", "| 17,000 |", "| 24,000 |", "8,000 pieces", "to 96 numbers",
        "6 epochs in batches of 256, rate 0.0025, seed 1",
        "Licence: Apache-2.0.", "### chats, dev", "| NAME | 1 | 1.000",
    ):  # fmt: skip
        assert part in made
    assert "{" not in made
