import pytest

from streams.files.formats.error import FormatError
from streams.files.formats.registry import recognise
from tests.vendor_objects import reading, said, turns, vendor_object

REQUEST = "a847f427-4ad5-4d67-9b95-db801e58251c"


def test_deepgram_utterances_by_time_with_the_language_of_their_channel() -> None:
    roles = {"channel:0": "agent", "channel:1": "customer"}
    found = turns("deepgram", vendor_object("deepgram"), roles=roles)
    assert said(found) == [("agent", "Hello there."), ("customer", "My parcel.")]
    assert [turn.language for turn in found] == ["en", "es"]
    assert found[1].attributes == {
        "speaker_id": "0", "channel_id": "1", "duration_ms": "750", "vendor_confidence": "0.9",
        "vendor_sentiment": "negative", "vendor_sentiment_score": "-0.5", "offset_ms": "2250",
    }  # fmt: skip
    assert found[1].event_id == f"{REQUEST}/u-2"


def test_deepgram_paragraphs_words_or_the_whole_where_there_are_no_utterances() -> None:
    value = vendor_object("deepgram")
    paragraph = {"start": 1, "end": 2, "speaker": 1, "sentences": [{"text": "It broke."}, {"text": "Again."}]}
    words = [{"word": "hi", "start": 3, "end": 4, "speaker": 0}, {"word": "ho", "start": 4, "end": 5, "speaker": 1}]
    value["results"] = {
        "channels": [
            {"alternatives": [{"transcript": "x", "paragraphs": {"transcript": "x", "paragraphs": [paragraph]}}]},
            {"alternatives": [{"transcript": "x", "words": words}]},
            {"alternatives": [{"transcript": "all of it"}]},
        ]
    }
    found = turns("deepgram", value, roles={"speaker:1": "customer"})
    assert [(turn.role, turn.text) for turn in found] == [
        ("customer", "It broke. Again."), ("unknown", "hi"), ("customer", "ho"), ("unknown", "all of it"),
    ]  # fmt: skip
    assert [turn.attributes["channel_id"] for turn in found] == ["0", "1", "1", "2"]


def test_deepgram_names_the_utterance_that_lacks_its_text() -> None:
    value = vendor_object("deepgram")
    value["results"]["utterances"] = [{}]
    with pytest.raises(FormatError, match=r"^results\.utterances\[0\]\.transcript: is missing$"):
        turns("deepgram", value)


def test_deepgram_live_gives_final_results_by_speaker() -> None:
    found = turns("deepgram-live", vendor_object("deepgram-live"), roles={"0": "agent", "1": "customer"})
    assert said(found) == [("agent", "Hello."), ("customer", "my parcel")]
    assert [(turn.turn, turn.event_id) for turn in found] == [(3500, "r-1/0@3500"), (4000, "r-1/0@4000")]
    assert reading("deepgram-live", vendor_object("deepgram-live") | {"is_final": False}).left_out == {"partial": 1}
    event = {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 3.1}
    assert reading("deepgram-live", event).left_out == {"event": 1}


def test_assemblyai_has_milliseconds_and_marks() -> None:
    first, second = turns("assemblyai", vendor_object("assemblyai"), roles={"a": "agent"}, base_ms=1_767_606_914_000)
    assert (first.role, first.text, first.occurred_at) == ("agent", "Hello.", 1_767_606_914_250)
    assert (second.role, second.text, second.attributes["redactions"]) == ("unknown", "My name is [ID].", "2")
    assert (first.event_id, first.language) == ("tr-1/#0", "en-US")
    assert first.attributes == {
        "speaker_id": "A", "channel_id": "1", "duration_ms": "650", "vendor_confidence": "0.97",
    }  # fmt: skip


def test_assemblyai_without_speakers_is_read_by_sentence_or_as_one_turn() -> None:
    value = vendor_object("assemblyai") | {"utterances": None}
    assert [turn.text for turn in turns("assemblyai", value)] == ["Hello. My name is [ID]."]
    value["sentiment_analysis_results"] = [{"text": "Hello.", "start": 1, "end": 2, "sentiment": "NEUTRAL"}]
    [turn] = turns("assemblyai", value)
    assert (turn.text, turn.attributes["vendor_sentiment"]) == ("Hello.", "NEUTRAL")


def test_assemblyai_says_what_a_webhook_and_a_failed_transcript_lack() -> None:
    with pytest.raises(FormatError, match="fetch the transcript by its transcript_id"):
        turns("assemblyai", {"transcript_id": "x", "status": "completed"})
    with pytest.raises(FormatError, match=r"^status: not completed"):
        turns("assemblyai", vendor_object("assemblyai") | {"status": "error"})


def test_whisper_drops_what_it_holds_for_no_speech() -> None:
    found = reading("whisper", vendor_object("whisper"))
    assert said(list(found.turns)) == [("unknown", "Hello."), ("customer", "It broke.")]
    assert found.left_out == {"no speech": 1}
    assert [turn.event_id for turn in found.turns] == ["given/0", "given/2"]
    assert {turn.language for turn in found.turns} == {"en"}


