"""`edgewise drift`."""

from pathlib import Path
from typing import Annotated

import typer

drift = typer.Typer(
    no_args_is_help=True,
    help="Whether traffic and answers are still those of a reference that was frozen at a release.\n\n"
    "Example: [bold]edgewise drift compare --since -1d[/]",
)

Since = Annotated[str, typer.Option(metavar="TIME", help="Windows from this time on: ISO 8601, -1d, -7d, …")]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Windows before this time. Default: all.")]


@drift.command()
def freeze(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="It appears when it is whole.")],
    since: Since = "-7d",
    until: Until = None,
) -> None:
    """Make a reference of the windows of a time: whole weeks, so that nights and weekends are in it.

    It takes what the models and the policy now in force have answered alone: where a version or the policy changed in
    that time, it begins with the change. Where a model of another name took one's place, begin after that yourself.
    EDGEWISE_DRIFT_REFERENCE names the file; then `edgewise health` judges drift.

    Example: [bold]edgewise drift freeze --since -14d -o reference.json[/]
    """
    from streams.cli.context import start
    from streams.cli.decision_options import moment
    from streams.cli.output import text_output
    from streams.monitoring.reference_file import reference_text
    from streams.operate.drift import freeze as frozen
    from streams.system.clock import iso

    reference = frozen(start(), moment("--since", since), _until(until))
    with text_output(output) as out:
        out.write(reference_text(reference))
    typer.echo(
        f"edgewise: a reference of {reference.events:,} events from {iso(reference.since_ms)} to "
        f"{iso(reference.until_ms)}, answered by {', '.join(sorted(reference.models))} under "
        f"{', '.join(sorted(reference.policies))}: set EDGEWISE_DRIFT_REFERENCE to {output}",
        err=True,
    )


@drift.command()
def compare(
    since: Since = "-1d",
    until: Until = None,
    reference: Annotated[Path | None, typer.Option(metavar="FILE", help="Default: EDGEWISE_DRIFT_REFERENCE.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Compare the windows of a time with the reference, aspect by aspect, and say what has moved most.

    Example: [bold]edgewise drift compare --since -1d[/]

    Example: [bold]edgewise drift compare --reference reference.json --since -7d --json[/]
    """
    from schemas.errors import UsageError
    from streams.cli.context import start
    from streams.cli.decision_options import moment
    from streams.cli.drift_report import as_dict, as_text
    from streams.monitoring.reference_file import read_reference
    from streams.operate.drift import merged
    from streams.system.json_text import json_text

    settings = start()
    file = settings.drift_reference if reference is None else str(reference)
    if file is None:
        raise UsageError("no reference: make one with `edgewise drift freeze`, and name it in EDGEWISE_DRIFT_REFERENCE")
    frozen = read_reference(file)
    window = merged(settings, moment("--since", since), _until(until))
    print(json_text(as_dict(frozen, window), indent=2) if as_json else as_text(frozen, window))


def _until(until: str | None) -> int:
    from schemas.validation import MAX_AHEAD_MS
    from streams.cli.decision_options import moment
    from streams.system.clock import now_ms

    return now_ms() + MAX_AHEAD_MS if until is None else moment("--until", until)
