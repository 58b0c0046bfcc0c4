"""A period from the topics alone: `monitoring` by day, and of `conversations` those at risk."""

from schemas.topics import CONVERSATIONS, MONITORING
from schemas.validation import MAX_AHEAD_MS
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.monitoring.at_risk import AtRisk
from streams.monitoring.period import Period
from streams.monitoring.window import Window
from streams.operate.latest_records import latest_records


def read_period(settings: Settings, since_ms: int) -> Period:
    """The windows that start at `since_ms` (UTC) or later, as of this call; one that cannot be read is counted as such.

    Raises what `latest_records` raises.
    """
    period = Period(since_ms)
    # Workers' clocks, and so windows, are ahead of Kafka's by so much at most.
    for record in latest_records(Cluster(settings), MONITORING, since_ms - MAX_AHEAD_MS):
        try:
            window = None if record is None else Window.from_record(record)
        except (ValueError, OverflowError):
            window = None
        if window is None:
            period.unreadable += 1
        else:
            period.add(window)
    return period


def read_at_risk(settings: Settings, since_ms: int, most: int) -> AtRisk:
    """The conversations written at `since_ms` (UTC) or later, at the settings' threshold; of those at risk `most`.

    Raises what `latest_records` raises.
    """
    found = AtRisk(settings.escalation_risk, most)
    for state in latest_records(Cluster(settings), CONVERSATIONS, since_ms):
        if state is not None:
            found.add(state)
    return found
