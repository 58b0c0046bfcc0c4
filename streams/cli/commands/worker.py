"""`edgewise worker`."""

from typing import Annotated

import typer


def worker(
    agents: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[AGENT]...",
            help="An agent, such as edge; none: all but shadow; notify only where webhooks are set.",
        ),
    ] = None,
    processes: Annotated[int, typer.Option("--processes", "-n", min=1, help="Processes of each agent.")] = 1,
    joined_fd: Annotated[
        int | None,
        typer.Option(min=3, hidden=True, help="What to write to once the group is joined; for a supervisor."),
    ] = None,
) -> None:
    """Run agents until Ctrl-C or SIGTERM.

    A single process of a single agent is this one. More are processes of their own, restarted when they crash.

    Example: [bold]edgewise worker[/]

    Example: [bold]edgewise worker edge --processes 2[/]
    """
    from streams.cli.context import start
    from streams.worker.build import run

    raise typer.Exit(run(start(), agents or [], processes, joined_fd))
