"""`edgewise score`."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def score(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A recording, or - for standard input.")],
    model: Annotated[
        Literal["edge", "cloud", "line"],
        typer.Option(
            help="The edge model, the cloud model, or the line: edge, router, and cloud for what is deferred."
        ),
    ] = "line",
    text_column: Annotated[str, typer.Option(help="The column that holds the text.")] = "text",
    file_format: Annotated[
        Literal["csv", "jsonl", "lines"] | None,
        typer.Option("--format", help="Default: what the file's ending says; lines for standard input."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: standard output.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV rather than JSON lines (FILE.csv says so too).")] = False,
) -> None:
    """Score a file's texts without Kafka: every field of the input, then sentiment, confidence, route and more.

    Example: [bold]edgewise score samples/airline.csv --model edge --csv > scored.csv[/]

    Example: [bold]echo "My bag is lost and nobody answers" | edgewise score -[/]
    """
    from streams.cli.context import start
    from streams.cli.output import text_output
    from streams.files.recording import read_recording
    from streams.files.score import FIELDS, build_scorer, score_rows
    from streams.files.writing import write_csv, write_jsonl

    settings = start()
    rows = read_recording(file, columns={"text": text_column}, file_format=file_format)
    scored = score_rows(rows, build_scorer(settings, model))
    with text_output(output, file) as out:
        if as_csv or (output is not None and output.suffix.lower() == ".csv"):
            write_csv(scored, out, FIELDS)
        else:
            write_jsonl(scored, out)
