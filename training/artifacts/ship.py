"""Which models ship: chosen on dev among the seeds, and copied to where the steps that follow find them."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.artifact import load_artifact
from training.artifacts import manifest
from training.config.config import FileFormat, Kind
from training.learn import bases
from training.learn.curriculum import LARGE, seeds
from training.learn.network import MAX_TOKENS
from training.learn.run import Run, RunError

LARGER_FORMAT: FileFormat = "int8w"
"""Of the teacher on a larger base. An MPNet's activations have extremes: under fixed scales, or a batch's,
one gave another label to a tenth of the texts."""


def kind_of(model: str) -> str:
    """The kind of a model of a run: "tiny" of "tiny-2"."""
    return model.partition("-")[0]


def describe(run: Run, corpus: Mapping[str, Any], folder: Path, model: str, file_format: str) -> None:
    """Writes the manifest of `model` in `folder`; `corpus` is the run's `corpus.json`.

    An artifact that was the teacher hands on what it learned: its sets, with their terms, are the model's too.
    """
    number = int(model.partition("-")[2] or 1)
    source, data = f"{model}/{file_format}", manifest.data_of(corpus)
    by = None if model == LARGE else getattr(run.config, kind_of(model)).taught_by
    if run.config.teacher is not None:
        teacher = load_artifact(str(run.config.teacher))
        source += f", taught by {teacher.id if by is None else f'{by}-1, which {teacher.id} taught'}"
        data += manifest.sets_of(teacher.manifest, {each["name"] for each in data})
    elif by is not None:
        source += f", taught by {by}-1"
    manifest.describe(
        folder,
        name=kind_of(model),
        source=source,
        base={"tiny": bases.TINY.name, "large": bases.MPNET}.get(kind_of(model), bases.MINILM.name),
        max_tokens=MAX_TOKENS,
        seed=run.config.seed + number - 1,
        data=data,
        libraries=run.libraries,
    )
    if any(source.role == "extra" and source.tells_roles for source in run.config.sources):
        manifest.update(folder, reads_roles=True)


def best(rows: Sequence[Mapping[str, Any]], artifact: str, kind: str, file_format: str) -> str:
    """The student of that `kind`, or former artifact, with the highest sum of accuracy and macro F1 on dev.

    Where two are alike the former one stays. `rows` are those of `compress.json`. Teachers do not ship: they have
    forgotten much of the general set.

    Raises RunError: none was made in that format.
    """
    former = f"{artifact}-former"
    ours = [row for row in rows if row["model"] == former or (kind_of(row["model"]) == kind and not is_former(row))]
    fit = [row for row in ours if row["format"] == file_format]
    if not fit:
        raise RunError(
            f"no {kind} model was made in {file_format} to ship as {artifact}: "
            "run `edgewise train distill` and `compress`"
        )

    def worth(row: Mapping[str, Any]) -> tuple[float, bool]:
        return row["dev"]["accuracy"] + row["dev"]["macro_f1"], row["model"] == former

    return str(max(fit, key=worth)["model"])


def is_former(row: Mapping[str, Any]) -> bool:
    """Whether a row of `compress.json` is of an artifact that was in service before."""
    return str(row["model"]).endswith("-former")


def ship(run: Run, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Copies the chosen models to `ship/ARTIFACT`. Returns which they are by artifact, as `small-1/int8s`.

    What this run made gets the configuration's `version`, if it has one; a former artifact keeps its own.
    """
    chosen: dict[str, str] = {}
    for artifact, kind in run.config.ships.items():
        file_format = run.config.format_of(artifact)
        chosen[artifact] = f"{best(rows, artifact, kind, file_format)}/{file_format}"
        target = run.folder / "ship" / artifact
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(run.folder / "artifacts" / chosen[artifact], target)
        manifest.update(target, name=artifact)
        if run.config.version is not None and not chosen[artifact].startswith(f"{artifact}-former/"):
            manifest.update(target, version=run.config.version)
    for number, folders in lines(run).items():
        for artifact, kind in run.config.ships.items():
            own = f"{kind}-{number}/{run.config.format_of(artifact)}"
            source = own if kind in run.config.students else chosen[artifact]
            shutil.rmtree(folders[artifact], ignore_errors=True)
            shutil.copytree(run.folder / "artifacts" / source, folders[artifact])
            manifest.update(folders[artifact], name=artifact)
    if (large := larger(run)) is not None:
        shutil.rmtree(large, ignore_errors=True)
        shutil.copytree(run.folder / "artifacts" / LARGE / LARGER_FORMAT, large)
    return chosen


def lines(run: Run) -> dict[int, dict[str, Path]]:
    """The folders of what each seed alone would ship, by artifact: their spread is what a difference must exceed.

    Empty where a run has one seed, or makes nothing: what ships is all there is.
    """
    if run.config.seeds == 1 or not run.config.students:
        return {}
    return {
        number: {artifact: run.folder / "seeds" / str(number) / artifact for artifact in run.config.ships}
        for number, _ in seeds(run.config)
    }


def name_of_seeds(run: Run, kind: str) -> str:
    """What this run's models of a `kind` are called: as what they ship, or "new tiny" where a former artifact does.

    Raises RunError: nothing was compressed yet.
    """
    ships = run.read("compress.json", "compress")["ships"]
    for artifact, of_kind in run.config.ships.items():
        if of_kind == kind:
            return f"new {kind}" if ships[artifact].startswith(f"{artifact}-former/") else artifact
    return kind


def shipped(run: Run) -> dict[str, Path]:
    """The folders of the artifacts that ship, by name. Raises RunError: `compress` has not made them yet."""
    folders: dict[str, Path] = {artifact: run.folder / "ship" / artifact for artifact in run.config.ships}
    for folder in folders.values():
        if not folder.is_dir():
            raise RunError(f"{folder} is missing: run `edgewise train compress` first")
    return folders


def of_seeds(run: Run) -> dict[str, list[Path]]:
    """The folders of each kind's models, one a seed, in the format that may ship, by `name_of_seeds`."""
    as_what = {kind: artifact for artifact, kind in run.config.ships.items()}
    alone = lines(run)  # calibrated, as nothing in artifacts/ is

    def folder(kind: Kind, number: int) -> Path:
        if kind in as_what and alone:
            return alone[number][as_what[kind]]
        return run.folder / "artifacts" / f"{kind}-{number}" / run.config.format_of(as_what.get(kind, kind))

    found = {
        name_of_seeds(run, kind): [folder(kind, number) for number, _ in seeds(run.config)]
        for kind in run.config.students
    }
    return found if (large := larger(run)) is None else found | {"large": [large]}


def larger(run: Run) -> Path | None:
    """The folder of the teacher on a larger base as a cloud artifact, if the run has one: what it would give."""
    return run.folder / "larger" / "cloud" if run.config.large is not None and run.config.students else None


def write_metrics(run: Run, evaluation: Mapping[str, Any]) -> None:
    """Writes the figures of an `evaluation`, what `evaluation.json` says, to the manifests of what ships."""
    for artifact, folder in shipped(run).items():
        manifest.update(folder, metrics=manifest.metrics_of(evaluation["artifacts"][artifact]["sets"]))
