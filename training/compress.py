"""Every model of a run in every file format: how small, how near to float32, how fast."""

import os
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import onnx
from tokenizers import Tokenizer

from models.artifact import MODEL, TOKENIZER, load_artifact
from models.classifier import Classifier as Worker
from training import network, onnx_export, quantise, speed
from training.corpus import Example
from training.figures import Scores, classification
from training.network import Classifier
from training.run import processor

Format = Literal["fp32", "int8", "int8s", "int8w", "int4w"]
"""``int8`` quantises activations over a batch, ``int8s`` by fixed scales; ``int8w`` and ``int4w`` only weights."""

FORMATS: tuple[Format, ...] = get_args(Format)

# Fixed scales are those of this many texts. The extremes themselves: without the outermost 0.001 or 0.01 % of values,
# or with the least squared error, a network of 2x128 answers no nearer to float32.
CALIBRATION_TEXTS = 500


def compress(model: Classifier, tokenizer: Tokenizer, folder: Path, file_format: Format, texts: Sequence[str]) -> None:
    """Write ``model.onnx`` in a format, and ``tokenizer.json``, to ``folder``; the manifest is still to be written.

    ``texts`` show what values occur inside the network, for ``int8s``: text that was trained on, not measured on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    graph = onnx_export.export(model)
    if file_format == "int8s":
        graph = quantise.int8s(graph, quantise.observe(graph, network.encode(tokenizer, texts[:CALIBRATION_TEXTS])))
    elif file_format != "fp32":
        graph = getattr(quantise, file_format)(graph)
    onnx.save(graph, folder / MODEL)
    tokenizer.save(str(folder / TOKENIZER))


def run(
    folder: Path,
    names: Sequence[str],
    formats: Sequence[Format],
    dev: Sequence[Example],
    texts: Sequence[str],
    describe: Callable[[Path, str, str], None],
    repetitions: int = 5,
) -> dict[str, Any]:
    """Compress the models ``names`` of a run to ``folder/artifacts/NAME/FORMAT``; return what `compress.json` says.

    ``texts`` are for calibration; ``describe`` writes the manifest into a folder, given the model's name and format.
    Formats are compared on ``dev``, by the worker's own classifier, as yet uncalibrated.
    """
    labels = [example.label for example in dev]
    rows: list[dict[str, Any]] = []
    for name in names:
        model, tokenizer = network.load(folder / "models" / name)
        reference = None
        wanted: list[Format] = ["fp32", *(each for each in formats if each != "fp32")]
        for file_format in wanted:
            target = folder / "artifacts" / name / file_format
            compress(model, tokenizer, target, file_format, texts)
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
    """Copy the artifacts of ``former`` to ``folder/artifacts/ARTIFACT-former/FORMAT``; return their rows.

    ``formats`` has the format that each ships in. What they would answer in float32 is not known any more.
    """
    rows: list[dict[str, Any]] = []
    for name, file_format in formats.items():
        if (former / name).is_dir():
            target = folder / "artifacts" / f"{name}-former" / file_format
            shutil.copytree(former / name, target, dirs_exist_ok=True)
            given = Worker(load_artifact(str(target))).score([example.text for example in dev])
            labels = [example.label for example in dev]
            rows.append(_row(target, given, labels) | {"agreement_with_fp32": None})
    _time(folder, rows, dev, repetitions)
    return rows


def _row(target: Path, given: Scores, labels: Sequence[int]) -> dict[str, Any]:
    """Return what is known of the artifact in ``…/MODEL/FORMAT`` from its file and its answers ``given`` on dev."""
    figures = classification(given, labels)
    return {
        "model": target.parent.name,
        "format": target.name,
        "bytes": (target / MODEL).stat().st_size,
        "dev": {key: figures[key] for key in ("accuracy", "macro_f1")},
    }


def _time(folder: Path, rows: Sequence[dict[str, Any]], dev: Sequence[Example], repetitions: int) -> None:
    """Add to each of ``rows`` what :func:`training.speed.measure` finds."""
    folders = [folder / "artifacts" / row["model"] / row["format"] for row in rows]
    for row, timed in zip(rows, speed.measure(folders, [example.text for example in dev], repetitions), strict=True):
        row.update(timed)


def machine() -> dict[str, object]:
    """Return what the timings hang on."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "platform": f"{platform.system()} {platform.machine()}",
        "onnxruntime": version("onnxruntime"),
    }
