"""The alerts that are firing, or have been."""

from typing import Final

from schemas.records import Alert
from schemas.topics import ALERTS
from streams.kafka.client import Cluster
from streams.operate.latest_records import latest_records

SEVERITIES: Final = ("critical", "warning", "info")
"""The most urgent first."""


def latest_alerts(cluster: Cluster) -> list[Alert]:
    """The latest of each rule and subject: what is firing first, by severity, then by when it began, the latest first.

    Raises what reading raises. What cannot be decoded is left out.
    """
    found = [alert for alert in latest_records(cluster, ALERTS, 0) if alert is not None]
    return sorted(
        found, key=lambda alert: (alert.state != "firing", SEVERITIES.index(alert.severity), -alert.started_at)
    )
