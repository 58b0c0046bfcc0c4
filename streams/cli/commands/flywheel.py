"""`edgewise flywheel collect`."""

from pathlib import Path
from typing import Annotated

import typer

flywheel = typer.Typer(
    no_args_is_help=True,
    help="Make training sets of live traffic.\n\nExample: [bold]edgewise flywheel collect --out live[/]",
)


@flywheel.command()
def collect(
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="The set's folder; its name is the set's.")
    ],
    licence: Annotated[str, typer.Option(help="The terms that the texts and the labels are under.")] = "",
    start_at: Annotated[
        str | None, typer.Option("--from", metavar="WHERE", help="Only events from this time on: ISO 8601, -7d, …")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only answers given before it.")] = None,
    most: Annotated[
        int, typer.Option("--max", min=1, help="At most so many texts: of more a random part, people's labels first.")
    ] = 100_000,
) -> None:
    """Make a training set of people's labels and of what the cloud has answered: the random sample, the deferred.

    Texts are redacted, ids are hashes. The folder has the rows, where they come from, and what a training run's
    configuration says of them.

    Example: [bold]edgewise flywheel collect --from -7d --licence "ours, not to be passed on" --out live[/]
    """
    from streams.cli.collected import write_set
    from streams.cli.context import start
    from streams.cli.decision_options import moment
    from streams.operate.consume import Start
    from streams.operate.flywheel import Tally, collected_rows, lessons

    settings = start()
    begin = Start(since_ms=None if start_at is None else moment("--from", start_at))
    until_ms = None if until is None else moment("--until", until)
    tally = Tally()
    rows = collected_rows(settings, begin, lessons(settings, begin, until_ms, most), tally)
    print(write_set(out, rows, tally, settings, licence))
