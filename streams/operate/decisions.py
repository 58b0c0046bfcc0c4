"""Recorded decisions from where they are: the topic `routing-events`, or a file that `edgewise consume` made of it."""

import sys
from io import BufferedReader
from itertools import islice
from typing import Final

from pydantic_core import from_json

from recordings.fault import RecordingError
from recordings.source import opened
from schemas.codec import DecodeError
from schemas.errors import UsageError
from schemas.records import RoutingEvent
from schemas.topics import ROUTING_EVENTS
from schemas.validation import validate_routing_event
from streams.config.settings import Settings
from streams.monitoring.decisions import DecisionColumns, DecisionError, Decisions
from streams.operate.consume import Start, decoded
from streams.system.clock import now_ms

_CHUNK: Final = 20_000
_READ_BYTES: Final = 1024 * 1024


def topic_decisions(settings: Settings, start: Start, until_ms: int | None) -> Decisions:
    """The decisions in `routing-events` from `start` to the end as of this call, or recorded before `until_ms`.

    What the monitor would put into `dead-letters` is left out.

    Raises UsageError: there are none, or what `consume.records` raises.
    """
    now = now_ms()
    events = (event for event in decoded(settings, ROUTING_EVENTS, start) if _is_sound(event, now))
    columns = DecisionColumns()
    remaining = (event for event in events if until_ms is None or event.recorded_at < until_ms)
    while chunk := list(islice(remaining, _CHUNK)):
        columns.add_events(chunk)
    return _not_empty(columns.decisions(), settings.topic(ROUTING_EVENTS))


def recorded_decisions(path: str, start_ms: int | None, until_ms: int | None) -> Decisions:
    """The decisions in the file at `path`, `-` for standard input, recorded from `start_ms` on and before `until_ms`.

    A line is a JSON object with a routing event's fields, as `edgewise consume routing-events` prints them. It may be
    packed, as .gz or .zst.

    Raises RecordingError: it cannot be read, or a line is no routing event. UsageError: there are none.
    """
    columns, number = DecisionColumns(), 0
    with opened(path) as source:
        file = BufferedReader(source, _READ_BYTES)
        while lines := list(islice(file, _CHUNK)):
            _add(columns, path, number, lines, start_ms, until_ms)
            number += len(lines)
    return _not_empty(columns.decisions(), path)


def _is_sound(event: RoutingEvent, now: int) -> bool:
    try:
        validate_routing_event(event, now_ms=now)
    except DecodeError:
        return False
    return True


def _add(
    columns: DecisionColumns, path: str, before: int, lines: list[bytes], start_ms: int | None, until_ms: int | None
) -> None:
    """Adds `lines`, which come after `before` others in the file."""
    try:
        objects = (from_json(line) for line in lines if not line.isspace())
        if start_ms is not None or until_ms is not None:
            low, high = start_ms or 0, until_ms or sys.maxsize
            objects = (each for each in objects if low <= each["recorded_at"] < high)
        columns.add_objects(objects)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if len(lines) == 1:
            raise RecordingError(f"{path}, line {before + 1}: no routing event: {_why(error)}") from None
        for number, line in enumerate(lines):
            _add(DecisionColumns(), path, before + number, [line], start_ms, until_ms)
        raise


def _why(error: Exception) -> str:
    """In words that repeat nothing of the line, which may be anything."""
    if isinstance(error, KeyError):
        return f"it has no {error.args[0]}, which lines of `edgewise consume routing-events` have"
    if isinstance(error, DecisionError):
        return str(error)
    return "it is no JSON object, or a field of it has another type"


def _not_empty(decisions: Decisions, where: str) -> Decisions:
    if not len(decisions):
        raise UsageError(f"{where} holds no decision on an event that was scored")
    return decisions
