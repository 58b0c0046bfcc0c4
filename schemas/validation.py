"""What a transcript event must be beyond its types, checked before any agent spends work on it.

Its text is judged by `models.text_validation`, for that depends on what the models read.
"""

from typing import Final

from schemas.codec import DecodeError
from schemas.records import TranscriptEvent

MAX_ID_CHARS: Final = 256  # ids are keys, and stand in every record on every topic
EARLIEST_MS: Final = 946_684_800_000  # 2000-01-01: an earlier time is a wrong unit or a field left empty
CLOCK_SKEW_MS: Final = 86_400_000  # a day: no clock is off by more, and a wrong time zone is off by less


def validate_event(event: TranscriptEvent, *, now_ms: int) -> None:
    """Raise `DecodeError` for an event that decodes and yet cannot be worked on; `now_ms` is UTC milliseconds.

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
    """Raise `DecodeError` for an id that is empty or longer than 256 characters."""
    for name, id_ in (("event_id", event_id), ("conversation_id", conversation_id)):
        if not 0 < len(id_) <= MAX_ID_CHARS:
            raise DecodeError("invalid_id", f"{name} has {len(id_)} characters; 1 to {MAX_ID_CHARS} are allowed")
