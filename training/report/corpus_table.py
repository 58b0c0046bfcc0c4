"""What a corpus is made of, as tables."""

from collections.abc import Mapping
from typing import Any

from schemas.records import LABELS
from training.report import markdown


def table(described: Mapping[str, Any]) -> str:
    """What `statistics.describe` returned, as Markdown tables: the sources, what was kept of them, the splits."""
    sources = [
        (source["name"], source["role"], str(len(source["files"])), source["licence"] or "-", source["origin"] or "-")
        for source in described["sources"]
    ]
    counts = [
        (source["name"], split, f"{count['read']:,}", f"{count['kept']:,}", _shared(count["repeated"]))
        for source in described["sources"]
        for split, count in source["splits"].items()
    ]
    splits = []
    for name, split in described["splits"].items():
        labels = [f"{split['labels'][label]:,}" if "labels" in split else "-" for label in LABELS]
        lengths = [f"{split[unit][key]:,.0f}" for unit in ("words", "characters") for key in ("mean", "p50", "p95")]
        splits.append((name, f"{split['texts']:,}", *labels, *lengths))
    return "\n\n".join(
        (
            markdown.table(("source", "role", "files", "licence", "origin"), sources),
            markdown.table(("source", "split", "texts read", "kept", "left out: the same text is in"), counts),
            markdown.table(
                ("split", "texts", *LABELS, "words: mean", "median", "95 %", "characters: mean", "median", "95 %"),
                splits,
            ),
        )
    )


def _shared(repeated: Mapping[str, int]) -> str:
    return (
        ", ".join(f"{split} {count:,}" for split, count in sorted(repeated.items(), key=lambda item: -item[1])) or "-"
    )
