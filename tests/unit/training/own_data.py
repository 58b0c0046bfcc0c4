"""Files of one's own texts, and a configuration that reads them."""

import csv
import json
from pathlib import Path
from typing import Any

from training.config.config import Config
from training.config.sources import Source

TRAIN_IDS = [str(570_000_000_000_000_000 + number * 7_919) for number in range(400)]


def write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def numbered(count: int) -> list[dict[str, str]]:
    return [{"text": f"text number {number}", "label": "neutral"} for number in range(count)]


def own(folder: Path, *others: Source, **fields: Any) -> Config:
    """A configuration whose domain is `ours`, with dev.csv and test.csv, which are written, unless `fields` differ."""
    for part in ("dev", "test"):
        if f"{part}_share" not in fields:
            fields.setdefault(part, f"{part}.csv")
        columns = {fields.get("text", "text"): f"the {part} text", fields.get("label", "label"): "neutral"}
        rest = {fields[key]: "" for key in ("id", "agreement") if key in fields}
        write_csv(folder / f"{part}.csv", [columns | rest])
    return Config(data=folder, sources=(Source(name="ours", role="domain", **fields), *others))
