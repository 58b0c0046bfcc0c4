"""`edgewise redact`."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def redact(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A recording, or - for standard input.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: standard output.")
    ] = None,
    text_column: Annotated[str, typer.Option(help="The column that holds the text.")] = "text",
    file_format: Annotated[
        Literal["csv", "jsonl", "lines"] | None,
        typer.Option("--format", help="Default: what the file's ending says; lines for standard input."),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV rather than JSON lines (FILE.csv says so too).")] = False,
    numbered: Annotated[
        bool, typer.Option("--numbered", help="[CARD_1] rather than [CARD]: one number a value in a conversation.")
    ] = False,
) -> None:
    """Take personal data out of a file's texts: every field of the input, then the kinds and places of what was found.

    Only the text's column is read: other columns are written as they are, and named on standard error.

    Example: [bold]edgewise redact transcripts.jsonl -o redacted.jsonl[/]
    """
    from streams.cli.output import text_output
    from streams.files.recording import read_recording
    from streams.files.redact import FIELDS, Tally, redact_rows
    from streams.files.writing import write_csv, write_jsonl

    rows = read_recording(file, columns={"text": text_column}, file_format=file_format)
    tally = Tally()
    redacted = redact_rows(rows, text_column, tally, numbered=numbered)
    with text_output(output, file) as out:
        if as_csv or (output is not None and output.suffix.lower() == ".csv"):
            write_csv(redacted, out, FIELDS)
        else:
            write_jsonl(redacted, out)
    typer.echo(f"edgewise: {tally}", err=True)
