"""`edgewise demo`."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", dir_okay=False, help="Write the report here too.")
    ] = None,
    events: Annotated[int | None, typer.Option(min=1, help="Events to send; default: all of the samples'.")] = None,
) -> None:
    """See the whole line work, with nothing to set up: a broker, the agents, real messages, and a report.

    It takes about a minute. Models, router and prices are the settings'. Exit code 0 only when the line is verified.

    Example: [bold]edgewise demo --json report.json[/]
    """
    import json
    import signal
    import tempfile
    import threading

    from schemas.errors import UsageError
    from streams.cli.context import start
    from streams.demo.demo import InterruptedDemo
    from streams.demo.demo import demo as run_demo
    from streams.demo.report import report_json, report_lines

    settings = start()
    if json_file is not None:
        try:
            json_file.touch()
        except OSError as error:
            raise UsageError(f"--json {json_file}: {error.strerror}") from None
    told_to_end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Not an exception: it would come up wherever the demo happens to be, even among what ends its processes.
        signal.signal(number, lambda _number, _frame: told_to_end.set())
    folder = Path(tempfile.mkdtemp(prefix="edgewise-demo-"))
    typer.echo(f"The logs of all processes go to {folder}", err=True)
    try:
        report = run_demo(settings, folder, events, told_to_end.is_set)
    except InterruptedDemo:
        typer.echo("edgewise: interrupted: every process of the demo was ended", err=True)
        raise typer.Exit(130) from None
    if json_file is not None:
        json_file.write_text(json.dumps(report_json(report), indent=2) + "\n")
    print("\n".join(report_lines(report)))
    if not report.verdict.holds:
        raise typer.Exit(1)
