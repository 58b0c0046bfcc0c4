import dataclasses

import pytest

from schemas.codec import DeadLetterReason, DecodeError
from schemas.validation import validate_event, validate_routing_event
from tests.events import TRANSCRIPT, routing_event

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000
YEAR_2000_MS = 946_684_800_000
YEAR_9999_MS = 253_370_764_800_000


def reason(**changes: object) -> DeadLetterReason | None:
    event = dataclasses.replace(TRANSCRIPT, **changes)  # type: ignore[arg-type]
    try:
        validate_event(event, now_ms=NOW_MS)
    except DecodeError as error:
        return error.reason
    return None


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"event_id": "x" * 256, "conversation_id": "x" * 256},
        {"turn": 0},
        {"occurred_at": YEAR_2000_MS},
        {"occurred_at": NOW_MS + DAY_MS},
    ],
)
def test_good_events_pass(changes: dict[str, object]) -> None:
    assert reason(**changes) is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"event_id": ""}, "invalid_id"),
        ({"conversation_id": ""}, "invalid_id"),
        ({"event_id": "x" * 257}, "invalid_id"),
        ({"conversation_id": "x" * 257}, "invalid_id"),
        ({"turn": -1}, "invalid_turn"),
        ({"occurred_at": 0}, "invalid_timestamp"),
        ({"occurred_at": YEAR_2000_MS - 1}, "invalid_timestamp"),
        ({"occurred_at": NOW_MS + DAY_MS + 1}, "invalid_timestamp"),
        ({"occurred_at": YEAR_9999_MS}, "invalid_timestamp"),
        ({"occurred_at": NOW_MS * 1000}, "invalid_timestamp"),
        ({"occurred_at": -(2**63)}, "invalid_timestamp"),
    ],
)
def test_bad_events_are_refused(changes: dict[str, object], expected: DeadLetterReason) -> None:
    assert reason(**changes) == expected


def test_the_message_has_no_customer_text() -> None:
    event = dataclasses.replace(TRANSCRIPT, event_id="card-4111" * 100)
    with pytest.raises(DecodeError) as caught:
        validate_event(event, now_ms=NOW_MS)
    assert "4111" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"edge_confidence": 0.0, "cloud_confidence": 1.0},
        {"budget_used": 1.2, "tokens_in": 1_000_000_000, "tokens_out": 0, "text_chars": 0},
    ],
)
def test_good_audit_events_pass(changes: dict[str, object]) -> None:
    validate_routing_event(routing_event(**changes), now_ms=NOW_MS)


@pytest.mark.parametrize("name", ["edge_confidence", "cloud_confidence", "budget_used", "cost_usd", "end_to_end_ms"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 1e300])
def test_an_audit_event_that_cannot_be_added_up_is_refused(name: str, value: float) -> None:
    with pytest.raises(DecodeError, match=name):
        validate_routing_event(routing_event(**{name: value}), now_ms=NOW_MS)