def test_whisper_keeps_an_unlikely_segment_that_is_speech() -> None:
    value = vendor_object("whisper")
    value["segments"][1]["no_speech_prob"] = 0.6
    assert len(turns("whisper", value)) == 3


def test_whisper_without_segments_is_one_turn() -> None:
    assert [turn.text for turn in turns("whisper", {"text": "It broke.", "segments": []})] == ["It broke."]


def test_azure_speech_reads_ticks_and_durations_and_drops_what_was_not_recognised() -> None:
    found = reading(
        "azure-speech", vendor_object("azure-speech"), roles={"speaker:1": "agent", "channel:1": "customer"}
    )
    assert said(list(found.turns)) == [("agent", "Hello."), ("customer", "It broke.")]
    assert [turn.attributes["offset_ms"] for turn in found.turns] == ["40", "62500"]
    assert [turn.attributes["duration_ms"] for turn in found.turns] == ["2180", "1000"]
    assert found.left_out == {"no speech": 1}


def test_azure_speech_of_version_2_has_capitals() -> None:
    phrase = {
        "RecognitionStatus": "Success",
        "ChannelNumber": "0",
        "OffsetInTicks": 10_000,
        "NBest": [{"Display": "Hi."}],
    }
    [turn] = turns("azure-speech", {"RecognizedPhrases": [phrase]})
    assert (turn.text, turn.attributes["offset_ms"], turn.attributes["channel_id"]) == ("Hi.", "1", "0")


def test_azure_language_has_several_conversations_and_no_times() -> None:
    found = turns("azure-language", vendor_object("azure-language"))
    assert said(found) == [("agent", "Hello."), ("customer", "It broke."), ("customer", "Kaputt.")]
    assert [turn.event_id for turn in found] == ["k1/1", "k1/2", "k2/1"]
    assert [(turn.turn, turn.channel, turn.language) for turn in found] == [
        (1, "chat", "en"), (2, "chat", "en"), (1, "voice", "de"),
    ]  # fmt: skip
    assert all(turn.occurred_at is None and "offset_ms" not in turn.attributes for turn in found)


def test_two_conversations_of_one_id_are_not_merged() -> None:
    value = vendor_object("azure-language")
    value["analysisInput"]["conversations"][1]["id"] = "k1"
    with pytest.raises(FormatError, match=r"^analysisInput\.conversations\[1\]\.id: the id of another conversation"):
        turns("azure-language", value)


def test_google_entries_have_microseconds_or_small_offsets() -> None:
    value = vendor_object("google-ccai")
    assert said(turns("google-ccai", value)) == [("bot", "Hello."), ("customer", "I am late.")]
    assert turns("google-ccai", value)[1].occurred_at == 1_767_606_915_000
    value["entries"][0]["start_timestamp_usec"] = 1_000_000
    value["entries"][1]["start_timestamp_usec"] = 5_000_000
    first, second = turns("google-ccai", value, base_ms=1_767_606_914_000)
    assert (first.occurred_at, second.occurred_at) == (1_767_606_915_000, 1_767_606_919_000)


def test_google_insights_reads_segments() -> None:
    [turn] = turns("google-insights", vendor_object("google-insights"))
    assert (turn.role, turn.channel, turn.language, turn.occurred_at) == ("agent", "voice", "en-US", 1_767_606_915_123)
    assert turn.conversation_id == "projects/p/locations/l/conversations/7"
    assert turn.attributes == {
        "speaker_id": "77", "channel_id": "2", "vendor_confidence": "0.9", "vendor_sentiment_score": "0.25",
    }  # fmt: skip


def test_whisperx_has_segments_and_words_and_no_text_of_them_all() -> None:
    segments = [{"start": 0.0, "end": 1.0, "text": " Late.", "words": [], "speaker": "SPEAKER_00"}]
    value = {"segments": segments, "word_segments": [], "language": "en"}
    assert recognise(value) == "whisper"
    [turn] = turns("whisper", value, roles={"speaker_00": "customer"})
    assert (turn.role, turn.text, turn.language) == ("customer", "Late.", "en")
    assert recognise({"segments": segments}) is None


def test_deepgram_s_own_sentiment_goes_with_its_paragraphs() -> None:
    paragraph = {
        "sentences": [{"text": "Late."}],
        "start": 1,
        "end": 2,
        "sentiment": "negative",
        "sentiment_score": -0.5,
    }
    alternative = {"transcript": "Late.", "paragraphs": {"paragraphs": [paragraph]}}
    results = {"channels": [{"alternatives": [alternative]}]}
    [turn] = turns("deepgram", {"metadata": {"request_id": REQUEST}, "results": results})
    assert (turn.attributes["vendor_sentiment"], turn.attributes["vendor_sentiment_score"]) == ("negative", "-0.5")
