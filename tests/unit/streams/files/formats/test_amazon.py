from typing import Any

import pytest

from streams.files.formats.error import FormatError
from tests.vendor_objects import CONTACT, reading, said, turns, vendor_object

START_MS = 1_782_147_300_000  # 2026-06-22T16:55Z, as in the name of the recording


def test_contact_lens_is_sorted_by_time_from_the_start_that_the_recordings_name_tells() -> None:
    found = turns("contact-lens", vendor_object("contact-lens"))
    assert said(found) == [("agent", "Good morning."), ("customer", "Hi, [ID] here.")]
    assert [turn.turn for turn in found] == [1, 2]
    assert [turn.occurred_at for turn in found] == [START_MS + 100, START_MS + 2500]
    assert {turn.conversation_id for turn in found} == {CONTACT}
    assert (found[0].channel, found[0].language, found[0].source) == ("voice", "en-US", "contact-lens")
    assert found[1].attributes == {
        "speaker_id": "CUSTOMER", "duration_ms": "1500", "redactions": "1", "vendor_sentiment": "NEGATIVE",
    }  # fmt: skip


def test_contact_lens_counts_a_blank_turn() -> None:
    assert reading("contact-lens", vendor_object("contact-lens")).left_out == {"blank": 1}


def test_contact_lens_without_a_start_tells_offsets_and_no_time() -> None:
    value = vendor_object("contact-lens")
    del value["CustomerMetadata"]["InputS3Uri"]
    first = turns("contact-lens", value)[0]
    assert (first.occurred_at, first.attributes["offset_ms"]) == (None, "100")
    assert turns("contact-lens", value, base_ms=START_MS)[0].occurred_at == START_MS + 100


def test_contact_lens_takes_the_contact_from_the_files_name() -> None:
    value = vendor_object("contact-lens")
    del value["CustomerMetadata"]
    name = f"Analysis/Voice/2026/06/22/{CONTACT}_analysis_2026-06-22T17:30:00Z.json"
    [first, _] = turns("contact-lens", value, name=name)
    assert first.conversation_id == CONTACT
    assert first.occurred_at is None  # the name tells when the analysis was made, not when the call began


def test_contact_lens_keeps_ids_that_repeat_apart() -> None:
    value = vendor_object("contact-lens")
    for entry in value["Transcript"]:
        entry["Id"] = "the same"
    assert [turn.event_id for turn in turns("contact-lens", value)] == [f"{CONTACT}/the same~2", f"{CONTACT}/the same"]


def test_contact_lens_chat_has_moments_html_and_participants_whose_ids_are_no_roles() -> None:
    value: dict[str, Any] = {
        "Channel": "CHAT",
        "CustomerMetadata": {"ContactId": CONTACT},
        "Participants": [{"ParticipantId": "p9", "ParticipantRole": "CUSTOM_BOT"}],
        "Transcript": [
            {"Id": "m1", "ParticipantId": "p9", "Content": "<p>Hi &amp; welcome</p>", "ContentType": "text/html",
             "AbsoluteTime": "2026-01-05T09:55:14.250Z", "DisplayName": "Botty"},
        ],
    }  # fmt: skip
    [turn] = turns("contact-lens", value)
    assert (turn.role, turn.text, turn.channel) == ("bot", "Hi & welcome", "chat")
    assert turn.occurred_at == 1_767_606_914_250
    assert turn.attributes["speaker"] == "Botty"


def test_realtime_takes_transcripts_and_not_the_utterances_that_they_repeat() -> None:
    found = reading("contact-lens-realtime", vendor_object("contact-lens-realtime"))
    assert said(list(found.turns)) == [("agent", "Good morning.")]
    assert found.left_out == {"partial": 1, "event": 1}


def test_realtime_tells_channel_language_and_what_it_lacks() -> None:
    value = vendor_object("contact-lens-realtime")
    [turn] = turns("contact-lens-realtime", value)
    assert (turn.channel, turn.language) == ("voice", "en-US")
    with pytest.raises(FormatError, match=r"^Segments: is missing$"):
        turns("contact-lens-realtime", {"ContactId": CONTACT})


def test_realtime_orders_by_the_offset_so_that_records_that_come_one_by_one_sort() -> None:
    value = vendor_object("contact-lens-realtime")
    assert [turn.turn for turn in turns("contact-lens-realtime", value)] == [100]
    assert [turn.event_id for turn in turns("contact-lens-realtime", value)] == [f"{CONTACT}/t1"]


def test_realtime_replaces_a_transcript_that_comes_twice() -> None:
    value = vendor_object("contact-lens-realtime")
    again = {"Transcript": value["Segments"][1]["Transcript"] | {"Content": "Good evening."}}
    value["Segments"].append(again)
    found = reading("contact-lens-realtime", value)
    assert said(list(found.turns)) == [("agent", "Good evening.")]
    assert found.left_out["repeated"] == 1


