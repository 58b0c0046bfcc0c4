"""`edgewise inspect`."""

from typing import Annotated

import typer

from streams.cli.file_options import (
    Encoding,
    FileFormat,
    MappingFile,
    RoleMap,
    TimeBase,
    TimeFormat,
    encoding_name,
    vendor,
)


def inspect(  # noqa: PLR0913, PLR0917 - an option each
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Recordings or vendors' files, or - for input.")
    ],
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=COLUMN", help="Take an event's field from this column: text=body."),
    ] = None,
    file_format: FileFormat = None,
    encoding: Encoding = None,
    mapping: MappingFile = None,
    role_map: RoleMap = None,
    time_base: TimeBase = None,
    time_format: TimeFormat = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many rows of each file.")] = None,
) -> None:
    """Say what would be read of a file, before anything is sent: its format, its columns, its first events.

    And what looks wrong: rows that cannot be read, ids that repeat, times in 1970, speakers that nobody knows. It ends
    with exit code 1 where replay with the same options would send nothing. The first events are shown with their texts.

    Example: [bold]edgewise inspect calls.csv --column text=body[/]
    """
    from streams.files.columns import parse_columns
    from streams.files.inspection import described
    from streams.files.inspection import inspect as look_into
    from streams.files.recorded_time import parse_form
    from streams.files.rows import Input
    from streams.system.clock import now_ms

    given = Input(
        columns=parse_columns(column or []),
        file_format=file_format,
        encoding=encoding_name(encoding),
        limit=limit,
        vendor=vendor(mapping, role_map, time_base),
    )
    form = None if time_format is None else parse_form(time_format)
    refused = False
    for file in files:
        inspection = look_into(file, given, form, now_ms)
        refused = refused or inspection.refused
        print("\n".join(described(inspection)))
    if refused:
        raise typer.Exit(1)
