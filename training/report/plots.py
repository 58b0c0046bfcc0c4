"""The report's pictures: PNG, the same bytes for the same figures, on a ground of their own for dark pages too."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from schemas.records import LABELS
from training.report.summary import BASE_BYTES, Report, domain

# Okabe and Ito's colours, which colour-blind readers can tell apart.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
COLOURS = {"tiny": BLUE, "edge-tiny": BLUE, "small": GREEN, "edge": GREEN, "cloud": ORANGE}
MARKERS = {"fp32": "o", "int8": "s", "int8w": "D", "int4w": "^"}
INTERVAL = 0.18
"""Opacity of an interval's band."""

ARTICLE_SMALLER, ARTICLE_RETENTION = 0.84, 0.991
"""The article's claim: so much smaller than its base model, at such a share of its accuracy."""

STYLE = {
    "figure.facecolor": "#fbfbfb",
    "axes.facecolor": "#fbfbfb",
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 9,
    "grid.color": "#dddddd",
    "legend.frameon": False,
    "savefig.dpi": 100,
}


def draw(report: Report, folder: Path) -> list[str]:
    """Writes every picture for which `report` has figures to `folder`. Returns their names."""
    pictures: dict[str, Callable[[Report], Figure | None]] = {
        "confusion.png": confusion,
        "reliability.png": reliability,
        "size.png": size,
        "latency.png": latency,
        "deferral.png": deferral,
        "learning.png": learning,
    }
    drawn = []
    for name, picture in pictures.items():
        with mpl.rc_context(STYLE):
            figure = picture(report)
            if figure is None:
                continue
            # Without the library's version in it, so that the bytes depend on the figures alone.
            figure.savefig(folder / name, format="png", metadata={"Software": None}, pil_kwargs={"optimize": True})
        drawn.append(name)
    return drawn


def confusion(report: Report) -> Figure | None:
    """Answers by true label, side by side for each artifact: rows add up to one."""
    test = f"{domain(report)}_test"
    artifacts = report["evaluation"]["artifacts"]
    figure, panels = _panels(len(artifacts), 3.3, 3.1)
    for axes, (name, measured) in zip(panels, artifacts.items(), strict=True):
        counts = measured["sets"][test]["confusion"]
        shares = [[count / max(1, sum(row)) for count in row] for row in counts]
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.grid(visible=False)
        for row, column in ((row, column) for row in range(len(LABELS)) for column in range(len(LABELS))):
            share = shares[row][column]
            axes.text(
                column,
                row,
                f"{100 * share:.0f} %\n{counts[row][column]}",
                ha="center",
                va="center",
                color="white" if share > 0.5 else "black",
            )
        axes.set(title=f"{name}, {test}", xlabel="answer", ylabel="label")
        axes.set_xticks(range(len(LABELS)), LABELS)
        axes.set_yticks(range(len(LABELS)), LABELS, rotation=90, va="center")
    return figure


def reliability(report: Report) -> Figure | None:
    """Accuracy against confidence in bins, before and after calibration; a dot's area is its share of the rows.

    On test where it was measured there: the temperature is not fitted on it.
    """
    calibrated = report["calibration"]
    figure, panels = _panels(len(calibrated), 3.5, 3.3)
    for axes, (name, fitted) in zip(panels, calibrated.items(), strict=True):
        split, each = ("test", fitted["test"]) if fitted.get("test", {}).get("reliability") else ("dev", fitted)
        axes.plot([1 / 3, 1], [1 / 3, 1], color=GREY, linewidth=1, linestyle="--")
        for said, bins, colour in (("before", "reliability_before", ORANGE), ("after", "reliability", BLUE)):
            points = [point for point in each.get(bins, ()) if point["rows"]]
            if not points:
                continue
            rows = sum(point["rows"] for point in points)
            confidences, accuracies = ([point[key] for point in points] for key in ("confidence", "accuracy"))
            axes.plot(confidences, accuracies, color=colour, linewidth=1, label=f"{said}: ECE {each[said]['ece']:.3f}")
            axes.scatter(confidences, accuracies, [8 + 120 * point["rows"] / rows for point in points], color=colour)
        axes.set(title=f"{name}, {split}", xlabel="confidence", ylabel="accuracy", xlim=(0.3, 1.02), ylim=(0, 1.05))
        axes.legend(loc="lower right")
    return figure


