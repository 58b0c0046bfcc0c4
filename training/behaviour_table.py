"""What models do on the behaviour suite, as a Markdown table."""

from collections.abc import Mapping
from typing import Any

from training.markdown import between, number, percent, table
from training.measure.behaviour import OVERALL

SAID = {"edge": "edge", "cloud": "cloud", "line": "the two as a line"}


def page(report: Mapping[str, Any]) -> str:
    """The table: a row a kind, for each model its accuracy with its interval, and the share that is wrong and sure."""
    models = report["models"]
    first = next(iter(models.values()))
    headings = ["kind", "items"]
    for name in models:
        headings += [f"{SAID[name]}: right", "wrong and sure"]
    rows = [[kind.replace("_", " "), *_cells(models, kind)] for kind in first["kinds"]]
    macro = ["mean of kinds", number(first[OVERALL]["items"], 0)]
    for each in models.values():
        macro += [number(each["macro"]), ""]
    rows += [macro, ["all items", *_cells(models, None)]]
    return table(headings, rows)


def _cells(models: Mapping[str, Any], kind: str | None) -> list[str]:
    parts = [each["kinds"][kind] if kind else each[OVERALL] for each in models.values()]
    cells = [number(parts[0]["items"], 0)]
    for part in parts:
        cells += [
            number(part["accuracy"], 2) + between(part["accuracy_interval"], 2),
            percent(part["wrong_and_sure"], 0),
        ]
    return cells
