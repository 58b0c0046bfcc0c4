"""The tagger's card: what it is for, what it learned from, how good it is, what it must not be taken for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from models.redaction.onnx_tagger import BESIDE
from training.redaction.evaluate import table
from training.redaction.figures import Figures

_HEAD: Final = Path(__file__).with_name("card_head.txt").read_text(encoding="utf-8")


def card(manifest: Mapping[str, Any], figures: Mapping[str, Figures]) -> str:
    """The card of the tagger that `manifest` describes, with its `figures` by set."""
    learned = manifest["training"]
    size = sum(entry["bytes"] for entry in manifest["files"].values())
    words = {name: manifest[name] for name in ("version", "created", "base", "threshold", "licence")}
    head = _HEAD.format(
        **(learned | words),
        told=" or ".join(manifest["told"]),
        beside=BESIDE,
        common=len(manifest["common"]),
        megabytes=size / 1e6,
    )
    lines = [line for name, each in figures.items() for line in ["", *table(f"{name}, dev", each)]]
    return head + "\n".join(lines) + "\n"
