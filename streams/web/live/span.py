"""The stretch of time that a view is about, in parts: hours of the last day, or days."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from streams.agents.open_windows import HOUR_MS
from streams.monitoring.period import DAY_MS, day_name, merged
from streams.monitoring.window import Window
from streams.system.clock import iso
from streams.web.document import Markup
from streams.web.live.board import Board
from streams.web.live.event_filter import events_path
from streams.web.live.layout import links, path

SpanName = Literal["24h", "7d", "30d"]
SPANS: Final[tuple[SpanName, ...]] = get_args(SpanName)

_DAYS: Final = {"7d": 7, "30d": 30}


@dataclass(frozen=True)
class Span:
    """Whole hours, the last 24 and the one that runs; or whole days, UTC, today the last."""

    name: SpanName
    since_ms: int
    places: tuple[str, ...]
    windows: tuple[Window | None, ...]  # of each place; None: nothing was recorded

    @property
    def total(self) -> Window:
        """All of it."""
        return merged(self.known)

    @property
    def known(self) -> list[Window]:
        """The parts with events, in order."""
        return [window for window in self.windows if window is not None]

    @property
    def unit(self) -> str:
        """What a part is."""
        return "hour" if self.name == "24h" else "day"

    def events(self, **wanted: str) -> tuple[str | None, ...]:
        """Where the events of each part are listed that were scored and of which `wanted` holds; None: of no part."""
        length = HOUR_MS if self.name == "24h" else DAY_MS
        begins = range(self.since_ms, self.since_ms + length * len(self.windows), length)
        conditions = {"stage": "completed", "scored": "yes", **wanted}
        return tuple(
            None if window is None else events_path(begin, begin + length, **conditions)
            for begin, window in zip(begins, self.windows, strict=True)
        )


def span_of(board: Board, name: SpanName, now_ms: int) -> Span:
    """The span called `name`, up to `now_ms` (UTC)."""
    if name == "24h":
        numbers = range(now_ms // HOUR_MS - 24, now_ms // HOUR_MS + 1)
        hours = board.hours(numbers[0] * HOUR_MS)
        places = tuple(iso(number * HOUR_MS)[11:16] for number in numbers)
        return Span(name, numbers[0] * HOUR_MS, places, tuple(map(hours.get, numbers)))
    numbers = range(now_ms // DAY_MS - _DAYS[name] + 1, now_ms // DAY_MS + 1)
    days = board.period(numbers[0] * DAY_MS).days
    places = tuple(day_name(number)[5:] for number in numbers)
    return Span(name, numbers[0] * DAY_MS, places, tuple(map(days.get, numbers)))


def span_links(view: str, chosen: SpanName) -> Markup:
    """The way to the same view of another span."""
    return links("Time", [(f"Last {name}", path(view, span=name), name == chosen) for name in SPANS])
