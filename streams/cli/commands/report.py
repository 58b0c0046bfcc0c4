"""`edgewise report`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

_ENDINGS: dict[str, Literal["html", "markdown", "json"]] = {
    ".html": "html", ".htm": "html", ".md": "markdown", ".json": "json",
}  # fmt: skip


def report(
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Where it begins: 30d ago (s, m, h, d, w), or ISO 8601.")
    ] = "30d",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: standard output.")
    ] = None,
    chosen: Annotated[
        Literal["html", "markdown", "json"] | None,
        typer.Option("--format", help="Default: by the file's ending; on standard output markdown."),
    ] = None,
    most: Annotated[
        int, typer.Option("--conversations", min=0, help="Show so many of the conversations at risk.")
    ] = 50,
) -> None:
    """Report a period: cost with forecast, edge share, quality, latency, reasons, labels, conversations at risk.

    Made from the topics `monitoring`, `conversations`, `alerts` and `labels` alone. One file; it has no texts.

    Example: [bold]edgewise report --since 30d -o report.html[/]

    Example: [bold]edgewise report --since 2026-01-01 --format json | jq .total.cost_usd[/]
    """
    from schemas.errors import UsageError
    from streams.cli.context import start
    from streams.cli.decision_options import moment
    from streams.cli.output import text_output
    from streams.monitoring.forecast import forecast
    from streams.operate.labels import read_labels
    from streams.operate.past_alerts import read_alerts
    from streams.operate.period import read_at_risk, read_period
    from streams.system.clock import now_ms
    from streams.system.json_text import json_text
    from streams.web.html import as_html
    from streams.web.markdown import as_markdown
    from streams.web.report import Report, report_json
    from streams.web.report_document import report_document

    made_at, since_ms = now_ms(), moment("--since", since)
    form = chosen or ("markdown" if output is None else _ENDINGS.get(output.suffix.lower()))
    if form is None:
        raise UsageError(
            f"{output}: its ending is none of {', '.join(_ENDINGS)}: take one of them, or name the format as --format"
        )
    settings = start()
    period = read_period(settings, since_ms)
    at_risk = read_at_risk(settings, since_ms, most)
    alerts = read_alerts(settings, since_ms)
    found = Report(period, at_risk, forecast(period, made_at), made_at, read_labels(settings), alerts)
    with text_output(output) as out:
        if form == "json":
            out.write(json_text(report_json(found), indent=2) + "\n")
        else:
            out.write((as_html if form == "html" else as_markdown)(report_document(found)))
