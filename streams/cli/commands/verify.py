"""`edgewise verify`."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BEHIND = 3
"""The exit code when nothing can be proven yet, as agents are still behind."""


def verify(
    wait: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="Wait so long at most until the agents have done their input; default: for as long as they get on.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The verdict as one JSON object.")] = False,
) -> None:
    """Prove the line: every input has exactly one result or dead letter, in order, audited, and the totals agree.

    It first waits until the agents have done their input, for as long as they get on with it.

    Exit code 0: all of it holds. 1: something does not, or the topics can't be read. 2: wrong usage. 3: agents are
    behind and no longer get on, so that nothing can be said yet.

    Example: [bold]edgewise verify[/]

    Example: [bold]edgewise verify --wait 60 --json[/]
    """
    from streams.cli.context import start
    from streams.system.json_text import json_text
    from streams.verify.drain import NotDrainedError, wait_until_drained
    from streams.verify.read_line import verify as judge_line
    from streams.verify.verdict_text import verdict_json, verdict_lines

    settings = start()
    try:
        wait_until_drained(settings, wait, on_progress=_show_lag())
        verdict = judge_line(settings)
        if not verdict.holds:
            wait_until_drained(settings, 0)  # input may have come while the topics were read
    except NotDrainedError as error:
        if as_json:
            print(json_text({"verified": False, "behind": error.behind}, indent=2))
        typer.echo(f"edgewise: {error}", err=True)
        raise typer.Exit(BEHIND) from None
    print(json_text(verdict_json(verdict), indent=2) if as_json else "\n".join(verdict_lines(verdict)))
    if not verdict.holds:
        raise typer.Exit(1)


def _show_lag() -> "Callable[[Mapping[str, int]], None]":
    """What says on standard error how far the agents are behind, every five seconds."""
    import time

    from streams.verify.drain import describe_lag

    last = time.monotonic()

    def show(behind: "Mapping[str, int]") -> None:
        nonlocal last
        if time.monotonic() - last >= 5:
            last = time.monotonic()
            typer.echo(f"waiting: {describe_lag(behind)}", err=True)

    return show
