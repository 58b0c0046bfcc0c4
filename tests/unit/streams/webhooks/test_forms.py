"""What each kind of webhook is sent, by its own documents."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from schemas.records import Alert, Severity
from streams.ingest.signatures import Signed, verify
from streams.monitoring.alerting import alert_id
from streams.webhooks.forms import message, signature
from streams.webhooks.webhook import Kind
from tests.alerts import KEY, NOON, alert, webhook
from tests.published_forms import (
    MOST_BYTES,
    PagerDutyResolve,
    PagerDutyTrigger,
    SlackMessage,
    TeamsMessage,
)

ROUTING_KEY = b"0123456789abcdef0123456789abcdef"

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
    body = sent("slack", of)
    assert body.keys() == {"text", "blocks"}
    header, summary, facts = body["blocks"]
    assert header["text"]["text"] == body["text"].partition(".")[0]
    assert summary == {"type": "section", "text": {"type": "plain_text", "text": of.summary, "emoji": False}}
    assert f"Conversation: {HOSTILE}" in [field["text"] for field in facts["fields"]]
    assert body["text"].startswith("Firing: escalation" if of is FIRING else "Resolved: escalation")


def test_slack_reads_no_markup_of_a_vendor() -> None:
    body = sent("slack", alert("escalation", subject=HOSTILE, summary=HOSTILE))
    assert "<" not in body["text"]
    assert {each["type"] for block in body["blocks"] for each in block.get("fields", [block.get("text")])} == {
        "plain_text"
    }


PUBLISHED: Mapping[Kind, tuple[type[BaseModel], type[BaseModel]]] = {
    "slack": (SlackMessage, SlackMessage),
    "teams": (TeamsMessage, TeamsMessage),
    "pagerduty": (PagerDutyTrigger, PagerDutyResolve),
}
"""The form of an alert that fires, and of one that is over."""

# A vendor's id is of 256 characters at most, and a rule's name of 64; a later version may allow more. Of these
# characters UTF-16 has two each, UTF-8 four, and Slack's escaping makes five of an ampersand.
LONG = [
    {"rule": "r" * 5_000, "metric": "m" * 5_000, "subject": "s" * 5_000, "summary": "y" * 50_000},
    {"rule": "\U0001f4a5" * 500, "subject": "\U0001f4a5" * 5_000, "summary": "a" + "\U0001f4a5" * 50_000},
    {"subject": "&" * 5_000, "summary": "&" * 50_000},
    {"subject": "\x00\x1b" * 5_000, "summary": "\x00\x1b" * 50_000},
    {},
]


@pytest.mark.parametrize("severity", get_args(Severity))
@pytest.mark.parametrize("kind", PUBLISHED)
@pytest.mark.parametrize("changes", LONG)
@pytest.mark.parametrize("over", [False, True])
def test_what_is_sent_is_what_its_taker_allows(
    kind: Kind, severity: Severity, changes: dict[str, Any], over: bool
) -> None:
    of = replace(alert("escalation", over=over, subject=HOSTILE, severity=severity), **changes)
    known = replace(of, alert_id=alert_id(of.rule, of.subject, of.started_at))
    given = webhook(kind=kind) if kind != "pagerduty" else replace(webhook(kind=kind), keys=(ROUTING_KEY,))
    body = message(given, known, NOON, is_repeated=True).body
    PUBLISHED[kind][over].model_validate_json(body)
    assert 2 * len(body.decode()) <= MOST_BYTES.get(kind, 1_000_000)


def test_a_cut_text_says_so_and_json_has_all_of_it() -> None:
    long = alert(summary="y" * 9_000)
    assert sent("slack", long)["blocks"][1]["text"]["text"] == "y" * 899 + "\N{HORIZONTAL ELLIPSIS}"
    assert sent("json", long)["data"]["summary"] == long.summary


def test_no_character_is_cut_in_two() -> None:
    odd = sent("slack", alert(summary="a" + "\U0001f4a5" * 900))["blocks"][1]["text"]["text"]
    assert odd == "a" + "\U0001f4a5" * 449 + "\N{HORIZONTAL ELLIPSIS}"


@pytest.mark.parametrize("of", [FIRING, OVER])
def test_teams_has_an_adaptive_card_that_reads_no_markup(of: Alert) -> None:
    """Each card was held against https://adaptivecards.io/schemas/1.5.0/adaptive-card.json once, too."""
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
    opened, closed = sent("pagerduty", FIRING), sent("pagerduty", OVER)
    assert (opened["event_action"], closed["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == closed["dedup_key"] == FIRING.alert_id
    assert opened["routing_key"] == closed["routing_key"] == KEY.decode()
    payload = opened["payload"]
    assert (payload["summary"], payload["severity"]) == (FIRING.summary, "warning")
    assert payload["timestamp"] == "2023-11-15T12:00:00.000Z"


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
