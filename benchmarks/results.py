"""The results file: the figures of the last full run, which the documents quote."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figure import Figure, from_json

LATEST = Path(__file__).with_name("results") / "latest.json"


@dataclass
class Results:
    """Figures by the name of their measurement, and what they were taken on."""

    machine: dict[str, str]
    taken: str  # the UTC date
    figures: dict[str, Sequence[Figure]] = field(default_factory=dict)


def save(results: Results, path: Path = LATEST) -> None:
    """Writes `path`; other measurements' figures that are there stay when they were taken on the same machine."""
    kept = load(path) if path.exists() else None
    figures: dict[str, Sequence[Figure]] = {}
    if kept is not None and kept.machine == results.machine:
        figures |= kept.figures
    figures |= results.figures
    path.parent.mkdir(exist_ok=True)
    document = {
        "taken": results.taken,
        "machine": results.machine,
        "figures": {name: [each.to_json() for each in taken] for name, taken in figures.items()},
    }
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load(path: Path = LATEST) -> Results:
    """What `save` wrote."""
    document = json.loads(path.read_text(encoding="utf-8"))
    figures: Mapping[str, list[dict[str, object]]] = document["figures"]
    return Results(
        document["machine"],
        document["taken"],
        {name: [from_json(each) for each in taken] for name, taken in figures.items()},
    )
