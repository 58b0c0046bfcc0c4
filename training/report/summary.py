"""What a report says first: the aims, and the measured models side by side."""

import re
from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from training.report.markdown import ABSENT, between, figure, megabytes, number, percent, table

BASE_BYTES = 90.9e6
"""MiniLM-L6 as published: 22.7 million parameters of four bytes."""

OVER_SEEDS = "the same over seeds"
"""The row of the means over models trained alike but for the seed."""

LEFT_OUT = re.compile(rf"{OVER_SEEDS}|macro F1|ECE")
"""The rows that a short table does without."""

Report = Mapping[str, Any]
"""What `report.collect` returns."""


def domain(report: Report) -> str:
    """The name of the domain's set."""
    return next(str(source["name"]) for source in report["corpus"]["sources"] if source["role"] == "domain")


def general(report: Report) -> str | None:
    """The name of the general set, if there is one."""
    return next((source["name"] for source in report["corpus"]["sources"] if source["role"] == "general"), None)


def aside(report: Report) -> list[str]:
    """The names of the sets that are measured alone."""
    return [source["name"] for source in report["corpus"]["sources"] if source["role"] == "measured"]


def goes_on(report: Report) -> bool:
    """Whether the run measures or begins from an artifact made before it, whose own training it does not know."""
    rows = report["compress"]["rows"]
    return bool(report.get("config", {}).get("teacher")) or any(row["model"].endswith("-former") for row in rows)


def models(report: Report) -> str:
    """The table of the models, a column each: how small, how good and how fast they are.

    After the artifacts come the kinds that were trained and measured and do not ship, with their means over seeds.
    """
    name, other = domain(report), general(report)
    kinds = report["evaluation"].get("seeds", {})
    return _side_by_side(
        [
            *_artifacts(report),
            *(_kind(report, kind, name, other) for kind in kinds if kind not in report["evaluation"]["artifacts"]),
        ]
    )


def shipped(report: Report) -> str:
    """The table of the edge and the cloud model that ship, in few rows: `models` has all that is known."""
    shown = (
        {row: cell for row, cell in column.items() if not LEFT_OUT.search(row)}
        for artifact, column in zip(report["evaluation"]["artifacts"], _artifacts(report), strict=True)
        if artifact in ("edge", "cloud")
    )
    return _side_by_side(list(shown))


def _artifacts(report: Report) -> list[dict[str, str]]:
    """A column for each artifact: the row's name, and the cell."""
    name, other = domain(report), general(report)
    artifacts = report["evaluation"]["artifacts"]
    kept = report["evaluation"]["retention"].get(f"{name}_test", {})
    columns = [_artifact(report, artifact, name, other) for artifact in artifacts]
    if kept and "edge" in artifacts:
        share = percent(kept["ratio"]) + percents(kept["interval"])
        columns[list(artifacts).index("edge")]["of the cloud's accuracy"] = share
    return columns


def _side_by_side(columns: Sequence[Mapping[str, str]]) -> str:
    rows = list(dict.fromkeys(row for column in columns for row in column))
    return table(
        ["", *(column["model"] for column in columns)],
        [[row, *(column.get(row, ABSENT) for column in columns)] for row in rows if row != "model"],
    )


def _artifact(report: Report, artifact: str, name: str, other: str | None) -> dict[str, str]:
    measured = report["evaluation"]["artifacts"][artifact]
    test = measured["sets"][f"{name}_test"]
    return {
        "model": f"`{measured['id']}`",
        **_size(measured["bytes"]),
        f"{name} test: accuracy": figure(test, "accuracy"),
        OVER_SEEDS: seeds(report, artifact, f"{name}_test_accuracy"),
        f"{name} test: macro F1": figure(test, "macro_f1"),
        f"{name} test: ECE": figure(test, "ece"),
        **({f"{other} test: macro recall": figure(measured["sets"][f"{other}_test"], "macro_recall")} if other else {}),
        **{
            f"{each} test: macro F1": figure(measured["sets"][f"{each}_test"], "macro_f1")
            for each in aside(report)
            if f"{each}_test" in measured["sets"]  # half of a set with few rows may be none
        },
        "of the cloud's accuracy": ABSENT,
        **_speed(report["speed"].get(artifact)),
    }


def _kind(report: Report, kind: str, name: str, other: str | None) -> dict[str, str]:
    """A kind of model that does not ship, in the format that the edge artifact has, if it was made in that."""
    edge = report["speed"].get("edge", {})
    numbered = re.compile(rf"{kind.removeprefix('new ')}-\d")
    same = [row for row in report["compress"]["rows"] if numbered.match(row["model"])]
    row = next((row for row in same if row["format"] == edge.get("format")), same[0] if same else None)
    return {
        "model": f"{kind}, {row['format']} (does not ship)" if row else f"{kind} (does not ship)",
        **(_size(row["bytes"]) if row else {}),
        OVER_SEEDS: seeds(report, kind, f"{name}_test_accuracy"),
        f"{name} test: macro F1": seeds(report, kind, f"{name}_test_macro_f1"),
        **({f"{other} test: macro recall": seeds(report, kind, f"{other}_test_macro_recall")} if other else {}),
        **_speed(row),
    }


def _size(size: float) -> dict[str, str]:
    smaller = percent(1 - size / BASE_BYTES)
    return {"model.onnx": megabytes(size), f"smaller than the base's {megabytes(BASE_BYTES)}": smaller}


def _speed(row: Mapping[str, Any] | None) -> dict[str, str]:
    if row is None:
        return {}
    return {
        "texts/s, batches of 32, two threads": number(row["texts_per_s"]["threads_2"]["sorted"]["value"], 0),
        "p50 of a text of 24 tokens, one thread, in ms": number(
            row["latency_ms"]["threads_1"]["by_tokens"]["24"]["value"], 2
        ),
    }


def aims(report: Report) -> str:
    """The table of what was aimed at, measured and reached; of several seeds or runs, the mean, least and greatest."""
    rows = []
    over_runs = any("runs" in aim for aim in report["aims"])
    for aim in report["aims"]:
        digits, unit = aim["digits"], f" {aim['unit']}".rstrip()
        if aim["reached"] is None:
            reached = "no figure"  # it was not measured, or there is none: of no gap no part is recovered
        elif aim["reached"]:
            reached = "yes"
        else:
            reached = "no, but within the interval" if aim["within"] else "no"
        measured = number(aim["measured"], digits) + (unit if aim["measured"] is not None else "")
        asked = f"{aim['kind']} {number(aim['aim'], digits)}{unit}"
        row = [aim["what"], asked, measured + between(aim["interval"], digits), reached]
        if over_runs:
            values = [value for value in aim["runs"] if value is not None]
            row.append(number(mean(values), digits) + between([min(values), max(values)], digits) if values else ABSENT)
        rows.append(row)
    return table(["what", "aim", "measured", "reached", *(["over seeds"] if over_runs else [])], rows)


def seeds(report: Report, model: str, name: str) -> str:
    """The mean over the models trained alike but for the seed, with the least and the greatest."""
    return over_seeds(report["evaluation"].get("seeds", {}).get(model, {}).get(name))


def over_seeds(values: Sequence[float] | float | None) -> str:
    """The mean of one figure's values over seeds, with the least and the greatest; of a single value, itself."""
    if isinstance(values, int | float):
        return number(values)
    if not values:
        return ABSENT
    return number(mean(values)) + between([min(values), max(values)] if len(values) > 1 else None)


def percents(ends: Sequence[float | None], digits: int = 1) -> str:
    """An interval of shares in percent."""
    return between([None if end is None else 100 * end for end in ends], digits)
