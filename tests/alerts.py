"""Alerts for tests, and webhooks that are told of them."""

from typing import Any

from schemas.codec import Codec
from schemas.records import Alert
from schemas.topics import ALERTS
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.monitoring.alerting import alert_key
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


def raise_alerts(settings: Settings, *alerts: Alert) -> None:
    """Puts `alerts` on the topic."""
    producer = Cluster(settings).producer()
    for each in alerts:
        producer.produce(settings.topic(ALERTS), Codec(ALERTS).encode(each), alert_key(each.rule, each.subject))
    assert producer.flush(30) == 0
