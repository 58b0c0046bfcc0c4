"""`edgewise report`: from the topics alone, each window's latest record once, in three forms."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from schemas.errors import UsageError
from schemas.topics import ALERTS, CONVERSATIONS, LABELS, MONITORING
from schemas.validation import MAX_AHEAD_MS
from streams.cli import main as cli
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.monitoring.period import DAY_MS
from streams.monitoring.window import Window
from streams.operate.topics import create
from tests.events import routing_event
from tests.reports import FIRST_DAY, NOW, month, month_of_windows, state
from tests.traffic import alerts
from tests.unit.streams.monitoring.test_people import label

SINCE = FIRST_DAY * DAY_MS


def report(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["report", "--since", "2026-10-31", *arguments])


def fill(settings: Settings) -> None:
    """The month's windows, by clocks that are ahead, each after another record of its key; and what must not count."""
    create(settings)
    producer = Cluster(settings).producer()
    monitoring, conversations = codec(settings, MONITORING), codec(settings, CONVERSATIONS)
    early = Window(SINCE - 60_000, SINCE, 0)
    early.add([routing_event()])
    too_many = monitoring.encode(month().total().to_record(0))
    no_sketch = monitoring.encode(replace(early.to_record(0), end_to_end_ms=b"?"))
    for window in (early, *month_of_windows()):
        key = b"%d:%d" % (window.start, window.partition)
        for value in (too_many, monitoring.encode(window.to_record(1))):
            producer.produce(settings.topic(MONITORING), value, key, timestamp=window.start - MAX_AHEAD_MS)
    for stray, worthless in (
        (b"1:1", too_many),
        (b"1:1", None),
        (b"?", b"no window"),
        (None, too_many),
        (b"2:2", no_sketch),
    ):
        producer.produce(settings.topic(MONITORING), worthless, stray, timestamp=NOW)
    alert, encode = alerts(NOW)[0], codec(settings, ALERTS).encode
    for changed in (
        replace(alert, alert_id="over", state="resolved", started_at=SINCE - 2, resolved_at=SINCE - 1),
        replace(alert, alert_id="a", started_at=SINCE - 1),
        replace(alert, alert_id="a", state="resolved", started_at=SINCE - 1, resolved_at=SINCE + 60_000),
        replace(alert, alert_id="b", started_at=SINCE + 1),
        replace(alert, alert_id="c", rule="escalation", subject="call-1", started_at=NOW - 1),
    ):
        producer.produce(settings.topic(ALERTS), encode(changed), changed.rule)
    producer.produce(settings.topic(ALERTS), None, "latency")
    labels = codec(settings, LABELS)
    for event_id, at in (("e1", SINCE), ("e1", NOW), ("e2", SINCE - 1)):
        producer.produce(settings.topic(LABELS), labels.encode(label(event_id, "neutral", "neutral", answered_at=at)))
    states = (("call-0", 0.95, SINCE - 1), ("call-1", 0.99, SINCE), ("call-1", 0.1, NOW), ("call-2", 0.8, NOW))
    for name, risk, at in (*states, ("call-3", 0.9, NOW)):
        value = conversations.encode(state(name, risk))
        producer.produce(settings.topic(CONVERSATIONS), value, name, partition=0, timestamp=at)
    assert producer.flush(30) == 0


def test_the_latest_record_of_each_window_and_conversation_counts_once(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(settings)
    monkeypatch.setenv("EDGEWISE_BOOTSTRAP_SERVERS", settings.bootstrap_servers)
    monkeypatch.setenv("EDGEWISE_TOPIC_PREFIX", settings.topic_prefix)
    total = month().total()
    page, data = tmp_path / "report.html", tmp_path / "report.json"
    assert report("-o", str(data)).exit_code == 0
    told = json.loads(data.read_text("utf-8"))
    assert told["total"]["events"] == total.events
    assert told["unreadable_windows"] == 2
    assert told["total"]["cost_nanodollars"] == total.cost_nanos
    assert [each["conversation_id"] for each in told["conversations"]["highest_risk"]] == ["call-3", "call-2"]
    assert told["conversations"]["by_status"] == {"open": 3}
    assert told["accuracy"]["by_people"]["compared"] == 1
    assert [(each["state"], each["seconds_in_period"] > 60) for each in told["alerts"]] == [
        ("resolved", False),
        ("firing", True),
    ]
    assert report("-o", str(page), "--conversations", "1").output == ""
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert "call-2" not in page.read_text("utf-8")
    printed = report()
    assert printed.output.startswith("# Edgewise report\n")
    assert "call-2" in printed.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-o", "report.pdf"), r"report\.pdf: its ending is none of \.html, \.htm, \.md, \.json"),
        (("--since", "soon"), "--since soon: give a time such as 2026"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], says: str) -> None:
    done = report(*arguments)
    with pytest.raises(UsageError, match=says):
        raise done.exception or AssertionError(done.output)
