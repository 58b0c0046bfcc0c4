"""`edgewise alerts list`, `silence`, `unsilence`, `prometheus-rules` and `test-webhooks`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.commands.webhooks import test_webhooks
from streams.cli.user import printable, user_name

if TYPE_CHECKING:
    from schemas.records import Alert
    from streams.config.settings import Settings

alerts = typer.Typer(
    no_args_is_help=True,
    help="See what is wrong, and say of what nobody is to be told for a time.\n\n"
    "Example: [bold]edgewise alerts list[/]",
)

alerts.command()(test_webhooks)

_LONGEST_MS = 30 * 86_400_000  # `silences` keeps no record for longer

Rule = Annotated[str, typer.Argument(metavar="RULE", help="The rule's name, as `edgewise alerts list` shows it.")]


@alerts.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also what has resolved.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As a JSON object: the alerts and the silences.")] = False,
) -> None:
    """List the alerts that are firing, the most urgent first, and the silences.

    Example: [bold]edgewise alerts list --all --json[/]
    """
    from dataclasses import asdict

    from streams.cli.context import start
    from streams.cli.table import print_table
    from streams.kafka.client import Cluster
    from streams.operate.open_alerts import latest_alerts
    from streams.operate.silences import silences
    from streams.system.clock import iso, now_ms
    from streams.system.json_text import json_text

    cluster = Cluster(start())
    found = [alert for alert in latest_alerts(cluster) if everything or alert.state == "firing"]
    silent = silences(cluster, now_ms())
    if as_json:
        texts = {"alerts": [_json(alert) for alert in found], "silences": [asdict(each) for each in silent]}
        for each in texts["silences"]:
            each |= {"until": iso(each["until"]), "created_at": iso(each["created_at"])}
        print(json_text(texts, indent=2))
        return
    if found:
        print_table(("alert", "severity", "state", "since", "summary"), *map(_row, found))
    else:
        print("No alert is firing." if not everything else "There has been no alert.")
    if silent:
        print()
        print_table(
            ("silence", "until", "by", "reason"),
            *((each.rule, iso(each.until), printable(each.by), printable(each.reason)) for each in silent),
        )


@alerts.command()
def silence(
    rule: Rule,
    duration: Annotated[str, typer.Option("--for", metavar="TIME", help="For how long: 90s, 15m, 2h; 30d at most.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept with it.")] = "",
) -> None:
    """Say that nobody is to be told of a rule's alerts for a time. They fire and resolve all the same.

    Example: [bold]edgewise alerts silence cloud_failing --for 2h --reason "the model is being replaced"[/]
    """
    from schemas.errors import UsageError
    from schemas.records import Silence
    from streams.cli.context import start
    from streams.kafka.client import Cluster
    from streams.monitoring.health_rules import parse_duration
    from streams.operate import silences
    from streams.system.clock import iso, now_ms

    settings = start()
    _require_rule(settings, rule)
    try:
        length = parse_duration(duration)
    except ValueError as error:
        raise UsageError(f"--for {duration}: {error}") from None
    if length > _LONGEST_MS:
        raise UsageError(f"--for {duration}: 30d is the longest; switch a rule off with `enabled = false`")
    now = now_ms()
    wanted = Silence(rule=rule, until=now + length, reason=reason, by=user_name(), created_at=now)
    silences.silence(Cluster(settings), wanted)
    print(f"{rule} is silenced until {iso(wanted.until)}")


@alerts.command()
def unsilence(rule: Rule) -> None:
    """End a rule's silence: of what is still firing people are told.

    Example: [bold]edgewise alerts unsilence cloud_failing[/]
    """
    from schemas.errors import UsageError
    from streams.cli.context import start
    from streams.kafka.client import Cluster
    from streams.operate import silences
    from streams.system.clock import now_ms

    cluster = Cluster(start())
    if rule not in {each.rule for each in silences.silences(cluster, now_ms())}:
        raise UsageError(f"rule {rule} is not silenced; `edgewise alerts list` shows what is")
    silences.unsilence(cluster, rule)
    print(f"{rule} is silenced no longer")


@alerts.command("prometheus-rules")
def prometheus_rules(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file, not to standard output.")
    ] = None,
) -> None:
    """Print the rules in force as Prometheus's.

    Example: [bold]edgewise alerts prometheus-rules -o deploy/prometheus-health-rules.yml[/]
    """
    from streams.cli.context import start
    from streams.cli.output import text_output
    from streams.monitoring.health_rules import load_health_rules
    from streams.monitoring.prometheus_rules import prometheus_rules as text_of

    text = text_of(load_health_rules(start().health_rules))
    with text_output(output) as out:
        out.write(text)


def _require_rule(settings: "Settings", name: str) -> None:
    """Raises UsageError: no rule in force is called so, and it is not that of conversations."""
    from schemas.errors import UsageError
    from streams.monitoring.health_rules import ESCALATION, load_health_rules

    names = [*(rule.name for rule in load_health_rules(settings.health_rules)), ESCALATION]
    if name not in names:
        raise UsageError(f"there is no rule {name!r}: it is one of {', '.join(names)}")


def _row(alert: "Alert") -> tuple[str, ...]:
    from streams.system.clock import iso

    name = f"{alert.rule} {alert.subject}" if alert.subject else alert.rule
    state = f"{alert.state}, silenced" if alert.silenced else alert.state
    since = iso(alert.resolved_at or alert.started_at)
    return printable(name), alert.severity, state, since, printable(alert.summary)


def _json(alert: "Alert") -> dict[str, object]:
    from dataclasses import asdict

    from streams.system.clock import iso

    times = {"started_at": iso(alert.started_at), "updated_at": iso(alert.updated_at)}
    return asdict(alert) | times | {"resolved_at": None if alert.resolved_at is None else iso(alert.resolved_at)}
