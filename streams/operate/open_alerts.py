"""The alerts that are firing, or have been."""

from collections.abc import Iterable

from schemas.records import Alert
from schemas.topics import ALERTS
from streams.kafka.client import Cluster
from streams.operate.latest_records import latest_records

_SEVERITIES = ("critical", "warning", "info")


def latest_alerts(cluster: Cluster) -> list[Alert]:
    """The latest of each rule and subject, as `by_urgency` puts them.

    Raises what reading raises. What cannot be decoded is left out.
    """
    return by_urgency(alert for alert in latest_records(cluster, ALERTS, 0) if alert is not None)


def by_urgency(alerts: Iterable[Alert]) -> list[Alert]:
    """What is firing first, the rules' alerts before those of conversations, by severity, the latest first."""
    return sorted(
        alerts,
        key=lambda alert: (
            alert.state != "firing",
            alert.subject != "",
            _SEVERITIES.index(alert.severity),
            -alert.started_at,
        ),
    )
