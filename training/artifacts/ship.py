"""Which models ship: chosen on dev among the seeds, and copied to where the steps that follow find them."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from training.artifacts import manifest
from training.learn import bases
from training.learn.curriculum import seeds
from training.learn.network import MAX_TOKENS
from training.learn.run import Run, RunError

ARTIFACTS = ("edge", "cloud")
"""Each is chosen among the students of its kind. Teachers do not ship: they have forgotten much of the general set."""


def kind_of(model: str) -> str:
    """The kind of a model of a run: "edge" of "edge-2"."""
    return model.partition("-")[0]


def describe(run: Run, corpus: Mapping[str, Any], folder: Path, model: str, file_format: str) -> None:
    """Writes the manifest of `model` in `folder`; `corpus` is the run's `corpus.json`."""
    number = int(model.partition("-")[2] or 1)
    manifest.describe(
        folder,
        name=kind_of(model),
        source=f"{model}/{file_format}",
        base=(bases.TINY if kind_of(model) == "edge" else bases.MINILM).name,
        max_tokens=MAX_TOKENS,
        seed=run.config.seed + number - 1,
        data=manifest.data_of(corpus),
        libraries=run.libraries,
    )


def best(rows: Sequence[Mapping[str, Any]], artifact: str, file_format: str) -> str:
    """The model with the highest sum of accuracy and macro F1 on dev, in the format that ships.

    Where two are alike the former one stays. `rows` are those of `compress.json`.

    Raises RunError: none was made in that format.
    """
    fit = [row for row in rows if kind_of(row["model"]) == artifact and row["format"] == file_format]
    if not fit:
        raise RunError(f"no {artifact} model was made in {file_format}: run `edgewise train compress`")

    def worth(row: Mapping[str, Any]) -> tuple[float, bool]:
        return row["dev"]["accuracy"] + row["dev"]["macro_f1"], row["model"] == f"{artifact}-former"

    return str(max(fit, key=worth)["model"])


def ship(run: Run, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Copies the chosen models to `ship/edge` and `ship/cloud`. Returns which they are, as `edge-1/int8s`.

    What this run made gets the configuration's `version`, if it has one; a former artifact keeps its own.
    """
    chosen = {}
    for artifact in ARTIFACTS:
        file_format = run.config.formats[artifact]
        chosen[artifact] = f"{best(rows, artifact, file_format)}/{file_format}"
        target = run.folder / "ship" / artifact
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(run.folder / "artifacts" / chosen[artifact], target)
        manifest.update(target, name=artifact)
        if run.config.version is not None and not chosen[artifact].startswith(f"{artifact}-former/"):
            manifest.update(target, version=run.config.version)
    return chosen


def name_of_seeds(run: Run, kind: str) -> str:
    """What this run's models of a `kind` are called beside what ships: "new edge" where that is a former one.

    Raises RunError: nothing was compressed yet.
    """
    ships = run.read("compress.json", "compress")["ships"].get(kind, "")
    return f"new {kind}" if ships.startswith(f"{kind}-former/") else kind


def shipped(run: Run) -> tuple[Path, Path]:
    """The folders of the edge and the cloud artifact that ship. Raises RunError: `compress` has not made them yet."""
    edge, cloud = (run.folder / "ship" / artifact for artifact in ARTIFACTS)
    for folder in (edge, cloud):
        if not folder.is_dir():
            raise RunError(f"{folder} is missing: run `edgewise train compress` first")
    return edge, cloud


def of_seeds(run: Run) -> dict[str, list[Path]]:
    """The folders of each kind's models, one a seed, in the format that may ship, by `name_of_seeds`."""
    return {
        name_of_seeds(run, kind): [
            run.folder / "artifacts" / f"{kind}-{number}" / run.config.formats["edge" if kind == "edge" else "cloud"]
            for number, _ in seeds(run.config)
        ]
        for kind in run.config.students
    }


def write_metrics(run: Run, evaluation: Mapping[str, Any]) -> None:
    """Writes the figures of an `evaluation`, what `evaluation.json` says, to the manifests of what ships."""
    for folder in shipped(run):
        manifest.update(folder, metrics=manifest.metrics_of(evaluation["artifacts"][folder.name]["sets"]))
