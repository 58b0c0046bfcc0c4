"""What each kind of webhook is sent, by its own documents."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from schemas.records import Alert
from streams.ingest.signatures import Signed, verify
from streams.webhooks.forms import message, signature
from streams.webhooks.webhook import Kind
from tests.alerts import KEY, NOON, alert, webhook

# Of a vendor, who may be anybody.
HOSTILE = "<!channel> *[x](http://evil.example)* & \N{RIGHT-TO-LEFT OVERRIDE}"

FIRING = alert("escalation", subject=HOSTILE, metric="risk", value=0.83, bound=0.7)
OVER = alert("escalation", over=True, subject=HOSTILE)


def sent(kind: Kind, of: Alert, *, is_repeated: bool = False) -> Any:
    made = message(webhook(kind=kind), of, NOON, is_repeated=is_repeated)
    assert made.headers["Content-Type"] == "application/json; charset=utf-8"
    return json.loads(made.body)


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [found for each in value.values() for found in strings(each)]
    if isinstance(value, list):
        return [found for each in value for found in strings(each)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("of", [FIRING, OVER])
def test_slack_has_blocks_and_a_text_for_the_notification(of: Alert) -> None:
    """https://docs.slack.dev/reference/block-kit/blocks: their types, fields and limits."""
    body = sent("slack", of)
    assert body.keys() == {"text", "blocks"}
    header, summary, facts = body["blocks"]
    assert (header["type"], header["text"]["type"]) == ("header", "plain_text")
    assert len(header["text"]["text"]) <= 150
    assert summary == {"type": "section", "text": {"type": "plain_text", "text": of.summary, "emoji": False}}
    assert facts["type"] == "section"
    assert 1 <= len(facts["fields"]) <= 10
    assert all(1 <= len(field["text"]) <= 2000 for field in facts["fields"])
    assert body["text"].startswith("Firing: escalation" if of is FIRING else "Resolved: escalation")


def test_slack_reads_no_markup_of_a_vendor() -> None:
    body = sent("slack", alert("escalation", subject=HOSTILE, summary=HOSTILE))
    assert "<" not in body["text"]
    assert {each["type"] for block in body["blocks"] for each in block.get("fields", [block.get("text")])} == {
        "plain_text"
    }


def test_slack_is_sent_no_more_than_it_takes() -> None:
    long = alert("r" * 500, subject="s" * 5_000, summary="y" * 9_000)
    header, summary, facts = sent("slack", long)["blocks"]
    assert len(header["text"]["text"]) == 150
    assert len(summary["text"]["text"]) <= 3_000
    assert max(len(field["text"]) for field in facts["fields"]) == 2_000


@pytest.mark.parametrize("of", [FIRING, OVER])
def test_teams_has_an_adaptive_card_that_reads_no_markup(of: Alert) -> None:
    """As https://learn.microsoft.com/connectors/teams has it for Workflows.

    Each card was held against https://adaptivecards.io/schemas/1.5.0/adaptive-card.json once.
    """
    body = sent("teams", of)
    assert body["type"] == "message"
    [attachment] = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert {line["type"] for line in card["body"]} == {"RichTextBlock"}
    runs = [run for line in card["body"] for run in line["inlines"]]
    assert {run["type"] for run in runs} == {"TextRun"}
    assert HOSTILE in [run["text"] for run in runs]
    assert runs[0]["color"] == ("Warning" if of is FIRING else "Good")


def test_pagerduty_opens_an_incident_and_closes_the_same() -> None:
    """https://developer.pagerduty.com/docs/send-alert-event."""
    opened, closed = sent("pagerduty", FIRING), sent("pagerduty", OVER)
    assert (opened["event_action"], closed["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == closed["dedup_key"] == FIRING.alert_id
    assert opened["routing_key"] == closed["routing_key"] == KEY.decode()
    payload = opened["payload"]
    assert {"summary", "source", "severity"} <= payload.keys()
    assert payload["severity"] in {"critical", "error", "warning", "info"}
    assert payload["timestamp"] == "2023-11-15T12:00:00.000Z"
    assert len(sent("pagerduty", alert(summary="y" * 9_000))["payload"]["summary"]) == 1_024


def test_json_says_all_that_is_known() -> None:
    assert sent("json", OVER) == {
        "type": "alert.resolved",
        "timestamp": "2023-11-15T12:01:00.000Z",
        "data": {
            "alert_id": "escalation-1",
            "rule": "escalation",
            "subject": HOSTILE,
            "state": "resolved",
            "severity": "warning",
            "summary": "edge share is 0.70, under 0.80",
            "metric": "edge_share",
            "value": 0.7,
            "bound": 0.8,
            "window_ms": 900_000,
            "started_at": "2023-11-15T12:00:00.000Z",
            "resolved_at": "2023-11-15T12:01:00.000Z",
        },
    }


@pytest.mark.parametrize("kind", ["slack", "teams"])
def test_who_cannot_tell_a_repetition_is_told_that_it_may_be_one(kind: Kind) -> None:
    again = "Sent again: whether the first message arrived is not known."
    assert again not in strings(sent(kind, FIRING))
    assert again in strings(sent(kind, FIRING, is_repeated=True))


@pytest.mark.parametrize("kind", ["json", "pagerduty"])
def test_who_can_tell_is_sent_the_same_again(kind: Kind) -> None:
    assert sent(kind, FIRING) == sent(kind, FIRING, is_repeated=True)


def test_the_signature_of_the_standards_own_example() -> None:
    """Of https://github.com/standard-webhooks/standard-webhooks/tree/main/libraries, whose libraries test with it."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = signature((key,), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_signature_is_verified_by_two_others() -> None:
    made = message(webhook(), FIRING, NOON)
    assert verify("generic", Signed(made.headers, made.body), ["other", KEY.decode()], NOON) == KEY.decode()
    head = f"{FIRING.alert_id}-firing.{NOON // 1000}.".encode()
    expected = base64.b64encode(hmac.new(KEY, head + made.body, hashlib.sha256).digest()).decode()
    assert made.headers["webhook-signature"] == f"v1,{expected}"
    assert "." not in made.headers["webhook-id"]


def test_while_a_secret_is_replaced_both_sign() -> None:
    made = signature((b"old", b"new"), "m", 1, b"{}")
    for secret in ("old", "new"):
        assert verify("generic", Signed(made, b"{}"), [secret], 1000) == secret
