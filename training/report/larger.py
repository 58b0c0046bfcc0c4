"""What a cloud model too large to ship would give: the teacher on a larger base in the place of the one that ships."""

from collections.abc import Iterator, Mapping
from typing import Any

from training.report.markdown import ABSENT, figure, megabytes, number, percent, table
from training.report.summary import Report, domain, general, percents

DEFERRED = (10, 20)
"""Shares of the domain's test set that the edge would leave to it, in percent."""


def section(report: Report) -> Iterator[str]:
    """Says what each of the two is worth behind the same edge."""
    if "larger" not in report:
        return
    yield "## What would a larger cloud give?"
    yield (
        "The teacher on a larger base, its weights in INT8, calibrated like the cloud artifact, in its place behind "
        "the same edge. It does not ship: a package has no room for it. To serve it, give a worker the folder "
        "`RUN/larger/cloud` as its cloud model."
    )
    row = next(
        row for row in report["compress"]["rows"] if row["model"].startswith("large-") and row["format"] != "fp32"
    )
    ships = _column(report, report["evaluation"], report["speed"].get("cloud"))
    larger = _column(report, report["larger"], row)
    yield table(["", "ships", "larger"], [[what, ships[what], larger[what]] for what in ships])


def _column(report: Report, evaluation: Mapping[str, Any], row: Mapping[str, Any] | None) -> dict[str, str]:
    cloud, name, other = evaluation["artifacts"]["cloud"], domain(report), general(report)
    speed = row["texts_per_s"]["threads_2"]["sorted"]["value"] if row else None
    test = f"{name}_test"
    found = {
        "model.onnx": megabytes(cloud["bytes"]),
        "texts/s, batches of 32, two threads": number(speed, 0),
        f"{name} test: accuracy": figure(cloud["sets"][test], "accuracy"),
        f"{name} test: macro F1": figure(cloud["sets"][test], "macro_f1"),
        f"{name} test: ECE": figure(cloud["sets"][test], "ece"),
    }
    if other:
        found[f"{other} test: macro recall"] = figure(cloud["sets"][f"{other}_test"], "macro_recall")
    kept = evaluation["retention"][test]
    found["the edge's accuracy over it"] = percent(kept["ratio"]) + percents(kept["interval"])
    deferral = evaluation["deferral"][test]
    for share in DEFERRED:
        at = next((at for at, each in enumerate(deferral["share"]) if round(each * 100) == share), None)
        right = ABSENT if at is None else number(deferral["uncertain"][at])
        found[f"{name} test: accuracy with the least certain {share} % sent to it"] = right
    for model, said in (("cloud", "behaviour suite, alone"), ("line", "behaviour suite, as a line")):
        found[said] = figure(evaluation["behaviour"]["models"][model]["overall"], "accuracy")
    return found
