"""Who is told, what a notification says, and what stops the agent."""

import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest

from schemas.records import Notification
from schemas.topics import ALERTS, DEAD_LETTERS, NOTIFICATIONS
from streams.agents.notifications import (
    START_MS,
)
from streams.agents.notify import build
from streams.agents.topic_state import StateError
from streams.config.settings import Settings
from streams.webhooks.webhook import WebhookError
from tests.alerts import NOON, alert, webhook
from tests.events import consumer_record
from tests.notify_lines import REFUSED, Line, alerts


def test_each_webhook_is_told_of_what_it_wants(lines: Any) -> None:
    line = lines(
        webhook(name="all"),
        webhook(name="calls", rules=frozenset({"escalation"})),
        webhook(name="bad", severities=frozenset({"critical"})),
    )
    line.hear(alert("escalation", subject="c-1"), alert("cost", severity="critical"), alert("lag", severity="info"))
    line.turn(3)
    assert {(name, alert_id) for name, alert_id, *_ in line.received} == {
        ("all", "escalation-1"), ("all", "cost-1"), ("all", "lag-1"), ("calls", "escalation-1"), ("bad", "cost-1"),
    }  # fmt: skip


def test_who_is_no_longer_in_the_file_is_forgotten_when_the_alert_is_over(lines: Any) -> None:
    line = lines(webhook(name="left"), webhook())
    line.hear(alert())
    line.turn()
    line.webhooks = (webhook(),)
    line.restart()
    line.hear(alert(over=True))
    line.turn(3)
    assert [name for name, *_ in line.received] == ["left", "own", "own"]
    assert line.held() == {}


def test_a_worker_that_was_frozen_claims_anew(line: Line) -> None:
    line.hear(alert())
    line.now += START_MS + 1
    line.turn()
    assert line.received == []
    line.turn()
    assert line.received == [("own", "edge_share-1", "firing", False)]


def test_a_stop_while_a_webhook_hangs_is_at_once(line: Line) -> None:
    """Seen to hang without the cancelling: the test's own time-out ended it."""
    line.answers["own"] = [None]
    line.hear(alert())
    line.turn()
    line.loop.run_until_complete(line.agent.close())


def test_poison_becomes_a_dead_letter_and_the_rest_goes_on(line: Line) -> None:
    records = [consumer_record(value, topic=ALERTS) for value in (b"?", alerts.encode(alert()))]
    outputs = line.loop.run_until_complete(line.agent.process(records))
    assert [output.topic for output in outputs] == [DEAD_LETTERS, NOTIFICATIONS]


def test_what_cannot_be_read_back_stops_the_agent(line: Line) -> None:
    line.topic.append((b"own/edge_share", b"?"))
    with pytest.raises(StateError, match="the value of key own/edge_share in topic notifications cannot be read"):
        line.hear(alert())


def test_failures_are_logged_by_name_without_the_address(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    line.answers["own"] = [REFUSED]
    line.hear(alert())
    line.turn()
    [record] = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert record.getMessage() == (
        "webhook own was not told that edge_share is firing, try 1: HTTP 404; it is tried again in 1 s"
    )
    assert "SECRET" not in caplog.text


def test_the_agent_is_made_by_the_settings(caplog: pytest.LogCaptureFixture) -> None:
    async def made(settings: Settings) -> None:
        agent = await build(settings, lambda _topic, _since: iter(()))
        await agent.close()

    asyncio.run(made(Settings()))
    assert "nobody is told of alerts: EDGEWISE_WEBHOOKS names no file" in caplog.text
    with pytest.raises(WebhookError, match=r"gone\.toml"):
        asyncio.run(made(Settings(webhooks="gone.toml")))


def test_a_notification_says_what_the_alert_does(line: Line) -> None:
    of = alert("escalation", subject="c-1", metric="risk", value=0.9, bound=0.7)
    line.hear(of)
    [(key, told)] = line.held().items()
    assert key == b"own/escalation/c-1"
    assert replace(told, updated_at=0) == Notification(
        webhook="own", rule="escalation", subject="c-1", alert_id=of.alert_id, severity="warning", summary=of.summary,
        metric="risk", value=0.9, bound=0.7, window_ms=of.window_ms, started_at=NOON, state="firing", status="sending",
        tries=1, in_doubt=False, told=False, updated_at=0,
    )  # fmt: skip
