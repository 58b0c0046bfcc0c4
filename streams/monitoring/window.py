"""The aggregate of one window of routing events: add events, merge windows, write them, read them back."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, NamedTuple, Self

from ddsketch import DDSketch

from schemas.records import Label, MonitoringWindow, RoutingEvent, nanodollars
from streams.monitoring.sketch import ACCURACY, add_values, sketch_from_bytes, sketch_to_bytes, subtract_sketch

MOST_NAMES: Final = 32
"""So many languages, models and routers of a window are counted by name, the rest under "other": it stays small."""

OTHER: Final = "other"

# Under the same names in the record, except that there costs are dollars.
_COUNTS: Final = (
    *("events", "decided", "degraded", "skipped", "sampled", "sampled_agreed"),
    *("tokens_in", "tokens_out", "tokens_cached", "confidence_sum", "vendor_compared", "vendor_agreed"),
)
_COUNTERS: Final = (
    *("routes", "reasons", "labels", "roles", "role_labels", "channel_labels"),
    *("languages", "kinds", "models", "routers", "budget_used"),
)
_COSTS: Final = ("cost", "cloud_only_cost", "measured_cost")
_SKETCHES: Final = ("end_to_end_ms", "inference_ms", "confidence", "text_chars")


class Window:
    """What is known of the routing events recorded in [start, end) on one partition of `routing-events`.

    Counts and costs (whole nano-dollars) are exact and do not depend on the order of the events, and neither do the
    sketches: merging two windows gives what adding all their events to one would give, where neither has more than
    `MOST_NAMES` of anything.
    """

    def __init__(self, start: int, end: int, partition: int) -> None:
        self.start = start
        self.end = end
        self.partition = partition
        self.events = 0
        self.decided = 0
        self.degraded = 0
        self.skipped = 0
        self.sampled = 0
        self.sampled_agreed = 0
        self.tokens_in = 0
        self.tokens_out = 0
        self.tokens_cached = 0
        self.confidence_sum = 0  # millionths
        self.vendor_compared = 0
        self.vendor_agreed = 0
        self.routes: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.labels: Counter[str] = Counter()
        self.roles: Counter[str] = Counter()
        self.role_labels: Counter[str] = Counter()
        self.channel_labels: Counter[str] = Counter()
        self.languages: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.models: Counter[str] = Counter()
        self.routers: Counter[str] = Counter()
        self.budget_used: Counter[str] = Counter()  # by whole percent
        self.cost_nanos = 0
        self.cloud_only_cost_nanos = 0
        self.measured_cost_nanos = 0
        self.role_cost_nanos: Counter[str] = Counter()
        self.end_to_end_ms = DDSketch(ACCURACY)
        self.inference_ms = DDSketch(ACCURACY)
        self.confidence = DDSketch(ACCURACY)
        self.text_chars = DDSketch(ACCURACY)

    def add(self, events: Sequence[RoutingEvent]) -> None:
        """Count `events`, whose figures must be finite. It is several times quicker for many than for each."""
        scored = [event for event in events if event.scored]
        completed = [event for event in scored if event.stage == "completed"]
        self.skipped += len(events) - len(scored)
        self.decided += len(scored) - len(completed)
        self.events += len(completed)
        self._add_costs(scored)
        add_values(self.inference_ms, [event.inference_ms for event in scored])
        add_values(self.end_to_end_ms, [event.end_to_end_ms for event in completed])
        add_values(self.text_chars, [event.text_chars for event in completed if event.text_chars])
        used = [event.budget_used for event in completed if event.budget_used is not None]
        self.budget_used.update([str(int(100 * share)) for share in used])
        confidences = [found for event in completed if (found := published_confidence(event)) is not None]
        add_values(self.confidence, confidences)
        self.confidence_sum += sum([round(confidence * 1e6) for confidence in confidences])
        # Most events of a batch say the same, so what they say is counted once for all that do.
        for answer, count in Counter(map(_ANSWER, completed)).items():
            self._add_answer(_Answer(*answer), count)

    def _add_costs(self, events: Sequence[RoutingEvent]) -> None:
        for (role, basis, cost_usd, cloud_only_usd, *tokens), count in Counter(map(_COST, events)).items():
            cost = nanodollars(cost_usd) * count
            self.cost_nanos += cost
            self.cloud_only_cost_nanos += nanodollars(cloud_only_usd) * count
            if cost:
                self.role_cost_nanos[role] += cost
                self.measured_cost_nanos += cost if basis == "measured" else 0
            self.tokens_in += tokens[0] * count
            self.tokens_out += tokens[1] * count
            self.tokens_cached += tokens[2] * count

    def _add_answer(self, answer: "_Answer", count: int) -> None:
        label = _published(answer.route, answer.edge_label, answer.cloud_label)
        self.degraded += count if answer.degraded else 0
        self.routes[answer.route] += count
        self.reasons[answer.reason] += count
        self.labels[label] += count
        self.roles[answer.role] += count
        self.role_labels[f"{answer.role}/{label}"] += count
        self.channel_labels[f"{answer.channel}/{label}"] += count
        for counter, name in (
            (self.languages, language_name(answer.language)),
            (self.models, answer.model),
            (self.routers, answer.router),
        ):
            counter[name if name in counter or len(counter) < MOST_NAMES else OTHER] += count
        for kind in answer.pii:
            self.kinds[kind] += count
        if answer.reason == "random_cloud" and answer.route == "cloud":
            self.sampled += count
            self.sampled_agreed += count if answer.cloud_label == answer.edge_label else 0
        if answer.vendor_label is not None:
            self.vendor_compared += count
            self.vendor_agreed += count if answer.vendor_label == label else 0

    def merge(self, other: "Window") -> None:
        """Add all that `other` counts; the window then spans both. `other` is left as it is."""
        self.start = min(self.start, other.start)
        self.end = max(self.end, other.end)
        for name in (*_COUNTS, *(f"{cost}_nanos" for cost in _COSTS)):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in (*_COUNTERS, "role_cost_nanos"):
            getattr(self, name).update(getattr(other, name))
        for name in _SKETCHES:
            getattr(self, name).merge(getattr(other, name))

    def subtract(self, other: "Window") -> None:
        """Take away what `other`, which was merged before, counts. The span stays as it is."""
        for name in (*_COUNTS, *(f"{cost}_nanos" for cost in _COSTS)):
            setattr(self, name, getattr(self, name) - getattr(other, name))
        for name in (*_COUNTERS, "role_cost_nanos"):
            setattr(self, name, getattr(self, name) - getattr(other, name))  # a Counter drops what comes to 0
        for name in _SKETCHES:
            subtract_sketch(getattr(self, name), getattr(other, name))

    def to_record(self, updated_at: int) -> MonitoringWindow:
        """The record for `monitoring`; equal windows give equal records."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in _COUNTS}
        fields |= {name: dict(sorted(getattr(self, name).items())) for name in _COUNTERS}
        fields |= {f"{name}_usd": getattr(self, f"{name}_nanos") / 1e9 for name in _COSTS}
        fields |= {name: sketch_to_bytes(getattr(self, name)) for name in _SKETCHES}
        return MonitoringWindow(
            window_start=self.start,
            window_end=self.end,
            partition=self.partition,
            role_cost_usd={role: nanos / 1e9 for role, nanos in sorted(self.role_cost_nanos.items())},
            updated_at=updated_at,
            **fields,
        )

    @classmethod
    def from_record(cls, record: MonitoringWindow) -> Self:
        """The window that `record` was made from. Raises `ValueError` when a sketch cannot be read."""
        window = cls(record.window_start, record.window_end, record.partition)
        for name in _COUNTS:
            setattr(window, name, getattr(record, name))
        for name in _COUNTERS:
            getattr(window, name).update(getattr(record, name))
        for name in _COSTS:
            setattr(window, f"{name}_nanos", nanodollars(getattr(record, f"{name}_usd")))
        window.role_cost_nanos.update({role: nanodollars(usd) for role, usd in record.role_cost_usd.items()})
        for name in _SKETCHES:
            setattr(window, name, sketch_from_bytes(getattr(record, name)))
        return window


