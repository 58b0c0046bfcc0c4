"""``python -m training all --data DIR --out DIR`` makes the shipped models again; each step is a command as well."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import torch
import typer
from tokenizers import Tokenizer

from schemas.errors import EdgewiseError, UsageError
from schemas.records import LABELS
from training import calibrate as calibration
from training import corpus as corpora
from training import distill as distillation
from training import evaluate as evaluation
from training import export as exporting
from training import finetune as finetuning
from training import manifest, network, samples
from training.loop import Log
from training.network import Classifier

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)

Data = Annotated[Path, typer.Option("--data", help="Folder with airline/, semeval/ and the unlabelled sets.")]
Out = Annotated[Path, typer.Option("--out", help="Run folder: models, log.jsonl and artifacts/ are written to it.")]
Seed = Annotated[int, typer.Option("--seed", help="The same seed on the same machine gives the same weights.")]


@app.command()
def corpus(data: Data) -> None:
    """Read and split the data, prove that nothing leaks, print how many rows each split has."""
    loaded = corpora.load(data)
    splits = {name: getattr(loaded, name) for name in loaded.__slots__}
    for name, examples in splits.items():
        labels = [sum(example.label == index for example in examples) for index in range(len(LABELS))]
        print(json.dumps({"split": name, "rows": len(examples), **dict(zip(LABELS, labels, strict=True))}))


@app.command()
def finetune(data: Data, out: Out, seed: Seed = 1) -> None:
    """Prune the base model's vocabulary, then train the teacher: general tweets first, airline ones second."""
    loaded = corpora.load(data)

    def base() -> tuple[Classifier, Tokenizer]:
        torch.manual_seed(seed)  # the head's first weights
        return finetuning.base(finetuning.vocabulary_texts(loaded, list(corpora.domain_texts(data))))

    def general() -> tuple[Classifier, Tokenizer]:
        model, tokenizer = network.load(out / "base")
        return finetuning.general(model, tokenizer, loaded, seed, logger(out, "general")), tokenizer

    def domain() -> tuple[Classifier, Tokenizer]:
        model, tokenizer = network.load(out / "general")
        return finetuning.domain(model, tokenizer, loaded, seed, logger(out, "teacher")), tokenizer

    once(out / "base", base)
    once(out / "general", general)
    once(out / "teacher", domain)


@app.command()
def distill(data: Data, out: Out, seed: Seed = 1) -> None:
    """Train the student on the teachers' logits."""

    def student() -> tuple[Classifier, Tokenizer]:
        general, tokenizer = network.load(out / "general")
        teacher, _ = network.load(out / "teacher")
        log = logger(out, "student")
        return distillation.distill(general, teacher, tokenizer, corpora.load(data), seed, log), tokenizer

    once(out / "student", student)


@app.command()
def export(data: Data, out: Out, seed: Seed = 1) -> None:
    """Write the INT8 artifacts: the student as edge, the teacher as cloud."""
    loaded = corpora.load(data)
    for name, source in (("edge", "student"), ("cloud", "teacher")):
        exporting.export(*network.load(out / source), out / "artifacts" / name)
        manifest.describe(out / "artifacts" / name, data, loaded, seed)


@app.command()
def calibrate(data: Data, out: Out) -> None:
    """Fit the temperatures and the edge's confidence threshold on airline dev."""
    dev = corpora.load(data).airline_dev
    labels = [example.label for example in dev]
    for name in ("edge", "cloud"):
        folder = out / "artifacts" / name
        manifest.update(folder, temperature=1.0)
        temperature = calibration.fit_temperature(evaluation.probabilities_of(folder, dev), labels)
        manifest.update(folder, temperature=temperature)
        print(f"{name}: temperature {temperature}")
    confidences = evaluation.probabilities_of(out / "artifacts" / "edge", dev).max(axis=1).tolist()
    threshold = calibration.choose_threshold([example.text for example in dev], confidences)
    manifest.update(out / "artifacts" / "edge", confidence_threshold=threshold)
    print(f"edge: confidence threshold {threshold}")


@app.command()
def evaluate(data: Data, out: Out) -> None:
    """Measure both artifacts with the worker's classifier, write the figures to their manifests and print them."""
    loaded = corpora.load(data)
    metrics = {name: evaluation.measure(out / "artifacts" / name, loaded) for name in ("edge", "cloud")}
    for name, figures in metrics.items():
        manifest.update(out / "artifacts" / name, metrics=figures)
    print(evaluation.table(metrics))


@app.command("all")
def every_step(data: Data, out: Out, seed: Seed = 1) -> None:
    """Run every step in order; a model that the run folder already has is not trained again."""
    finetune(data, out, seed)
    distill(data, out, seed)
    export(data, out, seed)
    calibrate(data, out)
    evaluate(data, out)


@app.command("samples")
def make_samples(data: Data, out: Annotated[Path, typer.Option("--out", help="Folder to write them to.")]) -> None:
    """Make the recordings that the demo replays."""
    for name, turns in samples.write(data, out).items():
        print(f"{out / name}: {turns:,} turns")


def once(folder: Path, make: Callable[[], tuple[Classifier, Tokenizer]]) -> None:
    """Make and save a model unless an earlier run has."""
    if folder.is_dir():
        print(f"{folder}: there already")
        return
    model, tokenizer = make()
    network.save(model, tokenizer, folder)


def logger(out: Path, stage: str) -> Log:
    """Return what writes one stage's progress as JSON lines, to the run folder and to the terminal."""
    out.mkdir(parents=True, exist_ok=True)

    def log(figures: dict[str, float]) -> None:
        line = json.dumps({"stage": stage} | figures)
        print(line, flush=True)
        with (out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    return log


if __name__ == "__main__":
    try:
        app()
    except EdgewiseError as error:
        print(f"training: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, UsageError) else 1)
