"""`edgewise route calibrate`."""

from pathlib import Path
from typing import Annotated

import typer

route = typer.Typer(
    no_args_is_help=True,
    help="Make routing policies from what was recorded.\n\n"
    "Example: [bold]edgewise route calibrate --agreement 0.95 -o policy.toml[/]",
)


@route.command()
def calibrate(  # noqa: PLR0913, PLR0917 - an option each
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="Decisions that `edgewise consume routing-events` printed, or - for standard input; with "
            "--label-column texts that people have labelled. Default: the topic routing-events.",
        ),
    ] = None,
    agreement: Annotated[
        float, typer.Option(min=0.5, max=0.9999, help="How often kept answers must agree, at least.")
    ] = 0.95,
    confidence: Annotated[
        float, typer.Option(min=0.5, max=0.9999, help="With which confidence this must be shown.")
    ] = 0.95,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The policy's file, .toml or .json.")
    ] = Path("policy.toml"),
    name: Annotated[
        str | None, typer.Option(help="The policy's name in the audit trail. Default: agreement-, and what is asked.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the curve here too, as SVG.")] = None,
    label_column: Annotated[
        str | None, typer.Option(help="FILE has texts, and this column the label: negative, neutral or positive.")
    ] = None,
    text_column: Annotated[str, typer.Option(help="With --label-column: the column that holds the text.")] = "text",
    start_at: Annotated[
        str | None, typer.Option("--from", metavar="WHERE", help="Only decisions from this time on: ISO 8601, -7d, …")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only decisions recorded before it.")] = None,
) -> None:
    """Make the policy with the smallest cloud share whose kept answers agree at least so often, with that confidence.

    Agreement is with the cloud, on the random sample and on what was deferred, or with --label-column with people. It
    is refused when too little is known. The thresholds on complexity and the random rate are those of the settings.

    Example: [bold]edgewise route calibrate --agreement 0.95 -o policy.toml[/]

    Example: [bold]edgewise route calibrate decisions.jsonl --from -30d --agreement 0.97 -o strict.toml[/]

    Example: [bold]edgewise route calibrate labelled.csv --label-column label --agreement 0.85[/]
    """
    from models.artifact import load_artifact
    from models.policy_file import POLICY_ENDINGS
    from schemas.errors import UsageError
    from streams.cli.context import start
    from streams.cli.decision_options import read_decisions
    from streams.cli.output import text_output
    from streams.cli.plot import svg_plot
    from streams.cli.route_report import curve_axes, policy_file, report
    from streams.config.routing import build_router
    from streams.monitoring.policy_fit import Asked, fit_policy, policy_curve
    from streams.operate.labelled_decisions import labelled_decisions

    if not str(output).endswith(POLICY_ENDINGS):
        raise UsageError(f"--output {output}: a policy's file ends in {' or '.join(POLICY_ENDINGS)}")
    settings = start()
    base = build_router(settings, load_artifact(settings.edge_model))
    if label_column is None:
        decisions = read_decisions(settings, file, start_at, until)
    else:
        from streams.files.recording import read_recording

        if file is None:
            raise UsageError("--label-column: name the FILE that has it")
        if start_at is not None or until is not None:
            raise UsageError("--from and --until are for decisions: texts with --label-column have no time")
        rows = read_recording(file, columns={"text": text_column}, file_format="jsonl" if file == "-" else None)
        decisions = labelled_decisions(settings, rows, label_column)
    asked = Asked(agreement, confidence, base.complexity_threshold, base.random_cloud_rate)
    chosen, curve = fit_policy(decisions, asked), policy_curve(decisions, asked)
    made = policy_file(name or f"agreement-{agreement:g}", decisions, asked, chosen, curve)
    with text_output(output, file or "-") as out:
        out.write(made.text(output.suffix))
    if plot is not None:
        with text_output(plot, file or "-") as out:
            out.write(svg_plot(curve_axes(made)))
    print(report(str(output), made, decisions))
