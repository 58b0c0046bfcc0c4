"""`edgewise redact`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from streams.cli.file_options import Encoding, OnError, encoding_name, tell_faults, tell_left_out


def redact(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A recording or a vendor's file, or - for input.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Default: standard output. It appears when it is whole."),
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=COLUMN", help="Take the text from this column: text=body.")
    ] = None,
    file_format: Annotated[
        Literal["csv", "jsonl", "lines"] | None,
        typer.Option(
            "--format", help="Of the input. Default: what the file's ending says; of standard input its start."
        ),
    ] = None,
    encoding: Encoding = None,
    on_error: OnError = "stop",
    output_format: Annotated[
        Literal["csv", "jsonl"] | None,
        typer.Option(help="Default: what the output's ending says; jsonl on standard output."),
    ] = None,
    numbered: Annotated[
        bool, typer.Option("--numbered", help="[CARD_1] rather than [CARD]: one number a value in a conversation.")
    ] = False,
) -> None:
    """Take personal data out of a file's texts: every field of the input, then the kinds and places of what was found.

    By the settings redaction and redaction_kinds; with `off` by rules all the same.
    Only the text's column is read: other columns are written as they are, and named on standard error.

    Example: [bold]edgewise redact transcripts.jsonl -o redacted.jsonl[/]
    """
    from streams.cli.output import output_format as format_to_write
    from streams.cli.output import text_output
    from streams.config.loading import load_settings
    from streams.config.redaction import build_tagger
    from streams.files.columns import parse_columns
    from streams.files.faults import Faults
    from streams.files.redact import FIELDS, Tally, redact_rows
    from streams.files.rows import Input, read_rows
    from streams.files.writing import write_csv, write_jsonl

    columns = parse_columns(column or [])
    chosen = format_to_write(output, output_format, "jsonl")
    tally = Tally()
    faults = Faults(file)
    told = None if on_error == "stop" else faults.add
    given = Input(columns=columns, file_format=file_format, encoding=encoding_name(encoding))
    rows = read_rows(file, given, on_left_out=tell_left_out, on_fault=told)
    settings = load_settings()
    redacted = redact_rows(
        rows, columns, tally, numbered=numbered, tagger=build_tagger(settings), kinds=settings.kinds_redacted
    )
    with text_output(output, file) as out:
        if chosen == "csv":
            write_csv(redacted, out, FIELDS)
        else:
            write_jsonl(redacted, out)
    tell_faults(faults)
    typer.echo(f"edgewise: {tally}", err=True)
