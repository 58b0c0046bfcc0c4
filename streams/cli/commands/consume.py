"""`edgewise consume`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TextIO


def consume(
    topic: Annotated[str, typer.Argument(help="sentiment, routing-events, … (without the prefix).")],
    start_at: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="WHERE",
            help="beginning, latest, an offset of each partition, or a time: ISO 8601, -5m (s, m, h, d, w ago), or 10, "
            "13 or 16 digits since 1970. Default: beginning, with --follow latest.",
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONDITION",
            help="Only records for which it holds: a field, one of = != < <= > >=, a value. Several: all must hold.",
        ),
    ] = None,
    fields: Annotated[
        str | None,
        typer.Option(metavar="FIELD,…", help="Only these fields, in this order; default: all, in a table some."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Default: standard output. It appears when it is whole."),
    ] = None,
    output_format: Annotated[
        Literal["json", "csv", "table"] | None,
        typer.Option(
            "--format",
            help="JSON lines, CSV, or a table, which is printed when all of it is there. Default: what the output's "
            "ending says; json on standard output.",
        ),
    ] = None,
    most: Annotated[int | None, typer.Option("--max", min=1, help="End after so many records.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes in, until Ctrl-C; then FILE appears.")
    ] = False,
) -> None:
    """Print a topic's committed records, up to its end as of now.

    Example: [bold]edgewise consume sentiment --where label=negative --where 'confidence<0.6'[/]

    Example: [bold]edgewise consume routing-events --from -5m --fields event_id,route,reason --format table[/]

    Example: [bold]edgewise consume routing-events -o decisions.jsonl[/]

    Example: [bold]edgewise consume dead-letters --from 2026-01-31T12:00:00Z --follow[/]
    """
    from itertools import islice

    from schemas.errors import UsageError
    from streams.cli.context import start
    from streams.cli.output import STANDARD_OUTPUT, text_output
    from streams.cli.output import output_format as format_to_write
    from streams.operate.consume import Start, records, require_topic
    from streams.operate.record_fields import fields_of, matches, parse_conditions, parse_fields, table_fields
    from streams.system.clock import now_ms
    from streams.system.signals import kept_interrupts

    require_topic(topic)
    if output not in STANDARD_OUTPUT and output_format == "table":
        raise UsageError(f"--output {output}: a table is for the terminal, a file holds --format json or csv")
    if output_format is None:
        output_format = "csv" if format_to_write(output, None, "jsonl") == "csv" else "json"
    if fields is not None:
        names = parse_fields(topic, fields)
    else:
        names = table_fields(topic) if output_format == "table" else list(fields_of(topic))
    conditions = parse_conditions(topic, where or [], now_ms)
    place = Start.parse(start_at or ("latest" if follow else "beginning"))
    if follow and output_format == "table" and most is None:
        raise UsageError("--format table with --follow has no end at which to print it: give --max, or --format csv")
    settings = start()
    found = records(settings, topic, place, follow=follow)
    if follow:
        typer.echo(f"edgewise: waiting for records of {settings.topic(topic)}; Ctrl-C ends it", err=True)
    chosen = islice((record for record in found if matches(record, conditions)), most)
    if output_format == "table":
        _print_table(chosen, names)
        return
    with text_output(output) as out:
        try:
            with kept_interrupts():
                if output_format == "json":
                    _write_json(chosen, out, None if fields is None else names, flush=follow)
                else:
                    _write_csv(chosen, out, names, flush=follow)
        except KeyboardInterrupt:
            if not follow or output in STANDARD_OUTPUT:
                raise  # else the file is whole: this is how following ends


def _write_json(found: "Iterator[dict[str, Any]]", out: "TextIO", names: list[str] | None, *, flush: bool) -> None:
    from streams.operate.record_fields import field_value
    from streams.system.json_text import json_text

    for record in found:
        shown = record if names is None else {name: field_value(record, name) for name in names}
        print(json_text(shown), file=out, flush=flush)


def _write_csv(found: "Iterator[dict[str, Any]]", out: "TextIO", names: list[str], *, flush: bool) -> None:
    from streams.files.writing import csv_row_writer
    from streams.operate.record_fields import field_value

    write = csv_row_writer(out)
    write(names)
    for record in found:
        write([_cell(field_value(record, name)) for name in names])
        if flush:
            out.flush()


def _print_table(found: "Iterator[dict[str, Any]]", names: list[str]) -> None:
    """Prints a line a record; columns in which nothing stands are left out."""
    from streams.cli.table import print_table
    from streams.operate.record_fields import field_value

    rows = [[_cell(field_value(record, name), one_line=True) for name in names] for record in found]
    used = [column for column in range(len(names)) if not rows or any(row[column] for row in rows)]
    print_table([names[column] for column in used], *([row[column] for column in used] for row in rows))


def _cell(value: object, *, one_line: bool = False) -> str:
    """A field in a cell: text as it is, nothing for null, anything else as JSON."""
    from streams.system.json_text import json_text

    text = "" if value is None else value if isinstance(value, str) else json_text(value)
    # What customers wrote must neither break a line nor steer the terminal.
    return "".join(each if each.isprintable() else " " for each in text) if one_line else text
