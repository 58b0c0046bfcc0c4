"""Recorded routing decisions as columns: what policies are fitted on and compared by."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter, itemgetter
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.records import LABELS, RoutingEvent
from schemas.validation import MOST

Floats = NDArray[np.float64]

NEEDED: Final = (
    "stage", "route", "reason", "degraded", "complexity", "edge_label", "edge_confidence", "cloud_label", "cost_usd",
    "recorded_at", "model", "router",
)  # fmt: skip
LATER: Final[Mapping[str, Any]] = {
    "scored": True, "tokens_in": 0, "tokens_out": 0, "tokens_cached": 0, "text_chars": 0,
}  # fmt: skip
"""Fields that audit events of the first schema lack, with their defaults."""

_NUMBERS: Final = (
    "complexity", "edge_confidence", "cost_usd", "recorded_at", "tokens_in", "tokens_out", "tokens_cached",
    "text_chars",
)  # fmt: skip

_LATEST_MS: Final = 253_402_300_799_999  # of the year 9999

FIELDS: Final = (*NEEDED, *LATER)
"""The fields of a routing event that are used."""

_NAMED: Final = attrgetter(*FIELDS)
_KEYED: Final = itemgetter(*FIELDS)
_FIRST: Final = itemgetter(*NEEDED)

# Who decided, and what the recording therefore knows of the event.
KEPT, SAMPLED, DEFERRED, UNANSWERED, FIXED = range(5)
_GROUPS: Final = {
    "optimal_edge": KEPT,
    "random_cloud": SAMPLED,
    "low_confidence": DEFERRED,
    "high_complexity": DEFERRED,
    # No policy decides these: another rule has.
    "sensitive_local": FIXED,
    "unsupported_language": FIXED,
}
# The reason of all others says why the cloud gave no answer, not why it was asked.


def group_of(reason: str, degraded: bool) -> int:
    """Who decided a completed event with this `reason`: `KEPT`, `SAMPLED`, `DEFERRED`, `UNANSWERED` or `FIXED`."""
    group = _GROUPS.get(reason, UNANSWERED)
    return UNANSWERED if degraded and group != FIXED else group


_UNKNOWN: Final = -1


class DecisionError(ValueError):
    """What is no routing event: the message says why."""


class Decider(NamedTuple):
    """What decides: a policy and an edge model, whose confidence it goes by. Each `name@version`."""

    policy: str
    edge_model: str


@dataclass(frozen=True, slots=True)
class Decisions:
    """Scored events as one policy and one edge model decided them; arrays with a value for each event.

    An event that the policy kept is `KEPT`, or `SAMPLED` where the random sample drew it. One that it deferred is
    `DEFERRED`, or `UNANSWERED` where the cloud did not answer, whatever it was asked for. `FIXED`: no policy decides.
    """

    confidence: Floats  # the edge's
    complexity: Floats
    group: NDArray[np.int8]
    agrees: NDArray[np.int8]  # whether the edge's label is the cloud's, or a person's: 1, 0, or -1 where it is unknown
    to_cloud: NDArray[np.bool_]  # who answered
    cost_nanos: NDArray[np.int64]  # of the last step: the cloud's where the cloud answered, else the edge's
    tokens: NDArray[np.int64]  # (events, 3) of the cloud: in, out, and, of those in, cached
    text_chars: NDArray[np.int64]  # 0: not known
    recorded_ms: NDArray[np.int64]
    decider: Decider
    cloud_models: tuple[str, ...]
    not_scored: int = 0
    left_out: int = 0  # by another policy or edge model, before these

    def __len__(self) -> int:
        """The events."""
        return len(self.confidence)

    @property
    def routed(self) -> NDArray[np.bool_]:
        """Which events a policy decides."""
        return np.asarray(self.group != FIXED)

    @property
    def unanswered(self) -> int:
        """The events that the cloud was asked about and did not answer."""
        return int((self.group == UNANSWERED).sum())

    @property
    def span_ms(self) -> int:
        """From the first decision to the last."""
        return int(self.recorded_ms.max() - self.recorded_ms.min()) if len(self) else 0

    @property
    def since(self) -> str:
        """When the first decision was taken, ISO 8601; empty without times."""
        return _iso(self.recorded_ms.min()) if self.span_ms else ""

    @property
    def until(self) -> str:
        """When the last decision was taken."""
        return _iso(self.recorded_ms.max()) if self.span_ms else ""


class _Part(NamedTuple):
    """Columns of the events that were added at once."""

    confidence: Floats
    complexity: Floats
    group: NDArray[np.int8]
    agrees: NDArray[np.int8]
    to_cloud: NDArray[np.bool_]
    cost_nanos: NDArray[np.int64]
    tokens: NDArray[np.int64]
    text_chars: NDArray[np.int64]
    recorded_ms: NDArray[np.int64]
    policy: NDArray[np.int32]


class DecisionColumns:
    """Collects routing events, a million in a few seconds, into `Decisions`."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []
        self._policies: dict[str, int] = {}
        self._last: dict[Decider, int] = {}
        self._models: set[str] = set()
        self._not_scored = 0

    def add_events(self, events: Iterable[RoutingEvent]) -> None:
        """Adds records of `routing-events`. Raises DecisionError: one is none, see `validate_routing_event`."""
        self._add([_NAMED(event) for event in events])

    def add_objects(self, objects: Iterable[Mapping[str, Any]]) -> None:
        """Adds the same as JSON objects. Raises DecisionError, KeyError, TypeError, ValueError: one is none."""
        self._add([_row(each) for each in objects])

    def decisions(self) -> Decisions:
        """Those of the newest policy and edge model, from when no other decided any more."""
        unknown = Decider(next(iter(self._policies), ""), "")  # only the cloud's answers are there
        decider = max(self._last, key=lambda each: self._last[each], default=unknown)
        before = max((last for other, last in self._last.items() if other != decider), default=-1)
        parts = self._parts or [_EMPTY]
        every = _Part(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        wanted = (every.policy == self._policies.get(decider.policy, _UNKNOWN)) & (every.recorded_ms > before)
        return Decisions(
            confidence=every.confidence[wanted],
            complexity=every.complexity[wanted],
            group=every.group[wanted],
            agrees=every.agrees[wanted],
            to_cloud=every.to_cloud[wanted],
            cost_nanos=every.cost_nanos[wanted],
            tokens=every.tokens[wanted],
            text_chars=every.text_chars[wanted],
            recorded_ms=every.recorded_ms[wanted],
            decider=decider,
            cloud_models=tuple(sorted(self._models)),
            not_scored=self._not_scored,
            left_out=int((~wanted).sum()),
        )

    def _add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        if not rows:
            return
        every = dict(zip(FIELDS, zip(*rows, strict=True), strict=True))
        for name in _NUMBERS:
            _check(name, every[name])
        kinds = zip(*(every[name] for name in ("stage", "route", "model", "router", "scored")), strict=True)
        for (stage, route, model, policy, is_scored), last in _latest(kinds, every["recorded_at"]):
            if not is_scored:
                continue
            # The model of a decided event, and of one that the edge answered, is the edge's.
            if stage == "decided" or route == "edge":
                decider = Decider(policy, model)
                self._last[decider] = max(last, self._last.get(decider, -1))
            else:
                self._models.add(model)
        done = [row for row in rows if row[0] == "completed" and row[12]]
        self._not_scored += sum(not row[12] for row in rows)
        if not done:
            return
        columns: list[Sequence[Any]] = list(zip(*done, strict=True))
        of = dict(zip(FIELDS, columns, strict=True))
        if not {*of["edge_label"], *of["cloud_label"]} <= {*LABELS, None}:
            raise DecisionError(f"a label is none of {', '.join(LABELS)}")
        group = np.array([_GROUPS.get(each, UNANSWERED) for each in of["reason"]], np.int8)
        group[np.array(of["degraded"], bool) & (group != FIXED)] = UNANSWERED
        both = zip(of["edge_label"], of["cloud_label"], strict=True)
        self._parts.append(
            _Part(
                np.array(of["edge_confidence"], np.float64),
                np.array(of["complexity"], np.float64),
                group,
                np.array([_UNKNOWN if cloud is None else edge == cloud for edge, cloud in both], np.int8),
                np.array([each == "cloud" for each in of["route"]]),
                np.rint(np.array(of["cost_usd"], np.float64) * 1e9).astype(np.int64),
                np.array([of["tokens_in"], of["tokens_out"], of["tokens_cached"]], np.int64).T,
                np.array(of["text_chars"], np.int64),
                np.array(of["recorded_at"], np.int64),
                np.array([self._policies.setdefault(each, len(self._policies)) for each in of["router"]], np.int32),
            )
        )


def _check(name: str, values: Sequence[Any]) -> None:
    """Raises DecisionError: one of `values` is no number, or none that the field `name` may have."""
    if not {*map(type, values)} <= {int, float}:
        raise DecisionError(f"{name} is no number")
    most = MOST.get(name, _LATEST_MS)
    if not all(0 <= value <= most for value in values):
        raise DecisionError(f"{name} is not from 0 to {most:,.0f}")


def _row(fields: Mapping[str, Any]) -> tuple[Any, ...]:
    try:
        row: tuple[Any, ...] = _KEYED(fields)
    except KeyError:  # of the first schema, or none
        return (*_FIRST(fields), *(fields.get(name, value) for name, value in LATER.items()))
    return row


def _latest(kinds: Iterable[tuple[Any, ...]], times: Sequence[int]) -> list[tuple[tuple[Any, ...], int]]:
    """The different `kinds`, and the latest of their `times`."""
    numbers: dict[tuple[Any, ...], int] = {}
    of = np.array([numbers.setdefault(kind, len(numbers)) for kind in kinds])
    latest = np.full(len(numbers), -1, np.int64)
    np.maximum.at(latest, of, np.array(times, np.int64))
    return [(kind, int(latest[number])) for kind, number in numbers.items()]


def labelled(confidence: Floats, complexity: Floats, agrees: NDArray[np.bool_], edge_model: str) -> Decisions:
    """Events of which people have said what is right: all are known, as if the random sample had drawn each."""
    count = len(confidence)
    return Decisions(
        confidence=confidence,
        complexity=complexity,
        group=np.full(count, SAMPLED, np.int8),
        agrees=agrees.astype(np.int8),
        to_cloud=np.zeros(count, np.bool_),
        cost_nanos=np.zeros(count, np.int64),
        tokens=np.zeros((count, 3), np.int64),
        text_chars=np.zeros(count, np.int64),
        recorded_ms=np.zeros(count, np.int64),
        decider=Decider("", edge_model),
        cloud_models=(),
    )


def _iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


_EMPTY: Final = _Part(
    np.zeros(0), np.zeros(0), np.zeros(0, np.int8), np.zeros(0, np.int8), np.zeros(0, np.bool_), np.zeros(0, np.int64),
    np.zeros((0, 3), np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int32),
)  # fmt: skip
