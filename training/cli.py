"""`edgewise train`: from labelled text to the artifacts that workers load. Each step is a command as well."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from training.extra import require_extra

if TYPE_CHECKING:
    from training.corpus import Corpus
    from training.run import Run

EXAMPLE = "Example: [bold]edgewise train all --config own.toml --out run[/]"
app = typer.Typer(help=f"{__doc__}\n\n{EXAMPLE}", no_args_is_help=True)

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="TOML: the data sets, and what the run shall do.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Run folder. A run that was stopped goes on where it was.")]
Data = Annotated[Path | None, typer.Option("--data", help="Folder of the data sets, instead of the configuration's.")]
Threads = Annotated[
    int, typer.Option("--threads", min=1, help="Threads of PyTorch. Figures can differ in the last bits.")
]

CORES = os.cpu_count() or 1
RUN = Path("run")


@app.command()
def corpus(config: ConfigFile, out: Out = RUN, data: Data = None, threads: Threads = CORES) -> None:
    """Read and split the data, prove that nothing measured is learned from, print its statistics."""
    run, loaded = _open(config, out, data, threads)
    _corpus(run, loaded)


@app.command()
def adapt(config: ConfigFile, out: Out = RUN, data: Data = None, threads: Threads = CORES) -> None:
    """Teach the tiny base model the domain's language: masked words in text without labels."""
    run, loaded = _open(config, out, data, threads)
    _adapt(run, loaded)


@app.command()
def finetune(config: ConfigFile, out: Out = RUN, data: Data = None, threads: Threads = CORES) -> None:
    """Train the teachers: on the general set, and from there on the domain's, once a seed."""
    run, loaded = _open(config, out, data, threads)
    _finetune(run, loaded)


@app.command()
def distill(
    config: ConfigFile,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[STUDENT]...", help="edge, small, cloud, or edge-2 for one seed of it."),
    ] = None,
    out: Out = RUN,
    data: Data = None,
    threads: Threads = CORES,
) -> None:
    """Train the students on the teachers' logits."""
    run, loaded = _open(config, out, data, threads)
    _distill(run, loaded, names)


@app.command()
def ablate(config: ConfigFile, out: Out = RUN, data: Data = None, threads: Threads = CORES) -> None:
    """Train the edge network without adaptation and without a teacher, to see what each is worth."""
    run, loaded = _open(config, out, data, threads)
    _ablate(run, loaded)


@app.command()
def compress(config: ConfigFile, out: Out = RUN, data: Data = None, threads: Threads = CORES) -> None:
    """Write every model as ONNX in every format, measure size, speed and accuracy on dev, choose which ship."""
    run, loaded = _open(config, out, data, threads)
    _compress(run, loaded)


@app.command()
def calibrate(config: ConfigFile, out: Out = RUN, data: Data = None, threads: Threads = CORES) -> None:
    """Make the chosen models' confidence mean what it says, and set the edge's confidence threshold, on dev."""
    run, loaded = _open(config, out, data, threads)
    _calibrate(run, loaded)


@app.command()
def evaluate(config: ConfigFile, out: Out = RUN, data: Data = None, threads: Threads = CORES) -> None:
    """Measure the chosen models, with the worker's own classifier, on all that none has seen."""
    run, loaded = _open(config, out, data, threads)
    _evaluate(run, loaded)


@app.command()
def report(
    config: ConfigFile,
    out: Out = RUN,
    data: Data = None,
    aims: Annotated[
        Path | None, typer.Option(help="TOML: figures that were aimed at, to stand beside the measured.")
    ] = None,
    threads: Threads = CORES,
) -> None:
    """Write the report, its pictures and a card for each artifact."""
    run, _ = _open(config, out, data, threads)
    _report(run, aims=aims)


@app.command("all")
def every_step(config: ConfigFile, out: Out = RUN, data: Data = None, threads: Threads = CORES) -> None:
    """Run every step in order; a model that the run folder already has is not trained again."""
    run, loaded = _open(config, out, data, threads)
    steps: dict[str, Callable[[Run, Corpus], None]] = {
        "corpus": _corpus,
        "finetune": _finetune,
        "adapt": _adapt,
        "distill": _distill,
        "ablate": _ablate,
        "compress": _compress,
        "calibrate": _calibrate,
        "evaluate": _evaluate,
        "report": _report,
    }
    for number, (name, step) in enumerate(steps.items(), 1):
        typer.echo(f"{number} of {len(steps)}: {name}", err=True)
        step(run, loaded)


