"""How well models do on the behaviour suite, as Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

from training.measure.baseline import told
from training.measure.behaviour import OVERALL
from training.report.markdown import between, number, percent, table
from training.report.summary import Report

EXPLAINED = """\
Turns, mails and captions of contact centres, written by hand, by kind (`training/behaviour`; `docs/labels.md` says what
is right). A bracket behind a share is its 95 % Wilson interval. Wrong and sure: wrong with a confidence of {threshold}
or more, the threshold below which the edge defers. Where no label is right, to be unsure is."""

MORE_DEFERRED = """\
What it takes to be wrong and sure less often: below a threshold the cloud answers. The shares are of the suite, but for
the domain's test."""

SAID = {"edge": "edge", "cloud": "cloud", "line": "the two as a line"}


def section(report: Report) -> Iterator[str]:
    """The report's part on the suite; nothing where it was not measured."""
    found = report["evaluation"].get("behaviour")
    if not found:
        return
    yield "## How does it behave?"
    yield EXPLAINED.format(threshold=number(found["threshold"]))
    yield table_of(found)
    if found.get("thresholds"):
        yield MORE_DEFERRED
        shares = ("deferred", "domain", "wrong_and_sure", "right")
        yield table(
            ["threshold", "deferred", "of the domain's test", "wrong and sure", "right as a line"],
            [[number(at["threshold"], 2), *(percent(at[key]) for key in shares)] for at in found["thresholds"]],
        )
    if found["falls"]:
        yield f"**Worse than the baseline:** {'; '.join(told(fall) for fall in found['falls'])}."


def table_of(report: Mapping[str, Any]) -> str:
    """What `behaviour.run` returned, as a table of a row a kind.

    For each model it has the accuracy with its interval, and the share that is wrong and sure.
    """
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
