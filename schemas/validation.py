"""What a record must be beyond its types, checked before an agent spends work on it.

A text is judged by `models.text_validation`, for that depends on what the models read.
"""

from collections.abc import Mapping
from typing import Final

from schemas.codec import DecodeError
from schemas.records import RoutingEvent, SentimentResult, TranscriptEvent

MAX_ID_CHARS: Final = 256  # ids are keys, and stand in every record on every topic
EARLIEST_MS: Final = 946_684_800_000  # 2000-01-01: an earlier time is a wrong unit or a field left empty
CLOCK_SKEW_MS: Final = 86_400_000  # a day: no clock is off by more, and a wrong time zone is off by less

# An audit event's time is a worker's clock, which a time server sets. Windows of `monitoring` are looked for by it.
MAX_AHEAD_MS: Final = 600_000
MAX_COST_USD: Final = 1e6  # of one event
MAX_DURATION_MS: Final = 1e12  # 30 years
MAX_COUNT: Final = 1_000_000_000  # of one event's tokens, say: sums of as many events fit 64 bits

MOST: Final[Mapping[str, float]] = {
    "edge_confidence": 1,
    "cloud_confidence": 1,
    "complexity": MAX_COUNT,
    "cost_usd": MAX_COST_USD,
    "cloud_only_cost_usd": MAX_COST_USD,
    "inference_ms": MAX_DURATION_MS,
    "end_to_end_ms": MAX_DURATION_MS,
    "tokens_in": MAX_COUNT,
    "tokens_out": MAX_COUNT,
    "tokens_cached": MAX_COUNT,
    "text_chars": MAX_COUNT,
    "budget_used": MAX_COUNT,
}
"""What the figures of an audit event are at most; none is below 0."""


def validate_event(event: TranscriptEvent, *, now_ms: int) -> None:
    """Raises `DecodeError` for an event that decodes and yet cannot be worked on; `now_ms` is UTC milliseconds.

    Empty ids or ids over 256 characters, a turn below 0, a time outside [2000-01-01, now + 1 day].
    """
    validate_ids(event.event_id, event.conversation_id)
    if event.turn < 0:
        raise DecodeError("invalid_turn", f"turn is {event.turn}; it counts from 0")
    if not EARLIEST_MS <= event.occurred_at <= now_ms + CLOCK_SKEW_MS:
        raise DecodeError(
            "invalid_timestamp",
            f"occurred_at is {event.occurred_at}; from 2000-01-01 ({EARLIEST_MS}) to a day from now is allowed,"
            " in UTC milliseconds",
        )


def validate_ids(event_id: str, conversation_id: str) -> None:
    """Raises `DecodeError` for an id that is empty or longer than 256 characters."""
    for name, id_ in (("event_id", event_id), ("conversation_id", conversation_id)):
        if not 0 < len(id_) <= MAX_ID_CHARS:
            raise DecodeError("invalid_id", f"{name} has {len(id_)} characters; 1 to {MAX_ID_CHARS} are allowed")


def validate_result(result: SentimentResult, *, now_ms: int) -> None:
    """Raises `DecodeError` for a result that cannot be put into its conversation; `now_ms` is UTC milliseconds.

    Ids and turns as of an event, a probability outside [0, 1], a time outside [2000-01-01, now + 1 day].
    """
    validate_ids(result.event_id, result.conversation_id)
    if result.turn < 0:
        raise DecodeError("invalid_turn", f"turn is {result.turn}; it counts from 0")
    for name in ("negative", "neutral", "positive"):
        if not 0 <= (probability := getattr(result, name)) <= 1:
            raise DecodeError("undecodable", f"{name} is {probability:g}; a probability from 0 to 1 is allowed")
    for name in ("occurred_at", "scored_at"):
        if not EARLIEST_MS <= (time := getattr(result, name)) <= now_ms + CLOCK_SKEW_MS:
            raise DecodeError(
                "invalid_timestamp",
                f"{name} is {time}; from 2000-01-01 ({EARLIEST_MS}) to a day from now is allowed, in UTC milliseconds",
            )


def validate_routing_event(event: RoutingEvent, *, now_ms: int) -> None:
    """Raises `DecodeError` for an audit event whose figures cannot be added up; `now_ms` is UTC milliseconds.

    A figure outside [0, `MOST`], a time outside [2000-01-01, now + 10 minutes]. Avro's doubles may hold infinity, NaN
    and 1e300 as well.
    """
    for name, most in MOST.items():
        if (figure := getattr(event, name)) is not None and not 0 <= figure <= most:
            raise DecodeError("undecodable", f"{name} is {figure:g}; from 0 to {most:,.0f} is allowed")
    if not EARLIEST_MS <= event.recorded_at <= now_ms + MAX_AHEAD_MS:
        raise DecodeError(
            "invalid_timestamp",
            f"recorded_at is {event.recorded_at}; from 2000-01-01 ({EARLIEST_MS}) to 10 minutes from now is allowed,"
            " in UTC milliseconds",
        )