@app.command()
def samples(
    data: Annotated[Path, typer.Option("--data", help="Folder of the public data sets.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the recordings to.")],
) -> None:
    """Make the recordings in samples/ from rows that no model is trained on."""
    from training.samples import write

    for name, turns in write(data, out).items():
        print(f"{out / name}: {turns:,} turns")


def _open(config: Path, out: Path, data: Path | None, threads: int) -> tuple["Run", "Corpus"]:
    require_extra()
    import torch
    from transformers.utils import logging

    from training import corpus
    from training.config import read
    from training.run import Run

    torch.set_num_threads(threads)
    if torch.cuda.is_available():
        # A seed gives the same figures again. cuBLAS asks for a fixed workspace, which is read at its first use.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # finds errors of kernels, at a third of the speed
        torch.set_float32_matmul_precision("high")
    logging.set_verbosity_error()
    settings = read(config)
    if data is not None:
        settings = settings.model_copy(update={"data": data.resolve()})
    loaded = corpus.load(settings)
    return Run(out, settings, threads, loaded.digest), loaded


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
    from training.teaching import train_students

    train_students(run, data, names or run.config.students)


def _ablate(run: "Run", data: "Corpus") -> None:
    from training.ablation import ablate

    ablate(run, data)


def _compress(run: "Run", data: "Corpus") -> None:
    from functools import partial

    from training import compress, ship
    from training.teaching import seeds

    # The text by which fixed scales are set: of both kinds, as both are met.
    pairs = zip(data.domain_train, data.general_train or data.domain_train, strict=False)
    texts = [example.text for pair in pairs for example in pair]
    describe = partial(ship.describe, run, run.read("corpus.json", "corpus"))
    numbers = [number for number, _ in seeds(run.config)]
    # All formats of each kind's first seed; of the others what may ship.
    first = [f"{kind}-{numbers[0]}" for kind in run.config.students]
    others = [f"{kind}-{number}" for kind in run.config.students for number in numbers[1:]]
    made = [
        compress.run(run.folder, names, formats, data.domain_dev, texts, describe, repetitions)
        for names, formats, repetitions in (
            (first, compress.FORMATS, 3),
            (others, sorted(set(run.config.formats.values())), 1),
        )
    ]
    rows = [row for each in made for row in each["rows"]]
    if run.config.former is not None:
        rows += compress.measure_former(run.folder, run.config.former, run.config.formats, data.domain_dev)
    ships = ship.ship(run, rows)
    run.write("compress.json", made[0] | {"rows": rows, "ships": ships})
    for artifact, source in ships.items():
        print(f"{artifact}: {source}")


def _calibrate(run: "Run", data: "Corpus") -> None:
    from training import calibrate

    run.write("calibration.json", calibrate.run(*_shipped(run), data))


def _evaluate(run: "Run", data: "Corpus") -> None:
    import torch

    from training import evaluate, manifest, ship
    from training.distill import ensemble
    from training.teaching import measured

    shipped = _shipped(run)
    teachers = measured(run, data)
    on_test = [torch.from_numpy(each[f"{data.name}_test"]) for kind in teachers.values() for each in kind]
    found = evaluate.run(
        *shipped,
        data,
        teacher_probabilities=ensemble(on_test).softmax(-1).numpy(),
        seeds={ship.name_of_seeds(run, kind): _artifacts(run, kind) for kind in run.config.students},
        teachers=teachers,
    )
    run.write("evaluation.json", found)
    for folder in shipped:
        sets = found["artifacts"][folder.name]["sets"]
        manifest.update(folder, metrics=manifest.metrics_of(sets))


def _report(run: "Run", _: "Corpus | None" = None, aims: Path | None = None) -> None:
    from training import report
    from training.aims import read

    print(report.run(run.folder, aimed=read(aims) if aims else ()) / "report.md")


def _artifacts(run: "Run", kind: str) -> list[Path]:
    """Return the folders of a kind's models, one a seed, in the format that may ship."""
    from training.teaching import seeds

    file_format = run.config.formats["edge" if kind == "edge" else "cloud"]
    return [run.folder / "artifacts" / f"{kind}-{number}" / file_format for number, _ in seeds(run.config)]


def _shipped(run: "Run") -> tuple[Path, Path]:
    from training.run import RunError

    folders = run.folder / "ship" / "edge", run.folder / "ship" / "cloud"
    for folder in folders:
        if not folder.is_dir():
            raise RunError(f"{folder} is missing: run `edgewise train compress` first")
    return folders
