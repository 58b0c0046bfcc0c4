"""`edgewise models list`, `edgewise models show` and `edgewise models verify`."""

from typing import Annotated

import typer

models = typer.Typer(
    no_args_is_help=True,
    help="See which models there are, what they are, and whether they are whole.\n\n"
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
