"""`edgewise train`: from labelled text to the artifacts that workers load. Each step is a command as well."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from training.cli.extra import require_extra

if TYPE_CHECKING:
    from training.data.corpus import Corpus
    from training.learn.run import Run

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
    """Read and split the data, prove that nothing measured is learned from, print its statistics.

    Example: [bold]edgewise train corpus --config own.toml --out my-run[/]
    """
    run, loaded = _open(config, out, data, threads)
    _corpus(run, loaded)


@app.command()
def adapt(config: ConfigFile, out: Out = RUN, data: Data = None, threads: Threads = CORES) -> None:
    """Teach the tiny base model the domain's language: masked words in text without labels.

    Example: [bold]edgewise train adapt --config own.toml --out my-run[/]
    """
    run, loaded = _open(config, out, data, threads)
    _adapt(run, loaded)


@app.command()
def finetune(config: ConfigFile, out: Out = RUN, data: Data = None, threads: Threads = CORES) -> None:
    """Train the teachers: on the general set, and from there on the domain's, once a seed.

    Example: [bold]edgewise train finetune --config own.toml --out my-run[/]
    """
    run, loaded = _open(config, out, data, threads)
    _finetune(run, loaded)


@app.command()
def distill(
    config: ConfigFile,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[STUDENT]...", help="tiny, small, cloud, or tiny-2 for one seed of it."),
    ] = None,
    out: Out = RUN,
    data: Data = None,
    threads: Threads = CORES,
) -> None:
    """Train the students on the teachers' logits.

    Example: [bold]edgewise train distill tiny cloud-2 --config own.toml --out my-run[/]
    """
    run, loaded = _open(config, out, data, threads)
    _distill(run, loaded, names)


@app.command()
def ablate(config: ConfigFile, out: Out = RUN, data: Data = None, threads: Threads = CORES) -> None:
    """Train the tiny network without adaptation and without a teacher, to see what each is worth.

    Example: [bold]edgewise train ablate --config own.toml --out my-run[/]
    """
    run, loaded = _open(config, out, data, threads)
    _ablate(run, loaded)


@app.command()
def compress(config: ConfigFile, out: Out = RUN, data: Data = None, threads: Threads = CORES) -> None:
    """Write every model as ONNX in every format, measure size, speed and accuracy on dev, choose which ship.

    Example: [bold]edgewise train compress --config own.toml --out my-run[/]
    """
    run, loaded = _open(config, out, data, threads)
    _compress(run, loaded)


@app.command()
def calibrate(config: ConfigFile, out: Out = RUN, data: Data = None, threads: Threads = CORES) -> None:
    """Make the chosen models' confidence mean what it says, set the edge's threshold, choose how long texts are read.

    Example: [bold]edgewise train calibrate --config own.toml --out my-run[/]
    """
    run, loaded = _open(config, out, data, threads)
    _calibrate(run, loaded)


@app.command()
def evaluate(config: ConfigFile, out: Out = RUN, data: Data = None, threads: Threads = CORES) -> None:
    """Measure the chosen models, with the worker's own classifier, on all that none has seen.

    Example: [bold]edgewise train evaluate --config own.toml --out my-run[/]
    """
    run, loaded = _open(config, out, data, threads)
    _evaluate(run, loaded)
    _judge(run)


@app.command()
def report(
    config: ConfigFile,
    out: Out = RUN,
    data: Data = None,
    aims: Annotated[
        Path | None, typer.Option(help="TOML: figures that were aimed at, to stand beside the measured.")
    ] = None,
    other: Annotated[
        list[Path] | None,
        typer.Option(help="The folder of a run with another seed, whose figures stand beside the aims. Several."),
    ] = None,
    threads: Threads = CORES,
) -> None:
    """Write the report, its pictures and a card for each artifact.

    Example: [bold]edgewise train report --config own.toml --out my-run --aims aims.toml[/]
    """
    run, _ = _open(config, out, data, threads)
    _report(run, aims=aims, others=other or ())


@app.command()
def redaction(
    data: Annotated[Path, typer.Option("--data", help="Folder with pii/*.jsonl and goemotions/train.csv.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the tagger's artifact.")],
    epochs: Annotated[int, typer.Option(min=1, help="How often the tagger reads all texts.")] = 12,
    domain: Annotated[
        list[str] | None, typer.Option(help="Learn from the chats of this domain only; to measure on the others.")
    ] = None,
    threads: Threads = CORES,
) -> None:
    """Train redaction's tagger, which finds names and addresses that no word announces.

    Example: [bold]edgewise train redaction --data data --out tagger[/]
    """
    require_extra()
    import torch

    from training.redaction.tagging import Schedule
    from training.redaction.train import train

    torch.set_num_threads(threads)
    print(train(data, out, Schedule(epochs=epochs), print, domain or ("*",)))


@app.command()
def escalation(
    data: Annotated[
        list[Path], typer.Option("--data", help="JSON lines of calls: label, turns of speaker and text. Several.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the model; its name is the model's.")],
    unlabelled: Annotated[
        list[Path] | None, typer.Option(help="JSON lines of other conversations: how many would raise an alarm?")
    ] = None,
    edge_model: Annotated[
        str, typer.Option(help="The artifact that scores the turns: a name in models/artifacts or a folder.")
    ] = "edge",
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads of the model.")] = CORES,
) -> None:
    """Fit the risk that a conversation escalates on labelled calls, and measure it. It does not need the extra.

    Example: [bold]edgewise train escalation --data calls.jsonl --out escalation[/]
    """
    from training.escalation.train import train

    print(train(data, unlabelled or (), edge_model, out, threads=threads))


@app.command("long-text")
def long_text(
    artifacts: Annotated[list[Path], typer.Argument(help="Folders of artifacts; their manifests are told.")],
    config: ConfigFile,
    data: Data = None,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads of the models.")] = CORES,
) -> None:
    """Choose anew how artifacts read long texts, on half of the calls, and print the figures of all ways as JSON.

    Of the extra it needs onnx alone. Give the artifacts a new version beside it: their answers to long texts change.

    Example: [bold]edgewise train long-text --config own.toml my-run/ship/edge[/]
    """
    require_extra("onnx")
    import json

    from training.artifacts.long_text import choose
    from training.config.config import read
    from training.data.corpus import load

    settings = read(config)
    if data is not None:
        settings = settings.model_copy(update={"data": data.resolve()})
    print(json.dumps(choose({folder.name: folder for folder in artifacts}, load(settings), threads), indent=1))


@app.command("all")
def every_step(config: ConfigFile, out: Out = RUN, data: Data = None, threads: Threads = CORES) -> None:
    """Run every step in order; a model that the run folder already has is not trained again.

    Example: [bold]edgewise train all --config own.toml --out my-run[/]
    """
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
    if not run.config.students:
        del steps["finetune"], steps["distill"]  # there is nobody to teach: what is in service is measured
    if "tiny" not in run.config.students:
        del steps["adapt"], steps["ablate"]  # which are about that student
    for number, (name, step) in enumerate(steps.items(), 1):
        typer.echo(f"{number} of {len(steps)}: {name}", err=True)
        step(run, loaded)
    _judge(run)


@app.command()
def behaviour(
    edge: Annotated[str, typer.Option(help="The edge model: a name or an artifact's folder.")] = "edge",
    cloud: Annotated[str, typer.Option(help="The cloud model, likewise.")] = "cloud",
    model: Annotated[
        Literal["edge", "cloud", "line"] | None,
        typer.Option(help="Only one of them, or only the two as the workers run them.", show_default="all three"),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="What to compare with.", show_default="what the shipped models answered")
    ] = None,
    record: Annotated[Path | None, typer.Option(help="Write the answers here, as a baseline; compare nothing.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
    threads: Annotated[int, typer.Option(min=1, help="Threads of each model.")] = CORES,
) -> None:
    """Try models on the behaviour suite, by kind. Exit code 1: a kind fell behind the baseline.

    Example: [bold]edgewise train behaviour --edge my-run/ship/edge --cloud my-run/ship/cloud[/]
    """
    import json

    from training.data.suite import load
    from training.measure import baseline as recorded
    from training.measure import behaviour as measure
    from training.report import behaviour_table

    before = None if record else recorded.read(baseline or recorded.SHIPPED)
    found = measure.run(edge, cloud, load(), models=[model] if model else measure.MODELS, threads=threads)
    falls = recorded.falls(found, before) if before else []
    print(json.dumps(found | {"falls": falls}, indent=1) if as_json else behaviour_table.table_of(found))
    if record:
        recorded.write(found, record)
    recorded.check(falls)


@app.command()
def samples(
    data: Annotated[Path, typer.Option("--data", help="Folder of the public data sets.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the recordings to.")],
) -> None:
    """Make the recordings in samples/ from rows that no model is trained on.

    Example: [bold]edgewise train samples --data public-data --out samples[/]
    """
    from training.data.samples import write

    for name, turns in write(data, out).items():
        print(f"{out / name}: {turns:,} turns")


def _open(config: Path, out: Path, data: Path | None, threads: int) -> tuple["Run", "Corpus"]:
    require_extra()
    import torch
    from transformers.utils import logging

    from training.config.config import read
    from training.data import corpus
    from training.learn.run import Run

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
    from training.data import statistics
    from training.report import corpus_table

    described = statistics.describe(run.config, data)
    run.write("corpus.json", described)
    print(corpus_table.table(described))


def _finetune(run: "Run", data: "Corpus") -> None:
    from training.learn.curriculum import train_teachers

    train_teachers(run, data)


def _adapt(run: "Run", data: "Corpus") -> None:
    from training.learn.curriculum import adapt_tiny

    adapt_tiny(run, data)


def _distill(run: "Run", data: "Corpus", names: list[str] | None = None) -> None:
    from training.learn.curriculum import train_students

    train_students(run, data, names or run.config.students)


def _ablate(run: "Run", data: "Corpus") -> None:
    from training.learn.ablation import ablate

    ablate(run, data)


def _compress(run: "Run", data: "Corpus") -> None:
    from training.artifacts.compress import compress

    for artifact, source in compress(run, data).items():
        print(f"{artifact}: {source}")


def _calibrate(run: "Run", data: "Corpus") -> None:
    from training.artifacts import calibrate, ship

    for name, content in calibrate.run(ship.shipped(run), data).items():
        run.write(name, content)
    for folders in ship.lines(run).values():
        calibrate.run(folders, data)
    if (larger := ship.larger(run)) is not None:
        calibrate.run({"cloud": larger}, data)


def _evaluate(run: "Run", data: "Corpus") -> None:
    from training.artifacts import ship
    from training.learn.curriculum import measured
    from training.measure import baseline, evaluate

    shipped = ship.shipped(run)
    before = None if run.config.baseline is None else baseline.read(run.config.baseline)
    larger = ship.larger(run)  # a teacher that is an artifact, too
    teachers = measured(run, data) if run.config.students and larger is None else None
    found = evaluate.run(shipped, data, seeds=ship.of_seeds(run), teachers=teachers, before=before)
    run.write("evaluation.json", found)
    ship.write_metrics(run, found)
    for number, folders in ship.lines(run).items():
        run.write(f"seeds/{number}/evaluation.json", evaluate.run(folders, data))
    if larger is not None:
        run.write("larger.json", evaluate.run({"edge": shipped["edge"], "cloud": larger}, data))


def _judge(run: "Run") -> None:
    # After all else: a run that failed has its figures and its report.
    from training.measure import baseline

    baseline.check(run.read("evaluation.json", "evaluate")["behaviour"]["falls"])


def _report(run: "Run", _: "Corpus | None" = None, aims: Path | None = None, others: Sequence[Path] = ()) -> None:
    from training.report import report
    from training.report.aims import read

    print(report.run(run.folder, aimed=read(aims) if aims else (), others=others) / "report.md")
