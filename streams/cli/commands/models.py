"""`edgewise models`: what there is, whether it is whole, which is better, and which is in force."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from models.artifact import Artifact
    from streams.cli.compare_report import Behaviour

models = typer.Typer(
    no_args_is_help=True,
    help="See which models there are and whether they are whole, compare them, put one in force.\n\n"
    "Example: [bold]edgewise models list[/]",
)


@models.command("list")
def list_models() -> None:
    """List the models that come along: size, accuracy on their test set, and the terms their data put them under.

    Any of the names, or the folder of another model, is what the settings edge_model and cloud_model take.

    Example: [bold]edgewise models list[/]
    """
    from models.artifact import shipped
    from streams.cli.model_report import summary_row
    from streams.cli.table import print_table

    print_table(("name", "version", "size", "labels", "accuracy", "terms"), *map(summary_row, shipped()))


@models.command()
def show(
    model: Annotated[str, typer.Argument(metavar="NAME_OR_FOLDER", help="A model's name, or a folder with one.")],
    as_json: Annotated[bool, typer.Option("--json", help="Its manifest, as one JSON object.")] = False,
) -> None:
    """Tell what a model is: its terms of use, its base and data, what it reads and returns, how good it is.

    Example: [bold]edgewise models show edge[/]
    """
    from models.artifact import load_artifact
    from streams.cli.model_report import as_json as manifest
    from streams.cli.model_report import describe
    from streams.system.json_text import json_text

    artifact = load_artifact(model)
    print(json_text(manifest(artifact), indent=2) if as_json else describe(artifact))


@models.command()
def verify(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME_OR_FOLDER]...", help="Names or folders; none: all models that come along."),
    ] = None,
) -> None:
    """Check models as a worker does before it uses one: files, labels, tokenizer; then score with them.

    Exit code 0 only when all of them are in order, 2 when one is refused.

    Example: [bold]edgewise models verify my-run/ship/edge my-run/ship/cloud[/]
    """
    import sys

    from models.artifact import ArtifactError, shipped
    from streams.cli.model_report import verify as verify_model

    refused = False
    for model in models or shipped():
        try:
            print(verify_model(model))
        except ArtifactError as error:
            refused = True
            print(f"edgewise: {error}", file=sys.stderr)
    if refused:
        raise typer.Exit(2)


@models.command()
def compare(
    candidate: Annotated[
        str, typer.Argument(metavar="NAME_OR_FOLDER", help="The candidate: what the agent `shadow` tries.")
    ],
    start_at: Annotated[
        str | None, typer.Option("--from", metavar="WHERE", help="Only events from this time on: ISO 8601, -7d, …")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only events before it.")] = None,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.9999, help="Of the interval.")] = 0.95,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Compare a candidate with the edge model in force, on live traffic and on the behaviour suite.

    Live traffic is what the agent `shadow` has scored. What is right is what the cloud answered, on the random sample
    and on what was deferred, and apart from that people's labels.

    Example: [bold]edgewise models compare my-run/ship/edge --from -7d[/]
    """
    from models.artifact import load_artifact
    from streams.cli.compare_report import Report, as_text
    from streams.cli.context import start
    from streams.cli.decision_options import moment
    from streams.operate.compare import compare_live
    from streams.operate.consume import Start
    from streams.system.json_text import json_text

    settings = start()
    begin = Start(since_ms=None if start_at is None else moment("--from", start_at))
    until_ms = None if until is None else moment("--until", until)
    tried, running = load_artifact(candidate), load_artifact(settings.edge_model)
    live = compare_live(settings, begin, until_ms, tried.id)
    report = Report(live, _behaviour(tried, running), confidence)
    print(json_text(report.as_dict(), indent=2) if as_json else as_text(report))


@models.command()
def promote(
    candidate: Annotated[str, typer.Argument(metavar="NAME_OR_FOLDER", help="The model to put in force.")],
    into: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The folder of versions. Default: the setting edge_model.")
    ] = None,
) -> None:
    """Put an edge model in force: running workers score with it from their next batch on.

    The model is verified, as is that the routing policy of the settings fits it, and copied into the folder of
    versions; then one small file there names it. The folder is made where it is missing.

    Example: [bold]edgewise models promote my-run/ship/edge --into /models/edge[/]
    """
    from models.artifact import load_artifact
    from models.promotion import add_version, put_in_force
    from streams.cli.context import start
    from streams.cli.model_report import verify as verify_model
    from streams.config.routing import build_router

    settings = start()
    folder = _versions(settings.edge_model) if into is None else into
    verify_model(candidate)
    artifact = load_artifact(candidate)
    build_router(settings, artifact)
    pointer = put_in_force(folder, add_version(folder, artifact).id)
    print(f"{pointer.model} is in force in {folder}: workers take it up before their next batch")
    if pointer.former:
        print(f"before it: {pointer.former[-1]}; `edgewise models rollback` goes back to it")
    if str(folder) != settings.edge_model:
        print(f"workers look there when EDGEWISE_EDGE_MODEL is {folder}")


@models.command()
def rollback(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="The folder of versions. Default: the setting edge_model.")
    ] = None,
) -> None:
    """Go back to the model that was in force before, in a folder of versions.

    Example: [bold]edgewise models rollback /models/edge[/]
    """
    from models.artifact import load_artifact
    from models.pointer import read_pointer, write_pointer
    from streams.cli.context import start
    from streams.cli.model_report import verify as verify_model
    from streams.config.routing import build_router

    settings = start()
    versions = _versions(str(folder or settings.edge_model))
    before = read_pointer(versions)
    pointer = before.rolled_back()
    verify_model(str(versions / pointer.model))
    build_router(settings, load_artifact(str(versions / pointer.model)))
    write_pointer(versions, pointer)
    print(f"{pointer.model} is in force again in {versions}, after {before.model}")


def _versions(name_or_folder: str) -> Path:
    """`name_or_folder` where it is a folder of versions. Raises PointerError: it is not."""
    from models.pointer import PointerError, is_pointed_at

    if not is_pointed_at(Path(name_or_folder)):
        raise PointerError(
            f"{name_or_folder} is no folder of versions: `edgewise models promote MODEL --into FOLDER` makes one"
        )
    return Path(name_or_folder)


def _behaviour(tried: "Artifact", running: "Artifact") -> "Behaviour":
    from streams.cli.compare_report import Behaviour
    from training.data.suite import load
    from training.measure import baseline
    from training.measure import behaviour as measure

    items = load()
    candidate, former = (measure.run(each.folder, each.folder, items, models=["edge"]) for each in (tried, running))
    right = [each["models"]["edge"]["overall"]["right"] for each in (former, candidate)]
    return Behaviour(running.id, len(items), right[0], right[1], baseline.falls(candidate, former))
