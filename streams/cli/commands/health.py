"""`edgewise health`."""

from typing import Annotated

import typer

EXIT_CODES = {"excellent": 0, "good": 0, "fair": 3, "poor": 4, "critical": 5, "unknown": 6}
"""The exit code by the word of the score."""

_SPANS = 24  # that a trend goes by


def health(
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Windows from this time on: ISO 8601, -1h, -7d, …")
    ] = "-1d",
    advise: Annotated[
        bool, typer.Option("--advise", help="Recommend settings, tried on the decisions recorded in that time.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Tell how well the line is: a score from 0 to 100, and each figure with its bound and trend, and the open alerts.

    Exit code 0: excellent or good. 1: the topics can't be read. 2: wrong usage. 3: fair. 4: poor. 5: critical. 6:
    unknown, as no event was scored in this time.

    Example: [bold]edgewise health[/]

    Example: [bold]edgewise health --since -1h --json[/]

    Example: [bold]edgewise health --since -7d --advise[/]
    """
    from streams.cli.context import start
    from streams.cli.decision_options import moment
    from streams.cli.health_advice import recommendations
    from streams.cli.health_report import as_dict, as_text
    from streams.kafka.client import Cluster
    from streams.monitoring.health import assess
    from streams.monitoring.health_metrics import Beside
    from streams.monitoring.health_rules import bounds, load_health_rules
    from streams.monitoring.reference_file import read_reference
    from streams.operate.consume import Start
    from streams.operate.decisions import topic_decisions
    from streams.operate.labels import read_labels
    from streams.operate.live_windows import LiveWindows
    from streams.operate.open_alerts import latest_alerts
    from streams.system.json_text import json_text

    since_ms = moment("--since", since)
    settings = start()
    rules = load_health_rules(settings.health_rules)
    reference = None if settings.drift_reference is None else read_reference(settings.drift_reference)
    cluster = Cluster(settings)
    beside = Beside(reference, read_labels(settings))
    with LiveWindows(cluster, since_ms=since_ms) as windows:
        windows.read_to_end()
        found = assess(windows.total(), windows.spans(_SPANS), bounds(rules), beside)
    firing = [alert for alert in latest_alerts(cluster) if alert.state == "firing" and not alert.subject]
    advice, now = None, None
    if advise and found.events:
        advice, now = recommendations(settings, found, topic_decisions(settings, Start(since_ms=since_ms), None))
    print(json_text(as_dict(found, firing, advice, now), indent=2) if as_json else as_text(found, firing, advice, now))
    if code := EXIT_CODES[found.word]:
        raise typer.Exit(code)
