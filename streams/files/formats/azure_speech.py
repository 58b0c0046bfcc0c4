"""Azure AI Speech, the result of a batch transcription (v3; v2, whose names are capitalised, too).

| Azure | turn |
|---|---|
| (none; the caller's: `source` may be any address) | conversation_id |
| the phrase's place | event_id |
| `recognizedPhrases[].nBest[0].display` | text |
| `offsetInTicks` (100 ns), else `offset` (`PT2.28S`), from the start of the recording | occurred_at |
| `channel` (0, 1), `speaker` (1, 2, …), by the role map: `channel:0`, `speaker:1` | role |
| `locale` | language |
| `nBest[0].confidence`, `nBest[0].sentiment`, `durationInTicks` | attributes `vendor_confidence`, `vendor_sentiment`, `duration_ms` |

Phrases whose `recognitionStatus` is not `Success` are left out as no speech. The channel is voice. `timestamp` is when the
transcription was made, and so is no start.
"""  # noqa: E501

from typing import Final

from streams.files.formats.conversation import Conversation, Utterance, conversation_id
from streams.files.formats.field import Field, has
from streams.files.formats.times import offset
from streams.files.formats.turn import Hints, Reading
from streams.files.formats.words import language_tag

NAME: Final = "azure-speech"


def looks_like(value: object) -> bool:
    """Whether it has recognised phrases."""
    return has(value, ["recognizedPhrases"]) or has(value, ["RecognizedPhrases"])


def read(value: object, hints: Hints) -> Reading:
    """The turns of one recording. Raises FormatError."""
    result = Field(value).object()
    conversation = Conversation(NAME, hints, conversation_id(Field(None), hints), channel="voice")
    for phrase in result.at("recognizedPhrases", "RecognizedPhrases").required().items():
        if phrase.at("recognitionStatus", "RecognitionStatus").text() not in {"Success", ""}:
            conversation.leave_out("no speech")
        else:
            conversation.add(_utterance(phrase))
    return conversation.reading()


def _utterance(phrase: Field) -> Utterance:
    best = phrase.at("nBest", "NBest").first()
    ticks = phrase.at("offsetInTicks", "OffsetInTicks")
    length = phrase.at("durationInTicks", "DurationInTicks")
    return Utterance(
        text=best.at("display", "Display").required().text(),
        offset=offset(ticks if ticks.there else phrase.at("offset", "Offset"), "ticks"),
        duration=offset(length if length.there else phrase.at("duration", "Duration"), "ticks"),
        speaker_id=phrase.at("speaker", "SpeakerId").id(),
        channel_id=phrase.at("channel", "ChannelNumber").id(),
        language=language_tag(phrase.at("locale").text()),
        attributes={
            "vendor_confidence": best.at("confidence", "Confidence").plain(),
            "vendor_sentiment": best.at("sentiment", "Sentiment").plain(),
        },
    )
