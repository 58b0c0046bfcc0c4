"""`edgewise score`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from streams.cli.file_options import (
    Encoding,
    FileFormat,
    MappingFile,
    OnError,
    RoleMap,
    encoding_name,
    tell_faults,
    tell_left_out,
    tell_notice,
    vendor,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from recordings.fault import Fault
    from streams.files.recording import Row
    from streams.files.vendor_file import LeftOutCounts

_ROWS_A_SIGN = 100  # a sign of progress once in so many rows


def score(  # noqa: PLR0913, PLR0917 - an option each
    file: Annotated[str, typer.Argument(metavar="FILE", help="A recording, or - for standard input.")],
    model: Annotated[
        Literal["edge", "cloud", "line"],
        typer.Option(
            help="The edge model, the cloud model, or the line: edge, router, and cloud for what is deferred."
        ),
    ] = "line",
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=COLUMN", help="Take a field from this column: text=body; event_id=tweet_id."),
    ] = None,
    text_column: Annotated[str | None, typer.Option(hidden=True, help="The same as --column text=NAME.")] = None,
    file_format: FileFormat = None,
    encoding: Encoding = None,
    mapping: MappingFile = None,
    role_map: RoleMap = None,
    on_error: OnError = "stop",
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many rows.")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Default: standard output. It appears when it is whole."),
    ] = None,
    output_format: Annotated[
        Literal["csv", "jsonl"] | None,
        typer.Option(help="Default: what the output's ending says; jsonl on standard output."),
    ] = None,
    summary_only: Annotated[
        bool,
        typer.Option("--summary", help="Print a table, a line a role, in the place of rows; -o still writes these."),
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", hidden=True, help="The same as --output-format csv.")] = False,
) -> None:
    """Score a file's texts without Kafka: every field of the input, then sentiment, confidence, route, costs and more.

    What a worker would refuse is not scored and says why. A summary goes to standard error.

    Example: [bold]edgewise score samples/airline.csv --model edge -o scored.csv[/]

    Example: [bold]edgewise score calls.jsonl --column text=body --limit 1000 -o scored.jsonl[/]

    Example: [bold]echo "My bag is lost and nobody answers" | edgewise score -[/]
    """
    import os
    from contextlib import suppress

    from recordings.fault import STDIN
    from streams.cli.context import start
    from streams.cli.output import output_format as format_to_write
    from streams.cli.output import text_output
    from streams.cli.progress import progress
    from streams.cli.table import print_table
    from streams.files.columns import parse_columns
    from streams.files.faults import Faults
    from streams.files.identity import EventIds, RowIds
    from streams.files.recording import can_be_read_twice, digest
    from streams.files.rows import Input, read_rows
    from streams.files.score import FIELDS, build_scorer, score_rows
    from streams.files.scored_rows import Summary
    from streams.files.writing import write_csv, write_jsonl

    columns = parse_columns([*(column or []), *([f"text={text_column}"] if text_column else [])])
    chosen = format_to_write(output, output_format or ("csv" if as_csv else None), "jsonl")
    settings = start()

    given = Input(
        columns=columns,
        file_format=file_format,
        encoding=encoding_name(encoding),
        limit=limit,
        vendor=vendor(mapping, role_map),
    )

    faults = Faults(file)

    def rows(
        on_fault: "Callable[[Fault], None]", on_left_out: "Callable[[LeftOutCounts], object]" = lambda _: None
    ) -> "Iterator[Row]":
        told = None if on_error == "stop" else on_fault
        return read_rows(file, given, on_left_out=on_left_out, on_fault=told)

    # A file is read to its end before anything is scored: what is wrong with it is told at once, not after an hour.
    # What cannot be read twice has no digest either; its rows draw by their numbers.
    readable_twice = can_be_read_twice(file)
    recording = digest(Path(file)) if readable_twice else STDIN
    event_ids, ids_of = EventIds(), RowIds(recording, columns)
    total = None
    if readable_twice:
        total = 0
        for row in rows(lambda _: None):
            total += 1
            with suppress(ValueError):  # such a row is refused when it is scored
                event_ids.add(row.line, *ids_of(row))
    summary = Summary()
    scorer = build_scorer(settings, model)
    to = Path(os.devnull) if summary_only and output is None else output
    with text_output(to, file) as out, progress("rows") as show:
        scored = score_rows(
            rows(faults.add, tell_left_out),
            scorer,
            max_text_chars=settings.max_text_chars,
            recording=recording,
            columns=columns,
            source=Path(file).name,
            roles=given.vendor.roles,
            event_ids=event_ids,
        )
        counted = _shown(summary.counting(scored), total, show)
        if chosen == "csv":
            write_csv(counted, out, FIELDS)
        else:
            write_jsonl(counted, out)
    tell_faults(faults)
    if event_ids.repeated:
        tell_notice(
            f"{file}: {event_ids.repeated:,} rows have the id of an earlier one; `edgewise inspect` tells which"
        )
    typer.echo("\n".join(summary.lines()), err=True)
    if summary_only:
        print_table(*summary.table())


def _shown(
    rows: "Iterable[dict[str, Any]]", total: int | None, show: "Callable[[int, int | None], None]"
) -> "Iterator[dict[str, Any]]":
    """`rows`, with a sign of progress now and then."""
    for number, row in enumerate(rows, 1):
        yield row
        if number % _ROWS_A_SIGN == 0 or number == total:
            show(number, total)
