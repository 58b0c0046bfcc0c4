from typing import Any

import pytest

from tests.vendor_objects import reading, said, turns, vendor_object


def test_intercom_is_html_and_leaves_notes_assignments_and_redacted_parts_out() -> None:
    found = reading("intercom", vendor_object("intercom"))
    assert said(list(found.turns)) == [("customer", "My parcel is late."), ("agent", "We look into it")]
    assert [turn.event_id for turn in found.turns] == ["367/403", "367/406"]
    assert [turn.turn for turn in found.turns] == [1, 2]
    assert found.left_out == {"event": 1, "private": 1, "redacted": 1}
    assert (found.turns[0].channel, found.turns[0].occurred_at) == ("email", 1_767_606_914_000)
    assert found.turns[0].attributes == {"speaker": "Jo", "speaker_id": "u1"}


def test_intercom_webhooks_repeat_the_first_message_and_it_is_read_once() -> None:
    item = vendor_object("intercom")
    created = {"type": "notification_event", "topic": "conversation.user.created", "data": {"item": item}}
    item["conversation_parts"]["conversation_parts"] = []
    assert [turn.event_id for turn in turns("intercom", created)] == ["367/403"]
    item["conversation_parts"]["conversation_parts"] = [
        {"id": "409", "part_type": "comment", "body": "<p>And now?</p>", "created_at": 1_767_606_999,
         "author": {"type": "user", "id": "u1"}}
    ]  # fmt: skip
    [turn] = turns("intercom", created | {"topic": "conversation.user.replied"})
    assert (turn.event_id, turn.text, turn.turn) == ("367/409", "And now?", 1_767_606_999_000)


def test_zendesk_takes_roles_from_users_else_from_the_requester() -> None:
    found = reading("zendesk", vendor_object("zendesk"))
    assert said(list(found.turns)) == [("customer", "My parcel is late."), ("agent", "We look into it")]
    assert [turn.event_id for turn in found.turns] == ["35/90001", "35/90003"]
    assert [turn.channel for turn in found.turns] == ["email", "unknown"]
    assert found.left_out == {"private": 1}


def test_zendesk_ticket_without_comments_is_its_description() -> None:
    [turn] = turns("zendesk", {"ticket": vendor_object("zendesk")["ticket"]})
    assert (turn.role, turn.text, turn.event_id) == ("customer", "My parcel is late.", "35/description")


def test_zendesk_comments_alone_need_the_tickets_id() -> None:
    value = {"comments": vendor_object("zendesk")["comments"]}
    assert {turn.conversation_id for turn in turns("zendesk", value, conversation_id="t-1")} == {"t-1"}


def test_zendesk_messaging_reads_messages_and_counts_other_events() -> None:
    found = reading("zendesk-messaging", vendor_object("zendesk-messaging"))
    [turn] = found.turns
    assert (turn.role, turn.text, turn.channel) == ("customer", "My parcel is late.", "chat")
    assert (turn.event_id, turn.turn) == ("cv1/m1", 1_767_606_914_250)
    assert found.left_out == {"event": 1}


def test_zendesk_messaging_reads_a_message_that_comes_twice_once() -> None:
    value = vendor_object("zendesk-messaging")
    value["events"][1] = value["events"][0]
    found = reading("zendesk-messaging", value)
    assert (len(found.turns), found.left_out) == (1, {"repeated": 1})


def test_zendesk_messaging_list_knows_an_automatic_answer() -> None:
    messages = [
        {"id": "m1", "received": "2026-01-05T09:55:14Z", "author": {"type": "business", "subtypes": ["AI"]},
         "content": {"type": "text", "htmlText": "<b>Hello</b>"}},
        {"id": "m2", "received": "2026-01-05T09:55:15Z", "author": {"type": "business"}, "content": {"type": "image"}},
    ]  # fmt: skip
    found = reading("zendesk-messaging", {"messages": messages})
    assert said(list(found.turns)) == [("bot", "Hello")]
    assert found.left_out == {"event": 1}


@pytest.mark.parametrize(
    ("kind", "source", "role"),
    [("business", "zd:answerBot", "bot"), ("business", "ultimate", "bot"), ("business", "zd:surveys", "system"),
     ("business", "zd:agentWorkspace", "agent"), ("user", "web", "customer")],
)  # fmt: skip
def test_zendesk_messaging_knows_its_bots_by_the_source(kind: str, source: str, role: str) -> None:
    value = vendor_object("zendesk-messaging")
    message = value["events"][0]["payload"]["message"]
    message |= {"author": {"type": kind, "displayName": "Acme"}, "source": {"type": source}}
    assert [turn.role for turn in turns("zendesk-messaging", value)] == [role]


def test_zendesk_events_read_comments_and_count_other_events() -> None:
    value = vendor_object("zendesk-events")
    [turn] = turns("zendesk-events", value)
    assert (turn.event_id, turn.role, turn.text, turn.channel) == (
        "35/90001",
        "customer",
        "My parcel is late.",
        "email",
    )
    assert (turn.turn, turn.occurred_at) == (1_767_606_914_123, 1_767_606_914_123)
    assert turn.attributes == {"speaker": "Jo", "speaker_id": "7"}
    value["event"]["comment"]["author"]["is_staff"] = True
    assert [turn.role for turn in turns("zendesk-events", value)] == ["agent"]
    value["event"]["comment"]["is_public"] = False
    assert reading("zendesk-events", value).left_out == {"private": 1}
    assert reading("zendesk-events", value | {"type": "zen:event-type:ticket.created"}).left_out == {"event": 1}