@pytest.mark.parametrize("kind", ["STARTED", "COMPLETED", "FAILED"])
def test_realtime_records_without_segments_have_no_turns(kind: str) -> None:
    assert turns("contact-lens-realtime", {"EventType": kind, "ContactId": CONTACT}) == []


def test_call_analytics_reads_a_job() -> None:
    [turn] = turns("transcribe-call-analytics", vendor_object("transcribe-call-analytics"))
    assert (turn.event_id, turn.conversation_id, turn.role, turn.channel) == ("job-7/a", "job-7", "customer", "voice")
    assert turn.language == "en-GB"
    assert turn.attributes == {
        "speaker_id": "CUSTOMER", "duration_ms": "980", "vendor_sentiment": "NEGATIVE", "offset_ms": "10",
    }  # fmt: skip


def test_call_analytics_stream_leaves_partial_events_out() -> None:
    event = {"UtteranceId": "u", "IsPartial": True, "ParticipantRole": "AGENT", "BeginOffsetMillis": 40,
             "EndOffsetMillis": 90, "Transcript": "It is", "Sentiment": "NEUTRAL"}  # fmt: skip
    assert reading("transcribe-call-analytics", {"UtteranceEvent": event}).left_out == {"partial": 1}
    [turn] = turns("transcribe-call-analytics", {"SessionId": "s", "UtteranceEvent": event | {"IsPartial": False}})
    assert (turn.conversation_id, turn.turn, turn.role, turn.text) == ("s", 40, "agent", "It is")


def test_pca_takes_roles_from_the_labels_and_the_rest_from_the_role_map() -> None:
    found = turns("amazon-pca", vendor_object("amazon-pca"), roles={"spk_1": "customer"})
    assert said(found) == [("agent", "Hello."), ("customer", "It is late.")]
    assert [turn.role for turn in turns("amazon-pca", vendor_object("amazon-pca"))] == ["agent", "unknown"]
    assert (found[0].conversation_id, found[0].event_id) == ("call-12", "call-12/#0")
    assert {turn.language for turn in found} == {"en-US"}
    assert [turn.occurred_at for turn in found] == [1_767_620_114_256, 1_767_620_116_216]
    assert found[0].attributes == {
        "speaker": "Agent", "speaker_id": "spk_0", "duration_ms": "1210", "vendor_sentiment_score": "2.5",
    }  # fmt: skip


def test_pca_without_a_guid_is_known_by_its_job() -> None:
    value = vendor_object("amazon-pca")
    value["ConversationAnalytics"]["GUID"] = "None"
    assert turns("amazon-pca", value)[0].conversation_id == "one.mp3"


def test_an_error_names_the_place_and_not_what_stands_there() -> None:
    value = vendor_object("contact-lens")
    value["Transcript"][1]["Content"] = ["a customer's words"]
    with pytest.raises(FormatError, match=r"^Transcript\[1\]\.Content: a list, where a text is expected$"):
        turns("contact-lens", value)
    del value["Transcript"][1]["Content"]
    with pytest.raises(FormatError, match=r"^Transcript\[1\]\.Content: is missing$"):
        turns("contact-lens", value)


def test_joins_attachments_and_forms_of_a_chat_are_events() -> None:
    at = "2026-01-05T09:55:14.735Z"
    joined = "application/vnd.amazonaws.connect.event.participant.joined"
    form = "application/vnd.amazonaws.connect.message.interactive"
    chat = {
        "AWSAccountId": "111122223333",
        "Version": "2019-08-26",
        "ContactId": CONTACT,
        "Participants": [{"ParticipantId": "p1"}],
        "Transcript": [
            {"AbsoluteTime": at, "ContentType": joined, "Id": "a", "Type": "EVENT", "ParticipantId": "p1",
             "ParticipantRole": "CUSTOMER"},
            {"AbsoluteTime": at, "ContentType": "text/plain", "Id": "b", "Type": "MESSAGE", "ParticipantId": "p1",
             "ParticipantRole": "CUSTOMER", "DisplayName": "Jo", "Content": "It is late."},
            {"AbsoluteTime": at, "Id": "c", "Type": "ATTACHMENT", "ParticipantId": "p1", "Attachments": []},
            {"AbsoluteTime": at, "ContentType": form, "Id": "d", "Type": "MESSAGE", "ParticipantId": "p2",
             "ParticipantRole": "SYSTEM", "Content": "{}"},
        ],
    }  # fmt: skip
    found = reading("contact-lens", chat)
    [turn] = found.turns
    assert (turn.role, turn.text, turn.channel, turn.conversation_id) == ("customer", "It is late.", "chat", CONTACT)
    assert turn.occurred_at == 1_767_606_914_735
    assert found.left_out == {"event": 3}
