"""`edgewise produce`."""

from typing import Annotated, Literal

import typer


def produce(
    file: Annotated[str, typer.Argument(metavar="-", help="Standard input: one JSON object a line.")] = "-",
    on_error: Annotated[
        Literal["stop", "skip", "dead-letter"],
        typer.Option(help="At a line that is no event: stop, skip it, or send it as it is into dead-letters."),
    ] = "stop",
) -> None:
    """Send events to the topic `transcripts` as they are written into a pipe, one JSON object a line.

    An object has `conversation_id` and `text`, and what else an event has: `edgewise ingest` takes the same.

    Example: [bold]tail -F events.jsonl | edgewise produce - --on-error skip[/]
    """
    import sys

    from schemas.errors import UsageError
    from streams.cli.context import start
    from streams.cli.file_options import tell_faults
    from streams.config.tracing import traced
    from streams.ingest.produce import produce as run_produce

    if file != "-":
        raise UsageError(f"edgewise produce reads standard input: give -, and for a file `edgewise replay {file}`")
    settings = start()
    with traced(settings, "produce"):
        produced = run_produce(settings, sys.stdin.buffer, on_error)
    tell_faults(produced.faults)
    done = f"{produced.events:,} events are in {settings.topic('transcripts')}"
    if produced.letters:
        done += f", and {produced.letters:,} lines that are none, on their way to dead-letters"
    if produced.interrupted:
        typer.echo(f"edgewise: interrupted: {done}", err=True)
        raise typer.Exit(130)
    print(done)
