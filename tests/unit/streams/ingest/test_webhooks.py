"""A vendor's request as events."""

import json
from typing import Any

from schemas.records import TranscriptEvent
from streams.ingest.signatures import Signed
from streams.ingest.webhooks import read_webhook
from tests.vendor_objects import vendor_object

NOW_MS = 1_767_606_914_000


def events(vendor: str, body: Any) -> list[TranscriptEvent]:
    signed = Signed({"webhook-id": "w1"}, json.dumps(body).encode())
    return list(read_webhook(vendor, signed, {}, NOW_MS).events)


def test_the_last_turn_of_a_whole_call_is_marked() -> None:
    """Seen to fail with events that take all of a turn but `last`."""
    found = events("deepgram", vendor_object("deepgram"))
    assert len(found) > 1
    assert [event.last for event in found] == [False] * (len(found) - 1) + [True]


def test_no_message_that_comes_by_itself_is_the_last() -> None:
    assert [event.last for event in events("chatwoot", vendor_object("chatwoot"))] == [False]


def test_a_call_that_comes_in_two_parts_has_one_last_turn() -> None:
    """Seen to fail with each part's last turn taken for the call's."""
    whole = vendor_object("contact-lens")
    turns = whole["Transcript"]
    parts = [whole | {"Transcript": turns[:1]}, whole | {"Transcript": turns[1:]}]
    found = events("generic", parts)
    assert len({event.conversation_id for event in found}) == 1
    assert [event.last for event in found] == [False] * (len(found) - 1) + [True]
