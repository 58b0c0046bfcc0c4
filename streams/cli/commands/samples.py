"""`edgewise samples`."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def samples(
    count: Annotated[int, typer.Option(min=1, help="How many messages.")] = 1000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: standard output.")
    ] = None,
    file_format: Annotated[
        Literal["csv", "jsonl"] | None,
        typer.Option("--format", help="Default: what the output's ending says; csv on standard output."),
    ] = None,
) -> None:
    """Make up customer messages to replay: for load tests and for trying redaction, never for claims about accuracy.

    Three in ten are negative, four positive, three neutral, as the column `label` says; every fifth holds an account,
    card or phone number or an e-mail address, none of which can be anybody's. They are sentences from templates: no
    figure measured on them says anything about real customers.

    Example: [bold]edgewise samples --count 100000 -o load.csv && edgewise replay load.csv --pace 500/s[/]
    """
    from streams.cli.output import output_format, text_output
    from streams.files.synthetic import messages, write_csv, write_jsonl

    write = write_jsonl if output_format(output, file_format, "csv") == "jsonl" else write_csv
    with text_output(output) as out:
        write(messages(count, seed), out)
