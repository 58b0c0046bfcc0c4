"""What each kind of webhook is sent of an alert: a body in JSON, and its headers.

| kind | form |
|---|---|
| slack | incoming webhook, Block Kit: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks |
| teams | an Adaptive Card, as the Workflows app's trigger "When a Teams webhook request is received" takes it |
| pagerduty | Events API v2: https://developer.pagerduty.com/docs/send-alert-event |
| json | Standard Webhooks: https://www.standardwebhooks.com |

What comes from a vendor, such as a conversation's id, stands only where no markup is read, and is cut to what each of
them takes: a message that is refused for its length would be refused for ever. Whoever gets JSON gets all of it.
"""

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from schemas.records import Alert
from streams.webhooks.webhook import Kind, Webhook

# More than an alert of ours has, and what fits all of them: Slack's header takes 150 characters and a field 2,000,
# PagerDuty's summary 1,024, a message in Teams some 28 KB in all.
_MOST: Final = MappingProxyType({"rule": 100, "metric": 100, "subject": 500, "summary": 900})

_AGAIN: Final = "Sent again: whether the first message arrived is not known."


class Message(NamedTuple):
    """The body and the headers of a request."""

    body: bytes
    headers: Mapping[str, str]


def message(webhook: Webhook, alert: Alert, now_ms: int, *, is_repeated: bool = False) -> Message:
    """What `webhook` is sent of `alert` at `now_ms` (UTC milliseconds).

    `is_repeated`: it may have arrived before. Slack and Teams would show it twice, so it says that; the others know it
    by its id.
    """
    shown = alert if webhook.kind == "json" else _cut(alert)
    value = _FORMS[webhook.kind](webhook, shown, is_repeated)
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if webhook.kind == "json":
        headers |= signature(webhook.keys, message_id(alert), now_ms // 1000, body)
    return Message(body, headers)


def message_id(alert: Alert) -> str:
    """What names the message that an alert is in its state, however often it is sent."""
    return f"{alert.alert_id}-{alert.state}"


def signature(keys: tuple[bytes, ...], name: str, at_s: int, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks: HMAC-SHA256 of `{webhook-id}.{webhook-timestamp}.{body}` by each of `keys`."""
    signed = f"{name}.{at_s}.".encode() + body
    signatures = ["v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys]
    return {"webhook-id": name, "webhook-timestamp": str(at_s), "webhook-signature": " ".join(signatures)}


def _cut(alert: Alert) -> Alert:
    """`alert` without what is too long. Their documents count characters: here as in UTF-16, where there are most."""
    cut: dict[str, Any] = {}
    for name, most in _MOST.items():
        units = getattr(alert, name).encode("utf-16-le")
        if len(units) > 2 * most:
            cut[name] = units[: 2 * (most - 1)].decode("utf-16-le", "ignore") + "\N{HORIZONTAL ELLIPSIS}"
    return replace(alert, **cut)


def _slack(_webhook: Webhook, alert: Alert, is_repeated: bool) -> Any:
    title, facts = _title(alert), _facts(alert)
    blocks: list[Any] = [
        {"type": "header", "text": _plain(title)},
        {"type": "section", "text": _plain(alert.summary)},
        {"type": "section", "fields": [_plain(f"{name}: {value}") for name, value in facts.items()]},
    ]
    if is_repeated:
        blocks.append({"type": "context", "elements": [_plain(_AGAIN)]})
    return {"text": _escaped(f"{title}. {alert.summary}"), "blocks": blocks}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _escaped(text: str) -> str:
    """`text` without what Slack reads as a mention or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_COLORS: Final = {"info": "Accent", "warning": "Warning", "critical": "Attention"}


def _teams(_webhook: Webhook, alert: Alert, is_repeated: bool) -> Any:
    lines = [("", alert.summary), *((f"{name}: ", value) for name, value in _facts(alert).items())]
    if is_repeated:
        lines.append(("", _AGAIN))
    color = "Good" if alert.state == "resolved" else _COLORS[alert.severity]
    title = _runs(_run(_title(alert), size="Large", weight="Bolder", color=color))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            title,
            *(_runs(*([_run(name, weight="Bolder")] if name else []), _run(text)) for name, text in lines),
        ],
    }
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [content]}


def _runs(*runs: Any) -> dict[str, Any]:
    """A line. Of the elements with text only this one reads no Markdown."""
    return {"type": "RichTextBlock", "inlines": runs}


def _run(text: str, **look: str) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **look}


def _pagerduty(webhook: Webhook, alert: Alert, _is_repeated: bool) -> Any:
    event: dict[str, Any] = {
        "routing_key": webhook.keys[0].decode(),
        "event_action": "resolve" if alert.state == "resolved" else "trigger",
        "dedup_key": alert.alert_id,
    }
    if alert.state == "resolved":
        return event
    return event | {
        "client": "Edgewise",
        "payload": {
            "summary": alert.summary,
            "source": "edgewise",
            "severity": alert.severity,
            "timestamp": _iso(alert.started_at),
            "component": alert.rule,
            "class": alert.metric,
            "custom_details": _facts(alert),
        },
    }


def _json(_webhook: Webhook, alert: Alert, _is_repeated: bool) -> Any:
    data = {
        "alert_id": alert.alert_id,
        "rule": alert.rule,
        "subject": alert.subject,
        "state": alert.state,
        "severity": alert.severity,
        "summary": alert.summary,
        "metric": alert.metric,
        "value": alert.value,
        "bound": alert.bound,
        "window_ms": alert.window_ms,
        "started_at": _iso(alert.started_at),
        "resolved_at": None if alert.resolved_at is None else _iso(alert.resolved_at),
    }
    return {"type": f"alert.{alert.state}", "timestamp": _iso(_happened_at(alert)), "data": data}


_FORMS: Final[Mapping[Kind, Callable[[Webhook, Alert, bool], Any]]] = {
    "slack": _slack,
    "teams": _teams,
    "pagerduty": _pagerduty,
    "json": _json,
}


def _title(alert: Alert) -> str:
    return f"{'Resolved' if alert.state == 'resolved' else 'Firing'}: {alert.rule}"


def _facts(alert: Alert) -> dict[str, str]:
    """What a person reads beside the summary."""
    found: dict[str, str] = {"Severity": alert.severity}
    if alert.subject:
        found["Conversation" if alert.rule == "escalation" else "Subject"] = alert.subject
    if alert.value is not None:
        found[alert.metric] = f"{alert.value:g}" + ("" if alert.bound is None else f" (bound {alert.bound:g})")
    found["Since"] = _iso(alert.started_at)
    if alert.resolved_at is not None:
        found["Until"] = _iso(alert.resolved_at)
    return found


def _happened_at(alert: Alert) -> int:
    return alert.started_at if alert.resolved_at is None else alert.resolved_at


def _iso(ms: int) -> str:
    """UTC milliseconds in ISO 8601; the first or last moment of the calendar where it does not reach."""
    bounded = min(max(ms, 0), 253_402_300_799_999)
    return datetime.fromtimestamp(bounded / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
