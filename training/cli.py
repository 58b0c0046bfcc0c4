"""`edgewise train`: from labelled text to the artifacts that workers load. Each step is a command as well."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from training.extra import require_extra

if TYPE_CHECKING:
    from training.corpus import Corpus
    from training.run import Run

app = typer.Typer(help=__doc__, no_args_is_help=True)

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="TOML: the data sets, and what the run shall do.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Run folder. A run that was stopped goes on where it was.")]
Data = Annotated[Path | None, typer.Option("--data", help="Folder of the data sets, instead of the configuration's.")]
Threads = Annotated[int, typer.Option("--threads", min=1, help="Threads of PyTorch. Figures can differ in the last bits.")]

CORES = os.cpu_count() or 1


@app.command()
def corpus(config: ConfigFile, out: Out, data: Data = None, threads: Threads = CORES) -> None:
    """Read and split the data, prove that nothing measured is learned from, print its statistics."""
    run, loaded = _open(config, out, data, threads)
    _corpus(run, loaded)


@app.command()
def adapt(config: ConfigFile, out: Out, data: Data = None, threads: Threads = CORES) -> None:
    """Teach the tiny base model the domain's language: masked words in text without labels."""
    run, loaded = _open(config, out, data, threads)
    _adapt(run, loaded)


@app.command()
def finetune(config: ConfigFile, out: Out, data: Data = None, threads: Threads = CORES) -> None:
    """Train the teachers: on the general set, and from there on the domain's, once a seed."""
    run, loaded = _open(config, out, data, threads)
    _finetune(run, loaded)


@app.command()
def distill(
    config: ConfigFile,
    out: Out,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[STUDENT]...", help="edge, small, cloud, or edge-2 for one seed of it.")
    ] = None,
    data: Data = None,
    threads: Threads = CORES,
) -> None:
    """Train the students on the teachers' logits."""
    run, loaded = _open(config, out, data, threads)
    _distill(run, loaded, names)


@app.command()
def ablate(config: ConfigFile, out: Out, data: Data = None, threads: Threads = CORES) -> None:
    """Train the edge network without adaptation and without a teacher, to see what each is worth."""
    run, loaded = _open(config, out, data, threads)
    _ablate(run, loaded)


@app.command("all")
def every_step(config: ConfigFile, out: Out, data: Data = None, threads: Threads = CORES) -> None:
    """Run every step in order; what the run folder already has is not made again."""
    run, loaded = _open(config, out, data, threads)
    steps = [_corpus, _finetune, _adapt, _distill, _ablate]
    for number, step in enumerate(steps, 1):
        typer.echo(f"{number} of {len(steps)}: {step.__name__.strip('_')}", err=True)
        step(run, loaded)


def _open(config: Path, out: Path, data: Path | None, threads: int) -> tuple["Run", "Corpus"]:
    require_extra()
    import torch
    from transformers.utils import logging

    from training import corpus, network  # noqa: F401
    from training.config import read
    from training.run import Run

    torch.set_num_threads(threads)
    logging.set_verbosity_error()
    settings = read(config)
    if data is not None:
        settings = settings.model_copy(update={"data": data.resolve()})
    return Run(out, settings, threads), corpus.load(settings)


def _corpus(run: "Run", data: "Corpus") -> None:
    from training import statistics

    described = statistics.describe(run.config, data)
    run.write("corpus.json", described)
    print(statistics.table(described))


def _finetune(run: "Run", data: "Corpus") -> None:
    from training.teaching import train_teachers

    train_teachers(run, data)


def _adapt(run: "Run", data: "Corpus") -> None:
    from training.teaching import adapt_tiny

    adapt_tiny(run, data)


def _distill(run: "Run", data: "Corpus", names: list[str] | None = None) -> None:
    from training.teaching import STUDENTS, train_students

    train_students(run, data, names or STUDENTS)


def _ablate(run: "Run", data: "Corpus") -> None:
    from training.ablation import ablate

    ablate(run, data)