def size(report: Report) -> Figure | None:
    """Accuracy on dev against file size, in every format; beside it the base model's size and the article's claim."""
    rows = report["compress"]["rows"]
    figure, (axes,) = _panels(1, 7.4, 3.9)
    shipped = {source: name for name, source in report["compress"]["ships"].items()}
    for row in rows:
        mark = MARKERS.get(row["format"], "x")
        x, y = row["bytes"] / 1e6, row["dev"]["accuracy"]
        axes.scatter(x, y, 26, color=_colour(row["model"]), marker=mark, alpha=0.8, linewidths=1)
        if ships := shipped.get(f"{row['model']}/{row['format']}"):
            axes.annotate(f"ships as {ships}", (x, y), xytext=(-4, 7), textcoords="offset points")
    for kind in dict.fromkeys(_kind(row["model"]) for row in rows):
        axes.scatter([], [], 26, color=_colour(kind), marker="o", label=kind)
    for file_format in dict.fromkeys(row["format"] for row in rows):
        axes.scatter([], [], 26, color="black", marker=MARKERS.get(file_format, "x"), label=file_format)
    axes.axvline(BASE_BYTES / 1e6, color=GREY, linewidth=1, linestyle="--")
    axes.annotate(
        f"base, {BASE_BYTES / 1e6:.1f} MB", (BASE_BYTES / 1e6, 0.02), xycoords=("data", "axes fraction"),
        xytext=(-3, 0), textcoords="offset points", rotation=90, ha="right", color=GREY,
    )  # fmt: skip
    reference = max(rows, key=lambda row: row["bytes"])["dev"]["accuracy"]
    claim = (BASE_BYTES / 1e6 * (1 - ARTICLE_SMALLER), reference * ARTICLE_RETENTION)
    said = f"article's claim: {ARTICLE_SMALLER:.0%} smaller,\n{ARTICLE_RETENTION:.1%} of the large model's accuracy"
    axes.scatter(*claim, 90, color="black", marker="*", label=said)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set(xlabel="model.onnx in MB (logarithmic)", ylabel="accuracy on dev", xlim=(None, 1.4 * BASE_BYTES / 1e6))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def latency(report: Report) -> Figure | None:
    """Median latency of one text against its length, one and two threads, for what ships, or the first of each kind."""
    rows = report["speed"] or {_kind(row["model"]): row for row in reversed(report["compress"]["rows"])}
    figure, (axes,) = _panels(1, 6.0, 3.6)
    for name, row in rows.items():
        for threads, line in (("threads_1", "-"), ("threads_2", ":")):
            lengths = row["latency_ms"].get(threads, {}).get("by_tokens", {})
            if not lengths:
                continue
            tokens = sorted(lengths, key=int)
            x = [int(each) for each in tokens]
            label = f"{name} ({row['format']}), {threads.removeprefix('threads_')} thread{'s' * (threads[-1] != '1')}"
            axes.plot(
                x, [lengths[each]["value"] for each in tokens], line, marker=".", color=_colour(name), label=label
            )
            spreads = [lengths[each].get("spread", [lengths[each]["value"]] * 2) for each in tokens]
            _band(axes, x, spreads, _colour(name))
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set(xlabel="tokens", ylabel="p50 in ms (logarithmic)", ylim=(None, None))
    axes.legend(loc="best")
    return figure


def deferral(report: Report) -> Figure | None:
    """Accuracy against the share of texts that go to the teacher: the least certain, at random, and at best."""
    found = report["evaluation"].get("deferral", {})
    curves = {name: each for name, each in found.items() if isinstance(each, Mapping)}
    if not curves:
        return None
    figure, panels = _panels(len(curves), 5.6, 3.8)
    for axes, (name, each) in zip(panels, curves.items(), strict=True):
        share = [100 * value for value in each["share"]]
        axes.plot(share, each["oracle"], color=GREEN, linestyle="--", linewidth=1.2, label="oracle")
        axes.plot(share, each["uncertain"], color=BLUE, label="least certain first")
        if "uncertain_interval" in each:
            _band(axes, share, each["uncertain_interval"], BLUE)
        axes.plot(share, each["random"], color=GREY, linestyle=":", label="at random")
        axes.set(title=name, xlabel="share that goes to the teacher, in %", ylabel="accuracy", xlim=(0, 100))
        axes.legend(loc="lower right")
    return figure


def learning(report: Report) -> Figure | None:
    """Accuracy on dev after each pass of the students' transfer, a line a seed: where more passes help no more."""
    curves = [
        (kind, each["accuracy"])
        for each in report["epochs"]
        for kind, _, number in [each["model"].partition("-transfer-")]
        if number and "accuracy" in each
    ]
    if not curves:
        return None
    figure, (axes,) = _panels(1, 6.0, 3.6)
    for kind, accuracies in curves:
        axes.plot(range(1, len(accuracies) + 1), accuracies, marker=".", color=_colour(kind), linewidth=1)
    for kind in dict.fromkeys(kind for kind, _ in curves):
        axes.plot([], [], marker=".", color=_colour(kind), label=kind)
    axes.set(xlabel="passes over all the text", ylabel="accuracy on dev")
    axes.legend(loc="best")
    return figure


def _panels(count: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width * count, height), layout="constrained")
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def _band(axes: Axes, x: Sequence[float], ends: Sequence[Sequence[float]], colour: str) -> None:
    low, high = zip(*ends, strict=True)
    axes.fill_between(x, low, high, color=colour, alpha=INTERVAL, linewidth=0)


def _kind(model: str) -> str:
    """The name of a model without its seed's number."""
    return model.rstrip("0123456789").rstrip("-")


def _colour(model: str) -> Any:
    return COLOURS.get(_kind(model), GREY)
