"""Alerts for tests, and webhooks that are told of them."""

from typing import Any

from schemas.records import Alert
from streams.webhooks.webhook import Kind, Webhook

NOON = 1_700_049_600_000

KEY = b"key-of-the-tests"


def alert(rule: str = "edge_share", firing: int = 1, *, over: bool = False, **changes: Any) -> Alert:
    """The alert of `rule` that fires for the time number `firing`, or is over again."""
    given: dict[str, Any] = {
        "rule": rule,
        "alert_id": f"{rule}-{firing}",
        "state": "resolved" if over else "firing",
        "severity": "warning",
        "summary": "edge share is 0.70, under 0.80",
        "metric": "edge_share",
        "value": 0.7,
        "bound": 0.8,
        "window_ms": 900_000,
        "started_at": NOON,
        "resolved_at": NOON + 60_000 if over else None,
        "updated_at": NOON,
    }
    return Alert(**given | changes)


def webhook(url: str = "http://127.0.0.1:1/SECRET", kind: Kind = "json", name: str = "own", **changes: Any) -> Webhook:
    """A webhook of that kind, which is told of everything."""
    return Webhook(name, kind, url, () if kind in ("slack", "teams") else (KEY,), **changes)
