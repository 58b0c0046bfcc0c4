"""Every model of a run in every file format: how small, how near to float32, how fast."""

import os
import platform
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import onnx
from tokenizers import Tokenizer

from models.artifact import MODEL, TOKENIZER, load_artifact
from models.classifier import Classifier as Worker
from training.artifacts import onnx_export, quantise, ship
from training.data.corpus import Corpus, Example
from training.learn import network
from training.learn.curriculum import LARGE, seeds
from training.learn.network import Classifier
from training.learn.run import Run, processor
from training.measure import speed
from training.measure.figures import Scores, classification

Format = Literal["fp32", "int8", "int8s", "int8w", "int4w"]
"""`int8` quantises activations over a batch, `int8s` by fixed scales; `int8w` and `int4w` only weights."""

FORMATS: tuple[Format, ...] = get_args(Format)

# So many texts set the fixed scales, by the extremes of their values. Scales without the outermost 0.001 or 0.01 % of
# the values, or with the least squared error, bring a network of 2x128 no nearer to float32.
CALIBRATION_TEXTS = 500


def compress(run: Run, data: Corpus) -> dict[str, str]:
    """Compresses every student of a run, chooses which ship, and writes `compress.json`.

    The first seed of each kind is made in the formats to be compared, the others in those that may ship. The teacher on
    a larger base, which does not ship, has a format of its own. Returns which model ships as each artifact, as
    `ship.ship` does.

    Raises RunError: `corpus` or `distill` has not been run.
    """
    # Texts of all kinds set the fixed scales, because a worker meets all.
    kinds = [part for part in (data.domain_train, data.general_train, data.extra_train) if part]
    texts = [example.text for together in zip(*kinds, strict=False) for example in together]
    describe = partial(ship.describe, run, run.read("corpus.json", "corpus"))
    numbers = [number for number, _ in seeds(run.config)]
    first = [f"{kind}-{numbers[0]}" for kind in run.config.students]
    others = [f"{kind}-{number}" for kind in run.config.students for number in numbers[1:]]

    def in_order(formats: Collection[str]) -> list[Format]:
        return [each for each in FORMATS if each in formats]

    shipping = {run.config.format_of(artifact) for artifact in run.config.ships}
    large = [] if ship.larger(run) is None else [LARGE]
    made = [
        compress_models(run.folder, names, in_order(formats), data.domain_dev, texts, describe, repetitions)
        for names, formats, repetitions in (
            (first, shipping | {*run.config.compared}, 3),
            (others, shipping, 1),
            (large, {ship.LARGER_FORMAT}, 1),
        )
    ]
    rows = [row for each in made for row in each["rows"]]
    if run.config.former is not None:
        formats: dict[str, str] = {artifact: run.config.format_of(artifact) for artifact in run.config.ships}
        rows += measure_former(run.folder, run.config.former, formats, data.domain_dev)
    ships = ship.ship(run, rows)
    run.write("compress.json", made[0] | {"rows": rows, "ships": ships})
    return ships


def write_model(
    model: Classifier, tokenizer: Tokenizer, folder: Path, file_format: Format, texts: Sequence[str]
) -> None:
    """Writes `model.onnx` in a format, and `tokenizer.json`, to `folder`; the manifest is still to be written.

    `texts` show what values occur inside the network, for `int8s`: text that was trained on, not measured on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    graph = onnx_export.export(model)
    if file_format == "int8s":
        graph = quantise.int8s(graph, quantise.observe(graph, network.encode(tokenizer, texts[:CALIBRATION_TEXTS])))
    elif file_format != "fp32":
        graph = getattr(quantise, file_format)(graph)
    onnx.save(graph, folder / MODEL)
    tokenizer.save(str(folder / TOKENIZER))


def compress_models(
    folder: Path,
    names: Sequence[str],
    formats: Sequence[Format],
    dev: Sequence[Example],
    texts: Sequence[str],
    describe: Callable[[Path, str, str], None],
    repetitions: int = 5,
) -> dict[str, Any]:
    """Compresses the models `names` of a run to `folder/artifacts/NAME/FORMAT`. Returns what `compress.json` says.

    `texts` are for calibration; `describe` writes the manifest into a folder, given the model's name and format.
    Formats are compared on `dev`, by the worker's own classifier, before they are calibrated.
    """
    labels = [example.label for example in dev]
    rows: list[dict[str, Any]] = []
    for name in names:
        model, tokenizer = network.load(folder / "models" / name)
        reference = None
        wanted: list[Format] = ["fp32", *(each for each in formats if each != "fp32")]
        for file_format in wanted:
            target = folder / "artifacts" / name / file_format
            write_model(model, tokenizer, target, file_format, texts)
            describe(target, name, file_format)
            given = Worker(load_artifact(str(target))).score([example.text for example in dev])
            answers = given.argmax(axis=1)
            reference = answers if reference is None else reference
            rows.append(_row(target, given, labels) | {"agreement_with_fp32": float(np.mean(answers == reference))})
    _time(folder, rows, dev, repetitions)
    return {"machine": machine(), "repetitions": repetitions, "rows": rows}


def measure_former(
    folder: Path, former: Path, formats: Mapping[str, str], dev: Sequence[Example], repetitions: int = 3
) -> list[dict[str, Any]]:
    """Copies the artifacts of `former` to `folder/artifacts/ARTIFACT-former/FORMAT`. Returns their rows.

    `formats` has the format that each ships in. Their answers in float32 are not known: the network is not there.
    """
    rows: list[dict[str, Any]] = []
    for name, file_format in formats.items():
        if (former / name).is_dir():
            target = folder / "artifacts" / f"{name}-former" / file_format
            shutil.copytree(load_artifact(str(former / name)).folder, target, dirs_exist_ok=True)
            given = Worker(load_artifact(str(target))).score([example.text for example in dev])
            labels = [example.label for example in dev]
            rows.append(_row(target, given, labels) | {"agreement_with_fp32": None})
    _time(folder, rows, dev, repetitions)
    return rows


def _row(target: Path, given: Scores, labels: Sequence[int]) -> dict[str, Any]:
    """What is known of the artifact in `…/MODEL/FORMAT` from its file and its answers `given` on dev."""
    figures = classification(given, labels)
    return {
        "model": target.parent.name,
        "format": target.name,
        "bytes": (target / MODEL).stat().st_size,
        "dev": {key: figures[key] for key in ("accuracy", "macro_f1")},
    }


def _time(folder: Path, rows: Sequence[dict[str, Any]], dev: Sequence[Example], repetitions: int) -> None:
    """Adds to each of `rows` what `speed.measure` finds."""
    folders = [folder / "artifacts" / row["model"] / row["format"] for row in rows]
    for row, timed in zip(rows, speed.measure(folders, [example.text for example in dev], repetitions), strict=True):
        row.update(timed)


def machine() -> dict[str, object]:
    """What the timings depend on."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "platform": f"{platform.system()} {platform.machine()}",
        "onnxruntime": version("onnxruntime"),
    }
