"""AssemblyAI, a finished transcript.

| AssemblyAI | turn |
|---|---|
| `id` | conversation_id |
| the place in the list | event_id |
| `utterances[].text`; else the sentences of `sentiment_analysis_results[]`; else `text` | text |
| `start` in milliseconds from the start of the recording | occurred_at |
| `speaker` ("A", "B"), `channel` ("1"), by the role map; where speakers are identified, as a word for a role | role |
| `language_code` | language |
| `confidence`, `sentiment`, `end` | attributes `vendor_confidence`, `vendor_sentiment`, `duration_ms` |

The channel is voice. The webhook holds only `transcript_id` and `status`: the transcript is to be fetched by that id.
"""

from typing import Final

from streams.files.formats.conversation import Conversation, Utterance, conversation_id
from streams.files.formats.error import FormatError
from streams.files.formats.field import Field, has
from streams.files.formats.roles import role_word
from streams.files.formats.times import offset
from streams.files.formats.turn import Hints, Reading
from streams.files.formats.words import language_tag

NAME: Final = "assemblyai"


def looks_like(value: object) -> bool:
    """Whether it is a transcript with its status, or the webhook that announces one."""
    return (
        has(value, ["id", "status", "audio_url"])
        or has(value, ["id", "utterances"])
        or has(value, ["transcript_id", "status"])
    )


def read(value: object, hints: Hints) -> Reading:
    """The turns of one transcript. Raises FormatError: also where it is not completed."""
    transcript = Field(value).object()
    if has(value, ["transcript_id"]) and not has(value, ["text"]):
        raise FormatError("only the news that a transcript is ready; fetch the transcript by its transcript_id")
    if transcript.at("status").there and transcript.at("status").text() != "completed":
        raise FormatError("not completed: there is no transcript", "status")
    conversation = Conversation(
        NAME,
        hints,
        conversation_id(transcript.at("id"), hints),
        channel="voice",
        language=language_tag(transcript.at("language_code").text()),
    )
    found = transcript.at("utterances").items() or transcript.at("sentiment_analysis_results").items()
    for entry in found:
        conversation.add(_utterance(entry))
    if not found:
        conversation.add(Utterance(text=transcript.at("text").required().text(), offset=0))
    return conversation.reading()


def _utterance(entry: Field) -> Utterance:
    begin, end = offset(entry.at("start"), "ms"), offset(entry.at("end"), "ms")
    speaker = entry.at("speaker").id()
    return Utterance(
        text=entry.at("text").required().text(),
        offset=begin,
        duration=end - begin if begin is not None and end is not None else None,
        role=role_word(speaker),
        speaker_id=speaker,
        channel_id=entry.at("channel").id(),
        attributes={
            "vendor_confidence": entry.at("confidence").plain(),
            "vendor_sentiment": entry.at("sentiment").plain(),
        },
    )
