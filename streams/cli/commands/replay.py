"""`edgewise replay`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from streams.cli.file_options import (
    Encoding,
    FileFormat,
    MappingFile,
    RoleMap,
    TimeBase,
    TimeFormat,
    encoding_name,
    tell_left_out,
    tell_notice,
    vendor,
)


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
    encoding: Encoding = None,
    time_base: TimeBase = None,
    time_format: TimeFormat = None,
    on_error: Annotated[
        Literal["stop", "skip", "dead-letter"],
        typer.Option(
            help="At a row that no event can be made of: stop before anything is sent, skip it, or send it as it is, "
            "for the workers to put into dead-letters."
        ),
    ] = "stop",
    repeated_ids: Annotated[
        Literal["refuse", "apart"],
        typer.Option(
            help="Of events with the id of an earlier one: send nothing, or send them, in one file with ~2 at its end."
        ),
    ] = "refuse",
    longest_pause: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="With a pace such as 10x: wait no longer than this.")
    ] = None,
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
    from dataclasses import replace

    from streams.cli.context import start
    from streams.cli.progress import progress
    from streams.config.tracing import traced
    from streams.files.columns import parse_columns
    from streams.files.recorded_time import parse_form
    from streams.files.rows import Input
    from streams.ingest.pace import Pace
    from streams.ingest.recording import Recording
    from streams.ingest.replay import replay as run_replay

    settings = start()
    chosen, columns = Pace.parse(pace), parse_columns(column or [])
    if longest_pause is not None:
        chosen = replace(chosen, longest_pause_s=longest_pause)
    form = None if time_format is None else parse_form(time_format)
    said = vendor(mapping, role_map, time_base)
    given = Input(columns=columns, file_format=file_format, encoding=encoding_name(encoding), limit=limit, vendor=said)
    recordings = [Recording(path, given, form, on_error, repeated_ids == "apart") for path in files]
    with traced(settings, "replay"), progress("events") as show:
        summary = run_replay(settings, recordings, pace=chosen, resume=resume, on_progress=show, on_notice=tell_notice)
    tell_left_out(summary.left_out)
    done = f"{summary.before + summary.sent:,} of {summary.rows:,} events are in {settings.topic('transcripts')}"
    if summary.refused:
        done += f"; of {summary.refused:,} rows no event could be made, " + (
            "they are on their way to dead-letters" if on_error == "dead-letter" else "they are left out"
        )
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
