"""What a report says first: the aims, and the measured models side by side."""

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from training.markdown import ABSENT, between, figure, megabytes, number, percent, table

BASE_BYTES = 90.9e6
"""MiniLM-L6 as published: 22.7 million parameters of four bytes."""

Report = Mapping[str, Any]
"""What :func:`training.report.collect` returns."""


def domain(report: Report) -> str:
    """Return the name of the domain's set."""
    return next(str(source["name"]) for source in report["corpus"]["sources"] if source["role"] == "domain")


def general(report: Report) -> str | None:
    """Return the name of the general set, if there is one."""
    return next((source["name"] for source in report["corpus"]["sources"] if source["role"] == "general"), None)


def models(report: Report) -> str:
    """Return the table of the measured artifacts, a column each: how small, how good and how fast they are."""
    name, other = domain(report), general(report)
    artifacts = report["evaluation"]["artifacts"]
    tests = [measured["sets"][f"{name}_test"] for measured in artifacts.values()]
    kept = report["evaluation"]["retention"].get(f"{name}_test")
    speeds = [report["speed"].get(artifact) for artifact in artifacts]
    rows = [
        ["model.onnx", *(megabytes(each["bytes"]) for each in artifacts.values())],
        [
            f"smaller than the base's {megabytes(BASE_BYTES)}",
            *(percent(1 - each["bytes"] / BASE_BYTES) for each in artifacts.values()),
        ],
        [f"{name} test: accuracy", *(figure(each, "accuracy") for each in tests)],
        ["the same over seeds", *(seeds(report, artifact, f"{name}_test_accuracy") for artifact in artifacts)],
        [f"{name} test: macro F1", *(figure(each, "macro_f1") for each in tests)],
        [f"{name} test: ECE", *(figure(each, "ece") for each in tests)],
    ]
    if other:
        recalls = (figure(each["sets"][f"{other}_test"], "macro_recall") for each in artifacts.values())
        rows.append([f"{other} test: macro recall", *recalls])
    if kept:
        share = percent(kept["ratio"]) + percents(kept["interval"])
        rows.append(["of the cloud's accuracy", *(share if each == "edge" else ABSENT for each in artifacts)])
    if any(speeds):
        rate = [each and each["texts_per_s"]["threads_2"]["sorted"]["value"] for each in speeds]
        wait = [each and each["latency_ms"]["threads_1"]["by_tokens"]["24"]["value"] for each in speeds]
        rows.append(["texts/s, batches of 32, two threads", *(number(each, 0) for each in rate)])
        rows.append(["p50 of one text of 24 tokens, one thread, in ms", *(number(each, 2) for each in wait)])
    return table(["", *(f"`{each['id']}`" for each in artifacts.values())], rows)


def aims(report: Report) -> str:
    """Return the table of what was aimed at, measured and reached."""
    rows = []
    for aim in report["aims"]:
        digits, unit = aim["digits"], f" {aim['unit']}".rstrip()
        if aim["reached"] is None:
            reached = "not measured"
        elif aim["reached"]:
            reached = "yes"
        else:
            reached = "no, but within the interval" if aim["within"] else "no"
        measured = number(aim["measured"], digits) + (unit if aim["measured"] is not None else "")
        asked = f"{aim['kind']} {number(aim['aim'], digits)}{unit}"
        rows.append([aim["what"], asked, measured + between(aim["interval"], digits), reached])
    return table(["what", "aim", "measured", "reached"], rows)


def seeds(report: Report, model: str, name: str) -> str:
    """Return the mean over the models trained alike but for the seed, with the least and the greatest."""
    return over_seeds(report["evaluation"].get("seeds", {}).get(model, {}).get(name))


def over_seeds(values: Sequence[float] | float | None) -> str:
    """Return the mean of one figure's values over seeds, with the least and the greatest; of a single value, itself."""
    if isinstance(values, int | float):
        return number(values)
    if not values:
        return ABSENT
    return number(mean(values)) + between([min(values), max(values)] if len(values) > 1 else None)


def percents(ends: Sequence[float | None], digits: int = 1) -> str:
    """Return an interval of shares in percent."""
    return between([None if end is None else 100 * end for end in ends], digits)
