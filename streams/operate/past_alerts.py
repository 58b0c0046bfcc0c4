"""The alerts of a period."""

from contextlib import suppress

from schemas.codec import DecodeError
from schemas.records import Alert
from schemas.topics import ALERTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.messages import message_value
from streams.kafka.reader import read_topic


def read_alerts(settings: Settings, since_ms: int) -> list[Alert]:
    """Each alert of a rule that was firing at some time since `since_ms` (UTC), as it stands now, the earliest first.

    Those about a conversation are left out. Memory grows with the alerts of the 30 days that the topic is kept. Raises
    what `read_topic` raises.
    """
    decode = codec(settings, ALERTS).decode
    found: dict[str, Alert] = {}
    for message in read_topic(Cluster(settings), ALERTS):
        value = message_value(message)
        if value is not None:
            with suppress(DecodeError):
                alert = decode(value)
                if not alert.subject:
                    found[alert.alert_id] = alert
    return sorted(
        (alert for alert in found.values() if alert.resolved_at is None or alert.resolved_at >= since_ms),
        key=lambda alert: (alert.started_at, alert.rule),
    )
