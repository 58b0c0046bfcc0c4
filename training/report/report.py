"""The report of a run: its figures as JSON, as a page that a data scientist can judge them by, and as pictures."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.artifact import MANIFEST
from schemas.errors import UsageError
from training.report import aims, card, sections
from training.report.aims import Aim

STEPS = {"corpus": "corpus", "compress": "compress", "calibration": "calibrate", "evaluation": "evaluate"}
"""The files that a report is made of, and the step that writes each."""

OPTIONAL = ("config", "environment", "ablations", "long_text", "larger")


class ReportError(UsageError):
    """A file that the report is made of is missing or is not JSON."""


def run(folder: Path, out: Path | None = None, aimed: Sequence[Aim] = (), others: Sequence[Path] = ()) -> Path:
    """Writes `report.json`, `report.md` and the pictures of the run in `folder` to `out`. Returns that folder.

    Each artifact that ships gets its card. `out` is the run's `report/` if not given. What was aimed at is told of each
    of the run's seeds as well, and of `others`, the folders of more runs. Every figure on the page is one of
    `report.json`, or follows from it.

    Raises ReportError: a file of the run is missing or is not JSON.
    """
    from training.report import plots  # needs matplotlib; the page does not

    out = out or folder / "report"
    out.mkdir(parents=True, exist_ok=True)
    report = collect(folder, aimed, others)
    text = json.dumps(report, indent=1, ensure_ascii=False)
    # A list of numbers takes one line, which makes the file shorter by half.
    text = re.sub(r'\[\n[^\[\]{}"]*\]', lambda found: " ".join(found[0].split()), text)
    (out / "report.json").write_text(text + "\n", "utf-8")
    pictures = plots.draw(report, out)
    (out / "report.md").write_text(sections.page(report, pictures), "utf-8")
    for name in report["shipped"].keys() & report["evaluation"]["artifacts"].keys():
        card.write(folder / "ship" / name, report)
    return out


def collect(folder: Path, aimed: Sequence[Aim] = (), others: Sequence[Path] = ()) -> dict[str, Any]:
    """All that the report says: the run's files, the shipped artifacts' origin and speed, the aims.

    Of the run's seeds and of `others`, the folders of more runs, only what was aimed at.
    """
    report = {name: _read(folder / f"{name}.json", step) for name, step in STEPS.items()}
    report |= {name: _read(path) for name in OPTIONAL if (path := folder / f"{name}.json").is_file()}
    report["epochs"] = epochs(folder / "log.jsonl")
    report["shipped"] = {path.parent.name: _read(path) for path in sorted((folder / "ship").glob(f"*/{MANIFEST}"))}
    report["speed"] = {name: row for name in report["shipped"] if (row := row_of(report["compress"], name))}
    report["aims"] = [aims.judge(aim, report) for aim in aimed]
    alone = [{"evaluation": _read(path)} for path in sorted(folder.glob("seeds/*/evaluation.json"))]
    runs = [[aims.judge(aim, each) for aim in aimed] for each in alone] or [report["aims"]]
    runs += [collect(other, aimed)["aims"] for other in others]
    if len(runs) > 1:
        report["aims"] = [aims.beside(own, each) for own, *each in zip(report["aims"], *runs, strict=True)]
    return report


def row_of(compress: Mapping[str, Any], artifact: str) -> dict[str, Any] | None:
    """The measurement of the file that was shipped: the row of the model and format it was made from."""
    source = compress["ships"].get(artifact)
    rows: list[dict[str, Any]] = compress["rows"]
    return next((row for row in rows if f"{row['model']}/{row['format']}" == source), None)


def epochs(log: Path) -> list[dict[str, Any]]:
    """For each model in the run's log how many epochs it had, and its figures after each of them.

    A model that was stopped and made again is logged twice: of the lines for an epoch the last counts.
    """
    if not log.is_file():
        return []
    seen: dict[str, dict[int, dict[str, Any]]] = {}
    for line in log.read_text("utf-8").splitlines():
        entry = json.loads(line)
        if "epoch" in entry and "step" not in entry:
            seen.setdefault(entry["model"], {})[entry["epoch"]] = entry
    taken = []
    for model, by_epoch in seen.items():
        ordered = [by_epoch[epoch] for epoch in sorted(by_epoch)]
        curves = {
            name: [entry[name] for entry in ordered if name in entry]
            for name in ("mean_loss", "accuracy", "perplexity")
        }
        taken.append(
            {"model": model, "epochs": max(by_epoch)} | {name: curve for name, curve in curves.items() if curve}
        )
    return taken


def _read(path: Path, step: str | None = None) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        advice = f": run `edgewise train {step}` first" if step else ""
        raise ReportError(f"{path} is missing{advice}") from None
    except (OSError, ValueError) as error:
        raise ReportError(f"{path} cannot be read: {error}") from error
