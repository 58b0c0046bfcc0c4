"""`edgewise replay`."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.file_options import FileFormat, MappingFile, RoleMap, TimeBase, tell_left_out, vendor


def replay(  # noqa: PLR0913, PLR0917 - an option each
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Recordings, or vendors' files.")],
    pace: Annotated[
        str, typer.Option(help="max, a rate such as 200/s, or recorded time times a factor, such as 10x.")
    ] = "max",
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=COLUMN", help="Take an event's field from this column: text=body."),
    ] = None,
    file_format: FileFormat = None,
    mapping: MappingFile = None,
    role_map: RoleMap = None,
    time_base: TimeBase = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many rows of each file.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Send only the rows that the latest run of the same file did not.")
    ] = False,
) -> None:
    """Send recorded transcripts to the topic `transcripts`.

    Event ids are those in the file, else made of the file's content and the row: the same file gives the same ids.

    Example: [bold]edgewise replay samples/care.jsonl --pace 200/s[/]

    Example: [bold]edgewise replay calls.csv --column text=body --column conversation_id=call --resume[/]
    """
    from streams.cli.context import start
    from streams.cli.progress import progress
    from streams.files.recorded_event import parse_columns
    from streams.files.rows import Input
    from streams.ingest.pace import Pace
    from streams.ingest.replay import Recording
    from streams.ingest.replay import replay as run_replay

    settings = start()
    chosen, columns = Pace.parse(pace), parse_columns(column or [])
    said = vendor(mapping, role_map, time_base)
    given = Input(columns=columns, file_format=file_format, limit=limit, vendor=said)
    recordings = [Recording(path, given) for path in files]
    with progress("events") as show:
        summary = run_replay(settings, recordings, pace=chosen, resume=resume, on_progress=show)
    tell_left_out(summary.left_out)
    done = f"{summary.before + summary.sent:,} of {summary.rows:,} events are in {settings.topic('transcripts')}"
    if summary.before:
        done += f", {summary.before:,} of them from before"
    if summary.interrupted:
        typer.echo(f"edgewise: interrupted: {done}; go on with: {_resume_command()}", err=True)
        raise typer.Exit(130)
    print(done)


def _resume_command() -> str:
    import shlex
    import sys

    arguments = sys.argv[1:] if "--resume" in sys.argv else [*sys.argv[1:], "--resume"]
    return shlex.join(["edgewise", *arguments])