@pytest.mark.parametrize(
    ("actor", "role"),
    [({"id": "zd:answerBot", "type": "system"}, "bot"), ({"id": "42", "type": "agent"}, "agent"),
     ({"id": "43", "type": "end_user", "name": "Jo"}, "customer"), ({"id": "x", "type": "system"}, "system")],
)  # fmt: skip
def test_zendesk_events_read_messages(actor: dict[str, str], role: str) -> None:
    value = vendor_object("zendesk-events") | {
        "type": "zen:event-type:messaging_ticket.message_added",
        "event": {"actor": actor, "conversation_id": "67ab", "message": {"id": "67ac", "body": "Hi there."}},
    }
    [turn] = turns("zendesk-events", value)
    assert (turn.event_id, turn.role, turn.text, turn.channel) == ("67ab/67ac", role, "Hi there.", "chat")


def test_chatwoot_joins_the_account_since_conversations_are_counted_in_it() -> None:
    [turn] = turns("chatwoot", vendor_object("chatwoot"))
    assert (turn.conversation_id, turn.event_id) == ("1/57", "1/57/15")
    assert (turn.role, turn.channel, turn.occurred_at) == ("customer", "chat", 1_767_606_914_000)


@pytest.mark.parametrize(
    ("change", "left_out"),
    [
        ({"private": True}, {"private": 1}),
        ({"message_type": "activity"}, {"event": 1}),
        ({"event": "message_updated"}, {"repeated": 1}),
        ({"event": "conversation_created"}, {"event": 1}),
        ({"content": None}, {"blank": 1}),
    ],
)
def test_chatwoot_leaves_out_what_nobody_said_to_the_other(change: dict[str, Any], left_out: dict[str, int]) -> None:
    found = reading("chatwoot", vendor_object("chatwoot") | change)
    assert found.turns == ()
    assert found.left_out == left_out


def test_chatwoot_list_has_numbers_for_types_and_seconds() -> None:
    payload = [
        {"id": 2, "content": "Hi", "message_type": 1, "created_at": 1_767_606_920, "conversation_id": 9,
         "sender": {"type": "agent_bot"}},
        {"id": 1, "content": "Late!", "message_type": 0, "created_at": 1_767_606_914, "conversation_id": 9},
    ]  # fmt: skip
    found = turns("chatwoot", {"meta": {}, "payload": payload})
    assert said(found) == [("customer", "Late!"), ("bot", "Hi")]
    assert [turn.event_id for turn in found] == ["9/1", "9/2"]
    of_account = [message | {"account_id": 3} for message in payload]
    assert {turn.conversation_id for turn in turns("chatwoot", {"payload": of_account})} == {"3/9"}  # as of a webhook


def test_twilio_sentences_with_their_transcript() -> None:
    first, second = turns("twilio-intelligence", vendor_object("twilio-intelligence"))
    assert (first.role, first.text, first.turn, first.occurred_at) == (
        "customer",
        "Good evening.",
        0,
        1_767_606_914_050,
    )
    assert (second.role, second.turn, second.occurred_at) == ("agent", 1, 1_767_606_914_050)
    assert (first.event_id, first.conversation_id) == ("GX" + "1" * 32, "GT" + "0" * 32)
    assert first.attributes["vendor_confidence"] == "0.91"


def test_twilio_sentences_alone_are_known_by_the_pages_address() -> None:
    value = vendor_object("twilio-intelligence")
    del value["transcript"]
    sid = "GT" + "c" * 32
    value["meta"]["url"] = f"https://intelligence.twilio.com/v2/Transcripts/{sid}/Sentences?PageSize=50"
    found = turns("twilio-intelligence", value, roles={"channel:2": "customer"})
    assert [(turn.conversation_id, turn.role) for turn in found] == [(sid, "customer"), (sid, "unknown")]


def test_twilio_conversations_webhook() -> None:
    [turn] = turns("twilio-conversations", vendor_object("twilio-conversations"))
    assert (turn.role, turn.text, turn.turn, turn.occurred_at) == ("customer", "Where is it?", 4, 1_767_606_914_250)
    assert turn.event_id == "IM" + "b" * 32


def test_twilio_conversations_stream_pages_and_other_events() -> None:
    data = {"ConversationSid": "CH1", "MessageSid": "IM1", "MessageBody": "Ahoy!", "Author": "system", "Index": 10}
    event = {"specversion": "1.0", "type": "com.twilio.conversations.message.added", "data": data}
    [turn] = turns("twilio-conversations", event)
    assert (turn.role, turn.text, turn.turn, turn.event_id) == ("system", "Ahoy!", 10, "CH1/IM1")
    page = {"messages": [{"sid": "IM1", "conversation_sid": "CH1", "body": "Hi", "author": "ann", "index": 3}]}
    [turn] = turns("twilio-conversations", page, roles={"ann": "agent"})
    assert (turn.role, turn.turn) == ("agent", 3)
    other = vendor_object("twilio-conversations") | {"EventType": "onParticipantAdded"}
    assert reading("twilio-conversations", other).left_out == {"event": 1}
    updated = vendor_object("twilio-conversations") | {"EventType": "onMessageUpdated"}
    assert reading("twilio-conversations", updated).left_out == {"repeated": 1}
