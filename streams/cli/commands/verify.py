"""`edgewise verify`."""

from typing import Annotated

import typer


def verify(
    wait: Annotated[
        float | None,
        typer.Option(min=0, metavar="SECONDS", help="First wait, so long at most, until the agents have caught up."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The verdict as one JSON object.")] = False,
) -> None:
    """Prove the line: every input has exactly one result or dead letter, in order, audited, and the totals agree.

    Exit code 0 only when all of it holds. Input must have come to rest: what is under way counts as lost.

    Example: [bold]edgewise verify --wait 60[/]
    """
    import json

    from streams.cli.context import start
    from streams.demo.report import verdict_json, verdict_lines
    from streams.verify.read_line import verify as verify_line
    from streams.verify.read_line import wait_until_drained

    settings = start()
    if wait is not None:
        wait_until_drained(settings, wait)
    verdict = verify_line(settings)
    print(json.dumps(verdict_json(verdict), indent=2) if as_json else "\n".join(verdict_lines(verdict)))
    if not verdict.holds:
        raise typer.Exit(1)
