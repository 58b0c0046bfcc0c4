"""Which audit events are asked for: what an address of the page says, as a condition, and back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from types import MappingProxyType
from typing import Final, get_args

from schemas.records import LABELS, Channel, Reason, Role, RoutingEvent, Stage
from streams.monitoring.window import language_name, published_label
from streams.operate.moment import parse_moment
from streams.system.clock import Clock, iso
from streams.web.live.layout import path

_YES_NO: Final = ("yes", "no")


@dataclass(frozen=True)
class Condition:
    """What an event is asked for: what there is to choose from, none: any text; and what an event says."""

    label: str
    choices: tuple[str, ...]
    said: Callable[[RoutingEvent], str | tuple[str, ...]]


def _yes(is_so: bool) -> str:
    return _YES_NO[0] if is_so else _YES_NO[1]


CONDITIONS: Final[Mapping[str, Condition]] = MappingProxyType(
    {
        "route": Condition("route", ("edge", "cloud"), lambda event: event.route),
        "reason": Condition("reason", get_args(Reason), lambda event: event.reason),
        "label": Condition("label", LABELS, published_label),
        "role": Condition("role", get_args(Role), lambda event: event.role),
        "channel": Condition("channel", get_args(Channel), lambda event: event.channel),
        "degraded": Condition("degraded", _YES_NO, lambda event: _yes(event.degraded)),
        "stage": Condition("stage", get_args(Stage), lambda event: event.stage),
        "scored": Condition("scored", _YES_NO, lambda event: _yes(event.scored)),
        "language": Condition("language", (), lambda event: language_name(event.language)),
        "model": Condition("model", (), lambda event: event.model),
        "policy": Condition("policy", (), lambda event: event.router),
        "kind": Condition("personal data", (), lambda event: event.pii),
        "conversation": Condition("conversation", (), lambda event: event.conversation_id),
    }
)
"""By the name of the parameter."""


class FilterError(ValueError):
    """An address asks for something that there is not."""


@dataclass(frozen=True)
class EventFilter:
    """The events recorded from `since_ms` to before `until_ms` (UTC) for which all of `wanted` hold."""

    since_ms: int
    until_ms: int
    wanted: Mapping[str, str]
    slower_ms: float | None = None  # only those that took so long from end to end, or longer
    skip: int = 0  # of the latest

    @classmethod
    def parse(cls, given: Mapping[str, str], clock: Clock) -> "EventFilter":
        """What the parameters of an address say; without a time it is the last hour. Raises FilterError."""
        try:
            until_ms = parse_moment(given["until"], clock) if given.get("until") else clock()
            since_ms = parse_moment(given["since"], clock) if given.get("since") else until_ms - 3_600_000
        except ValueError as error:
            raise FilterError(f"a time is given as 2026-01-31T12:00:00Z, or -1h for an hour ago ({error})") from None
        if since_ms >= until_ms:
            raise FilterError("the time begins after its end")
        wanted = {name: value for name in CONDITIONS if (value := given.get(name, "").strip())}
        for name, value in wanted.items():
            choices = CONDITIONS[name].choices
            if choices and value not in choices:
                raise FilterError(f"{name} is one of {', '.join(choices)}")
        try:
            slower_ms = float(given["slower"]) if given.get("slower") else None
            skip = int(given.get("skip") or 0)
        except ValueError:
            raise FilterError("slower is a number of milliseconds, skip a number of events") from None
        if skip < 0 or skip > 100_000 or (slower_ms is not None and not isfinite(slower_ms)):
            raise FilterError("skip is a number from 0 to 100,000, slower a number of milliseconds")
        return cls(since_ms, until_ms, wanted, slower_ms, skip)

    def matches(self, event: RoutingEvent) -> bool:
        """Whether all holds of `event`, but for the time."""
        if self.slower_ms is not None and (event.stage != "completed" or event.end_to_end_ms < self.slower_ms):
            return False
        for name, value in self.wanted.items():
            said = CONDITIONS[name].said(event)
            if value not in said if isinstance(said, tuple) else value != said:
                return False
        return True

    def href(self, until_ms: int, skip: int) -> str:
        """The address of the same with another end."""
        slower = None if self.slower_ms is None else f"{self.slower_ms:g}"
        return events_path(self.since_ms, until_ms, slower=slower, skip=skip or None, **self.wanted)


EVENTS_OF: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "edge_share": {"route": "edge"},
        "agreement": {"reason": "random_cloud", "route": "cloud"},
        "degraded_share": {"degraded": "yes"},
        "budget_used": {"reason": "budget_exhausted"},
    }
)
"""By metric the events that a figure of it is made of, where these are not all that were scored."""


def figure_path(metric: str, value: float | None, since_ms: int, until_ms: int | None) -> str:
    """The address of the events that make `value`, the figure of `metric` in that time (UTC); of a p95 the slow."""
    slower = f"{value:.6g}" if metric == "latency_p95_ms" and value is not None else None
    of = EVENTS_OF.get(metric, {})
    return events_path(since_ms, until_ms, stage="completed", scored="yes", slower=slower, **of)


def events_path(since_ms: int, until_ms: int | None, **wanted: str | int | None) -> str:
    """The address of the list of events recorded in that time (UTC) of which `wanted` holds."""
    return path("/events", since=_moment(since_ms), until=None if until_ms is None else _moment(until_ms), **wanted)


def _moment(at_ms: int) -> str:
    """As `parse_moment` reads it: to the second as ISO 8601, else as milliseconds."""
    return str(at_ms) if at_ms % 1000 else iso(at_ms)
