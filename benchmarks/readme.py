"""Puts figures between the markers of the documents.

Of benchmarks/results/latest.json a few go into the README and all into docs/benchmarks.md; those of the models are from
results/report.json.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.results import Results, load
from benchmarks.workers import REPOSITORY
from schemas.errors import EdgewiseError
from training.report import summary

REPORT = REPOSITORY / "results" / "report.json"

# The README's rows, of the run on Kafka: what is said, and the figures that say it.
ROWS = (
    ("the classifier alone", ("bare classifier",)),
    ("the whole line, exactly once", ("whole line", "whole line / bare classifier")),
    ("latency p50, p95, p99 at 200 events/s", tuple(f"p{q} at 200 events/s" for q in (50, 95, 99))),
    ("edge worker, start to first result", ("edge worker, process start to first result",)),
    (
        "memory of edge, cloud, monitor worker",
        tuple(f"{a} worker, resident" for a in ("edge", "cloud", "monitor")),
    ),
)


class DocumentError(EdgewiseError):
    """A document has no place for the figures."""


def main() -> None:
    """Writes both documents."""
    results = load()
    _put(REPOSITORY / "README.md", "bench", _few(results))
    try:
        _put(REPOSITORY / "README.md", "models", models(REPORT))
    except DocumentError as error:
        sys.exit(str(error))
    _put(REPOSITORY / "docs" / "benchmarks.md", "bench", _all(results))


def replaced(document: str, name: str, block: str) -> str:
    """`document` with `block` between the markers called `name`. Raises DocumentError: it has no such markers."""
    before, start, rest = document.partition(f"<!-- {name}:start -->")
    _, end, after = rest.partition(f"<!-- {name}:end -->")
    if not start or not end:
        raise DocumentError(f"needs a line <!-- {name}:start --> and below it a line <!-- {name}:end -->")
    return f"{before}{start}\n{block}\n{end}{after}"


def _put(path: Path, name: str, block: str) -> None:
    try:
        path.write_text(replaced(path.read_text(encoding="utf-8"), name, block), encoding="utf-8")
    except (DocumentError, OSError) as error:
        sys.exit(f"{path.name}: {error}")


def models(report: Path) -> str:
    """The two models that a line runs by default, side by side, by the report on those that ship.

    Raises DocumentError: there is no such report.
    """
    try:
        return summary.shipped(json.loads(report.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise DocumentError(
            f"{report.name}: put the report of the run that measured the models into results/: {error}"
        ) from error


def _few(results: Results) -> str:
    figures = [each for taken in results.figures.values() for each in taken]
    lines = ["| on Kafka | |", "|---|---|"]
    for said, names in ROWS:
        if found := cell([each for name in names for each in figures if (each.what, each.where) == (name, "kafka")]):
            lines.append(f"| {said} | {found} |")
    return "\n".join([*lines, "", _machine(results)])


def cell(found: Sequence[Figure]) -> str:
    """`1,234 events/s (× 0.85)`; figures of one unit together: `10, 18, 25 ms`."""
    ratios = [each for each in found if not each.unit]
    measured = [each for each in found if each.unit]
    if not measured:
        return ""
    unit = measured[0].unit
    values = ", ".join(each.shown.removesuffix(unit).strip() for each in measured)
    return f"{values} {unit}" + "".join(f" (ratio **{each.shown}**)" for each in ratios)


def _all(results: Results) -> str:
    lines = [_taken(results), ""]
    for taken in results.figures.values():
        lines += ["| measured | on | median | range |", "|---|---|---:|---:|"]
        lines += [f"| {each.what} | {each.where} | {each.shown} | {each.spread} |" for each in taken]
        lines.append("")
    return "\n".join(lines).rstrip()


def _machine(results: Results) -> str:
    """When and where the figures were taken, for a reader in a hurry."""
    machine = results.machine
    return (
        f"Medians of {results.taken}; {machine['cores']} cores of {machine['processor']}, {machine['memory']}, "
        "shared with the broker. `make bench` takes them again."
    )


def _taken(results: Results) -> str:
    machine = results.machine
    return (
        f"Medians, taken on {results.taken} with everything, the broker too, on one machine: "
        f"{machine['cores']} cores of {machine['processor']}, {machine['memory']}, {machine['system']}, "
        f"Python {machine['python']}; {machine['packages']}. `make bench` takes them again."
    )


if __name__ == "__main__":
    main()
