"""`edgewise consume`."""

from typing import Annotated

import typer


def consume(
    topic: Annotated[str, typer.Argument(help="sentiment, routing-events, … (without the prefix).")],
    start_at: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="WHERE",
            help="beginning, latest, an offset of each partition, or a time (ISO 8601). "
            "Default: beginning, with --follow latest.",
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=VALUE", help="Only records with this value; several: all must hold."),
    ] = None,
    most: Annotated[int | None, typer.Option("--max", min=1, help="End after so many records.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes in, until Ctrl-C.")] = False,
) -> None:
    """Print a topic's committed records as JSON lines, up to its end as of now.

    Example: [bold]edgewise consume sentiment --where label=negative --where route=cloud[/]

    Example: [bold]edgewise consume dead-letters --from 2026-01-31T12:00:00Z --follow[/]
    """
    import json
    from itertools import islice

    from streams.cli.context import start
    from streams.operate.consume import Start, matches, parse_conditions, records

    settings = start()
    conditions = parse_conditions(where or [])
    place = Start.parse(start_at or ("latest" if follow else "beginning"))
    found = (record for record in records(settings, topic, place, follow=follow) if matches(record, conditions))
    for record in islice(found, most):
        print(json.dumps(record, ensure_ascii=False), flush=follow)
