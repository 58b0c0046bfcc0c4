from tests.vendor_objects import reading, said, turns, vendor_object


def test_a_transcript_reads_all_of_its_parts_in_order_of_time() -> None:
    found = turns("genesys", vendor_object("genesys"))
    assert said(found) == [("customer", "Thank you."), ("system", "please hold"), ("agent", "bye")]
    assert [turn.turn for turn in found] == [1, 2, 3]
    assert found[0].occurred_at == 1_767_606_914_000
    assert [turn.event_id for turn in found] == ["c-1/m-1/t-1/0", "c-1/m-1/t-2/1", "c-1/m-1/t-2/0"]
    assert (found[0].channel, found[0].language, found[1].language) == ("voice", "en-US", None)


def test_a_sentiment_belongs_to_the_phrase_of_its_time_whatever_its_index() -> None:
    first, second, _ = turns("genesys", vendor_object("genesys"))
    assert first.attributes == {
        "speaker_id": "external", "duration_ms": "700", "vendor_sentiment": "0.75", "vendor_confidence": "0.9",
    }  # fmt: skip
    assert "vendor_sentiment" not in second.attributes


def test_a_notification_gives_what_is_final() -> None:
    found = reading("genesys-notification", vendor_object("genesys-notification"))
    [turn] = found.turns
    assert (turn.role, turn.text, turn.turn, turn.occurred_at) == ("customer", "My parcel.", 500, 1_767_606_914_500)
    assert (turn.event_id, turn.language) == ("c-1/u1", "en-US")
    assert found.left_out == {"partial": 1}


def test_a_notification_may_come_from_eventbridge_or_bare() -> None:
    body = vendor_object("genesys-notification")["eventBody"]
    enveloped = {"source": "aws.partner/genesys", "detail": {"topicName": "t", "eventBody": body}}
    assert turns("genesys-notification", enveloped) == turns("genesys-notification", body) != []


def test_a_notification_without_offsets_happened_when_it_says() -> None:
    value = vendor_object("genesys-notification")
    del value["eventBody"]["transcripts"][1]["alternatives"][0]["offsetMs"]
    del value["eventBody"]["transcripts"][1]["alternatives"][0]["decoratedTranscript"]
    [turn] = turns("genesys-notification", value)
    assert turn.text == "my parcel"
    assert turn.occurred_at == turn.turn == 1_767_606_920_000


def test_audiohook_gives_final_transcripts_from_iso_durations() -> None:
    found = reading("genesys-audiohook", vendor_object("genesys-audiohook"), base_ms=1_767_606_914_000)
    [turn] = found.turns
    assert (turn.role, turn.text, turn.turn) == ("customer", "I am waiting.", 1500)
    assert (turn.occurred_at, turn.attributes["duration_ms"]) == (1_767_606_915_500, "2000")
    assert (turn.event_id, turn.language, turn.channel) == ("session-9/e1", "en-US", "voice")
    assert found.left_out == {"partial": 1, "event": 1}
