"""A vendor's request as events."""

import json
from typing import Any, cast

import pytest

from schemas.records import TranscriptEvent
from streams.config.settings import Settings
from streams.ingest.app import Door
from streams.ingest.intake import Intake
from streams.ingest.problems import Problem
from streams.ingest.secrets import Secrets
from streams.ingest.signatures import Signed
from streams.ingest.webhooks import read_webhook
from streams.system.clock import now_ms
from tests.vendor_objects import vendor_object

NOW_MS = 1_767_606_914_000


def events(vendor: str, body: Any) -> list[TranscriptEvent]:
    signed = Signed({"webhook-id": "w1"}, json.dumps(body).encode())
    return list(read_webhook(vendor, signed, {}, NOW_MS).events)


def test_the_address_names_the_conversation_where_it_does() -> None:
    """Deepgram always has an id of its own. Seen to fail with the address read only where there is none."""
    body = json.dumps(vendor_object("deepgram")).encode()
    named = Signed({}, body, "https://edgewise.example/v1/webhooks/deepgram?conversation=call-7")
    found = read_webhook("deepgram", named, {}, NOW_MS).events
    assert {event.conversation_id for event in found} == {"call-7"}
    other = {event.conversation_id for event in events("deepgram", vendor_object("deepgram"))}
    assert len(other) == 1
    assert other != {"call-7"}


def test_a_turn_without_anything_to_see_is_left_out_and_the_others_come() -> None:
    """An image's place holder, an empty Braille cell. Seen to fail with the whole request refused for it."""
    whole = vendor_object("contact-lens")
    blank = [
        turn | {"Content": text, "Id": f"blank-{text}"}
        for text in "\ufffc\u2800\u3164"
        for turn in whole["Transcript"][:1]
    ]
    signed = Signed({}, json.dumps(whole | {"Transcript": blank + whole["Transcript"]}).encode())
    found = read_webhook("generic", signed, {}, NOW_MS)
    without = read_webhook("generic", Signed({}, json.dumps(whole).encode()), {}, NOW_MS)
    assert found.left_out["blank"] == without.left_out.get("blank", 0) + 3
    assert [event.text for event in found.events] == [event.text for event in without.events]


def test_a_turn_that_is_too_long_is_no_reason_to_refuse_a_vendors_request() -> None:
    """Nobody there can mend it: the worker makes a dead letter of it. Of our own JSON it is refused."""
    door = Door(Settings(max_text_chars=5), cast(Secrets, None), cast(Intake, None), {})
    ours = {"conversation_id": "c", "text": "longer than five"}
    mine = read_webhook("generic", Signed({}, json.dumps(ours).encode()), {}, now_ms())
    theirs = read_webhook("chatwoot", Signed({}, json.dumps(vendor_object("chatwoot")).encode()), {}, now_ms())
    assert len(door._items(theirs, ())) == len(theirs.events) == 1
    with pytest.raises(Problem, match="at most 5 are allowed"):
        door._items(mine, ())


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
