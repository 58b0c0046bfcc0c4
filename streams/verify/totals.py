"""The audit trail's figures, recounted, and those of the monitor, by partition of `routing-events`."""

from collections import Counter
from collections.abc import Iterator

from schemas.records import MonitoringWindow, RoutingEvent, nanodollars
from schemas.topics import MONITORING, ROUTING_EVENTS
from streams.monitoring.sketch import sketch_from_bytes
from streams.monitoring.window import published_label

_ROLE = "role "


class Totals:
    """Counts by the words of the schemas, and not by the monitor's code."""

    def __init__(self) -> None:
        self._recounted: dict[int, Counter[str]] = {}
        self._monitored: dict[int, Counter[str]] = {}
        self._without_roles: set[int] = set()  # partitions with a window of version 1, which does not count them

    def add_event(self, partition: int, event: RoutingEvent) -> None:
        """Counts an audit event. Raises OverflowError, ValueError: a cost of it has no nano-dollars."""
        totals = self._recounted.setdefault(partition, Counter())
        if not event.scored:
            totals["skipped"] += 1
            return
        totals["cost in nano-dollars"] += nanodollars(event.cost_usd)
        totals["cloud-only cost in nano-dollars"] += nanodollars(event.cloud_only_cost_usd)
        totals["inference_ms"] += 1
        if event.stage == "decided":
            totals["decided"] += 1
            return
        totals["events"] += 1
        totals["end_to_end_ms"] += 1
        totals["degraded"] += event.degraded
        totals[f"route {event.route}"] += 1
        totals[f"reason {event.reason}"] += 1
        totals[f"label {published_label(event)}"] += 1
        totals[_ROLE + event.role] += 1
        if event.reason == "random_cloud" and event.cloud_label is not None:
            totals["sampled"] += 1
            totals["sampled and agreed"] += event.cloud_label == event.edge_label

    def add_window(self, window: MonitoringWindow) -> bool:
        """Adds a window's figures; False when a sketch or a cost of it cannot be read."""
        try:
            timed = sketch_from_bytes(window.inference_ms).count, sketch_from_bytes(window.end_to_end_ms).count
            cost, cloud_only_cost = nanodollars(window.cost_usd), nanodollars(window.cloud_only_cost_usd)
        except (OverflowError, ValueError):
            return False
        totals = self._monitored.setdefault(window.partition, Counter())
        totals.update(
            {
                "cost in nano-dollars": cost,
                "cloud-only cost in nano-dollars": cloud_only_cost,
                "inference_ms": int(timed[0]),
                "end_to_end_ms": int(timed[1]),
                "decided": window.decided,
                "events": window.events,
                "skipped": window.skipped,
                "degraded": window.degraded,
                "sampled": window.sampled,
                "sampled and agreed": window.sampled_agreed,
            }
        )
        counted = (("route ", window.routes), ("reason ", window.reasons), ("label ", window.labels))
        for kind, counts in (*counted, (_ROLE, window.roles)):
            for name, count in counts.items():
                totals[kind + name] += count
        if sum(window.roles.values()) < window.events:
            self._without_roles.add(window.partition)
        return True

    def differences(self) -> Iterator[str]:
        """Each figure that differs, in words."""
        for partition in sorted(self._recounted.keys() | self._monitored.keys()):
            ours, theirs = (side.get(partition, Counter[str]()) for side in (self._recounted, self._monitored))
            for what in sorted(ours.keys() | theirs.keys()):
                if what.startswith(_ROLE) and partition in self._without_roles:
                    continue
                if ours[what] != theirs[what]:
                    sides = f"{ours[what]} in {ROUTING_EVENTS}, {theirs[what]} in {MONITORING}"
                    yield f"partition {partition}, {what}: {sides}"
