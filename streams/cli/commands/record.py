"""`edgewise record`."""

from pathlib import Path
from typing import Annotated

import typer


def record(
    topic: Annotated[str, typer.Argument(help="transcripts: the topic that can be replayed.")] = "transcripts",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Default: standard output. It appears when it is whole."),
    ] = None,
    start_at: Annotated[
        str, typer.Option("--from", metavar="WHERE", help="As of `consume`: beginning, an offset, a time, -5m, …")
    ] = "beginning",
    most: Annotated[int | None, typer.Option("--max", min=1, help="End after so many events.")] = None,
    original: Annotated[
        bool, typer.Option("--original", help="Write the texts as they were said, personal data and all.")
    ] = False,
) -> None:
    """Record a topic's events, as of now, into JSON lines that `replay` sends again under the same ids.

    Personal data is taken out of texts and attributes, unless --original says otherwise.

    Example: [bold]edgewise record transcripts --from -1d -o yesterday.jsonl[/]

    Example: [bold]EDGEWISE_TOPIC_PREFIX=try- edgewise replay yesterday.jsonl[/]
    """
    from itertools import islice

    from streams.cli.context import start
    from streams.cli.output import text_output
    from streams.files.writing import write_jsonl
    from streams.operate.consume import Start
    from streams.operate.record import Tally, recorded_rows

    place = Start.parse(start_at)
    tally = Tally()
    rows = recorded_rows(start(), topic, place, tally, redacted=not original)
    with text_output(output) as out:
        write_jsonl(islice(rows, most), out)
    told = f"{tally.rows:,} events recorded"
    told += ", as they were said" if original else f", {tally.redacted_rows:,} of them redacted"
    if tally.left_out:
        told += f"; left out, for they are no transcript events: {tally.left_out:,}"
    typer.echo(f"edgewise: {told}", err=True)
