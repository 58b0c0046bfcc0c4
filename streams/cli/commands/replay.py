"""`edgewise replay`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer


def replay(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Recordings: CSV or JSON lines.")],
    pace: Annotated[
        str, typer.Option(help="max, a rate such as 200/s, or recorded time times a factor, such as 10x.")
    ] = "max",
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=COLUMN", help="Take an event's field from this column: text=body."),
    ] = None,
    file_format: Annotated[
        Literal["csv", "jsonl", "lines"] | None, typer.Option("--format", help="Default: what the file's ending says.")
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
    from streams.cli.context import start
    from streams.files.recorded_event import parse_columns
    from streams.ingest.pace import Pace
    from streams.ingest.replay import Recording
    from streams.ingest.replay import replay as run_replay

    settings = start()
    chosen, columns = Pace.parse(pace), parse_columns(column or [])
    recordings = [Recording(path, columns, file_format, limit) for path in files]
    with _progress() as show:
        summary = run_replay(settings, recordings, pace=chosen, resume=resume, on_progress=show)
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


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Shows progress on standard error: a bar on a terminal, elsewhere a line every five seconds."""
    import sys
    import time

    if not sys.stderr.isatty():
        last = time.monotonic()

        def line(done: int, rows: int) -> None:
            nonlocal last
            if time.monotonic() - last >= 5:
                last = time.monotonic()
                typer.echo(f"{done:,} of {rows:,} events", err=True)

        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}/s"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("replay", total=None, rate="-")

        def bar(done: int, rows: int) -> None:
            speed = progress.tasks[0].speed
            progress.update(task, completed=done, total=rows, rate=f"{speed:,.0f}" if speed else "-")

        yield bar
