"""`edgewise labels`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from streams.cli.file_options import Encoding, OnError, encoding_name, tell_faults


def labels(
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV or JSON, a row a label; - for standard input.")],
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=COLUMN", help="Take a field from this column: label=verdict; event_id=tweet_id."),
    ] = None,
    file_format: Annotated[
        Literal["csv", "jsonl", "json"] | None,
        typer.Option("--format", help="Default: what the file's ending says, else its content."),
    ] = None,
    encoding: Encoding = None,
    on_error: OnError = "stop",
) -> None:
    """Bring people's labels of events into the topic `labels`, and tell how often the published label was the same.

    A row has `event_id`, `conversation_id` and `label` (negative, neutral or positive), and may have `labelled_at`,
    `labeller` and `source`. Nothing is sent before the whole file was read. Of an event the last label counts, so the
    same file may be brought again. `edgewise health` and `edgewise report` take accuracy from these labels.

    Example: [bold]edgewise labels october.csv[/]

    Example: [bold]edgewise labels export.jsonl --column label=verdict --column event_id=id[/]
    """
    from recordings.fault import STDIN, stop_at
    from schemas.errors import UsageError
    from streams.cli.context import start
    from streams.cli.people_report import accuracy_lines
    from streams.files.columns import parse_columns
    from streams.files.faults import Faults
    from streams.files.given_labels import LABEL_COLUMNS, given_labels
    from streams.operate.labels import bring_labels, read_labels
    from streams.system.clock import now_ms

    columns = parse_columns(column or [], LABEL_COLUMNS)
    name = encoding_name(encoding)
    settings = start()
    path: Path | str = file if file == STDIN else Path(file)
    faults = Faults(path)
    on_fault = faults.add if on_error == "skip" else stop_at(path)
    given = list(given_labels(path, columns, file_format, name, now_ms(), on_fault))
    tell_faults(faults)
    if not given:
        raise UsageError(f"{file}: no row of it is a label")
    brought = bring_labels(settings, given)
    print(f"{brought.labels:,} labels of {brought.events:,} events are in {settings.topic('labels')}")
    if unanswered := brought.events - brought.answered:
        typer.echo(
            f"edgewise: of {unanswered:,} of these events the audit trail holds no answer: their labels count once you "
            "bring them again after the line has answered",
            err=True,
        )
    print("\n".join(accuracy_lines(read_labels(settings).accuracy(0))))
