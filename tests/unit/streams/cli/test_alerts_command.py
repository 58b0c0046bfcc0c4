"""`edgewise alerts`: what is firing, what is silenced, and the rules as Prometheus's."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from schemas.codec import Codec
from schemas.errors import UsageError
from schemas.records import Alert
from schemas.topics import ALERTS
from streams.cli import main as cli
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.monitoring.alerting import alert_key
from streams.operate.silences import silences
from streams.operate.topics import create
from tests.schema_records import EXAMPLES

EXAMPLE = EXAMPLES[ALERTS]


@pytest.fixture
def line(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("EDGEWISE_BOOTSTRAP_SERVERS", settings.bootstrap_servers)
    monkeypatch.setenv("EDGEWISE_TOPIC_PREFIX", settings.topic_prefix)
    create(settings)
    return settings


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["alerts", *arguments])


def refused(*arguments: str) -> str:
    error = run(*arguments).exception
    assert isinstance(error, UsageError)
    return str(error)


def put(settings: Settings, *alerts: Alert) -> None:
    producer = Cluster(settings).producer()
    for alert in alerts:
        value = Codec(ALERTS).encode(alert)
        producer.produce(settings.topic(ALERTS), value, alert_key(alert.rule, alert.subject))
    assert producer.flush(30) == 0


def test_what_fires_is_listed_the_most_urgent_first(line: Settings) -> None:
    assert isinstance(EXAMPLE, Alert)
    assert run("list").output == "No alert is firing.\n"
    critical = replace(EXAMPLE, rule="pulse", severity="critical")
    conversation = replace(EXAMPLE, rule="escalation", subject="c1\x1b[2J", started_at=EXAMPLE.started_at + 1)
    resolved = replace(EXAMPLE, rule="no_data", state="resolved", resolved_at=EXAMPLE.started_at + 60_000)
    put(line, EXAMPLE, critical, conversation, resolved, replace(EXAMPLE, silenced=True))
    lines = run("list").output.splitlines()
    assert [text.split("  ")[0] for text in lines] == ["alert", "pulse", "escalation c1\ufffd[2J", "edge_share"]
    assert "firing, silenced" in lines[3]
    told = json.loads(run("list", "--all", "--json").output)
    assert [(each["rule"], each["state"]) for each in told["alerts"]][-1] == ("no_data", "resolved")
    assert told["alerts"][-1]["resolved_at"] == "2023-11-14T22:14:20Z"
    assert told["silences"] == []


def test_a_rule_is_silenced_until_its_time_or_its_end(line: Settings) -> None:
    done = run("silence", "cloud_failing", "--for", "2h", "--reason", "the model is replaced")
    assert done.exit_code == 0, done.output
    assert "cloud_failing is silenced until 20" in done.output
    assert run("silence", "no_data", "--for", "1s").exit_code == 0
    assert run("silence", "escalation", "--for", "1s").exit_code == 0
    [first, *others] = silences(Cluster(line), 0)
    assert (first.rule, first.reason, first.until - first.created_at) == (
        "cloud_failing", "the model is replaced", 7_200_000,
    )  # fmt: skip
    assert first.by
    assert [each.rule for each in others] == ["escalation", "no_data"]
    assert silences(Cluster(line), max(each.until for each in others)) == [first]
    assert "the model is replaced" in run("list").output
    assert json.loads(run("list", "--json").output)["silences"][0]["rule"] == "cloud_failing"
    assert run("unsilence", "cloud_failing").output == "cloud_failing is silenced no longer\n"
    assert "cloud_failing" not in [each.rule for each in silences(Cluster(line), 0)]
    assert "rule cloud_failing is not silenced" in refused("unsilence", "cloud_failing")


@pytest.mark.usefixtures("line")
def test_what_cannot_be_silenced_is_said() -> None:
    assert "there is no rule 'cloud': it is one of edge_share, " in refused("silence", "cloud", "--for", "2h")
    assert "--for 2x: '2x' is no duration" in refused("silence", "no_data", "--for", "2x")
    assert "30d is the longest" in refused("silence", "no_data", "--for", "31d")


def test_the_rules_in_force_are_made_into_prometheus_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, file = tmp_path / "own.toml", tmp_path / "rules.yml"
    own.write_text('[no_data]\nenabled = false\n[edge_share_low]\nat_least = 0.5\nwhy = "two\\nlines"\n')
    monkeypatch.setenv("EDGEWISE_HEALTH_RULES", str(own))
    printed = run("prometheus-rules").output
    assert "alert: EdgewiseNoData" not in printed
    assert "# two lines\n" in printed
    assert run("prometheus-rules", "-o", str(file)).output == ""
    assert file.read_text() == printed
    assert "can't be written" in refused("prometheus-rules", "-o", str(tmp_path))
    own.write_text("[no_data]\nwindow = 'long'\n")
    assert "no_data.window: 'long' is no duration" in refused("prometheus-rules")
