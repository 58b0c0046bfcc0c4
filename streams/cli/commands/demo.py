"""`edgewise demo`."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the report here too, when there is one.")
    ] = None,
    events: Annotated[int | None, typer.Option(min=1, help="Events to send; default: all of the samples'.")] = None,
    page: Annotated[
        bool, typer.Option("--page", help="Serve the live page meanwhile, and keep the line up until Ctrl-C.")
    ] = False,
) -> None:
    """See the whole line work, with nothing to set up: a broker, the agents, real messages, and a report.

    It takes about a minute. Models, router and prices are the settings'. Exit code 0 only when the line is verified.

    Example: [bold]edgewise demo --json report.json[/]

    Example: [bold]edgewise demo --page[/]
    """
    import signal
    import tempfile
    import threading
    from contextlib import nullcontext

    from streams.cli.context import start
    from streams.cli.output import whole_file
    from streams.demo.demo import REPORT, InterruptedDemo
    from streams.demo.demo import demo as run_demo
    from streams.demo.report import Report, report_json, report_lines
    from streams.system.json_text import json_text

    settings = start()
    told_to_end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Not an exception: it would come up wherever the demo happens to be, even among what ends its processes.
        signal.signal(number, lambda _number, _frame: told_to_end.set())
    folder = Path(tempfile.mkdtemp(prefix="edgewise-demo-"))

    def end(report: Report, address: str | None) -> None:
        print("\n".join(report_lines(report)), flush=True)
        typer.echo(f"A report of it for the browser: {folder / REPORT}", err=True)
        if address is None:
            typer.echo("Its live page: --page serves it, and keeps the line up", err=True)
        else:
            typer.echo(f"Its live page: {address} – Ctrl-C ends it, and the line", err=True)

    try:
        # Opened first: nobody should wait a minute to hear that the file can't be written.
        with nullcontext() if json_file is None else whole_file(json_file) as file:
            typer.echo(f"The logs of all processes go to {folder}", err=True)
            report = run_demo(settings, folder, events, told_to_end.is_set, end=end, with_page=page)
            if file is not None:
                file.write(json_text(report_json(report), indent=2) + "\n")
    except InterruptedDemo:
        typer.echo("edgewise: interrupted: every process of the demo was ended", err=True)
        raise typer.Exit(130) from None
    if not report.verdict.holds:
        raise typer.Exit(1)
