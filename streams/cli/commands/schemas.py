"""`edgewise schemas export` and `edgewise schemas register`."""

from pathlib import Path
from typing import Annotated

import typer

schemas = typer.Typer(
    no_args_is_help=True,
    help="The topics' Avro schemas, for programs of others.\n\nExample: [bold]edgewise schemas export avro[/]",
)


@schemas.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="It gets a folder for each release: v1, v2, …")],
) -> None:
    """Write every released schema as FOLDER/v<N>/<topic>.avsc; a topic's highest N is what is written today.

    Example: [bold]edgewise schemas export avro[/]
    """
    from streams.operate.schema_files import export as export_schemas

    for file in export_schemas(folder):
        print(file)


@schemas.command()
def register() -> None:
    """Register every released schema in the schema registry, oldest first; one that is there stays as it is.

    Then workers that may only read the registry find what they write with.

    Example: [bold]edgewise schemas register[/]
    """
    from streams.cli.context import start
    from streams.cli.table import print_table
    from streams.operate.schema_files import register as register_schemas

    found = register_schemas(start())
    print_table(("subject", "release", "id"), *((each.subject, f"v{each.version}", str(each.id)) for each in found))