class _Answer(NamedTuple):
    """What a completed event says that many others say, too."""

    route: str
    reason: str
    degraded: bool
    role: str
    channel: str
    language: str | None
    model: str
    router: str
    edge_label: Label
    cloud_label: Label | None
    vendor_label: str | None
    pii: tuple[str, ...]


_ANSWER: Final = attrgetter(*_Answer._fields)
_COST: Final = attrgetter(
    "role", "cost_basis", "cost_usd", "cloud_only_cost_usd", "tokens_in", "tokens_out", "tokens_cached"
)


def published_label(event: RoutingEvent) -> Label:
    """The label that went to `sentiment` for a `completed` event: of the model that answered."""
    return _published(event.route, event.edge_label, event.cloud_label)


def _published(route: str, edge_label: Label, cloud_label: Label | None) -> Label:
    return cloud_label if route == "cloud" and cloud_label is not None else edge_label


def published_confidence(event: RoutingEvent) -> float | None:
    """The published label's probability; None where an older cloud agent, which did not say it, has answered."""
    return event.cloud_confidence if event.route == "cloud" else event.edge_confidence


@lru_cache(1024)
def language_name(tag: str | None) -> str:
    """The first subtag of a BCP 47 tag, in lower case; "other" for what is none."""
    if tag is None:
        return "unknown"
    first = tag.replace("_", "-").partition("-")[0].lower()
    return first if 2 <= len(first) <= 3 and first.isascii() and first.isalpha() else OTHER
