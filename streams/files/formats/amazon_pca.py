"""Amazon Transcribe Post Call Analytics (aws-samples), its own parsed files.

| PCA | turn |
|---|---|
| `ConversationAnalytics.GUID`, unless it is `None`; else the job's `TranscriptionJobName` | conversation_id |
| the segment's place | event_id |
| `SpeechSegments[].DisplayText` | text |
| `ConversationAnalytics.ConversationTime` and `SegmentStartTime` in seconds | occurred_at |
| `SpeakerLabels[].DisplayText` by `SegmentSpeaker` (`spk_0`), as a word for a role, else by the role map | role |
| `ConversationAnalytics.LanguageCode` | language |
| `SentimentScore`, `SegmentEndTime` | attributes `vendor_sentiment_score`, `duration_ms` |

`ConversationTime` has no zone, and is taken for UTC. The channel is voice.
"""

from typing import Final

from streams.files.formats.conversation import Conversation, Utterance, conversation_id
from streams.files.formats.field import Field, has
from streams.files.formats.roles import role_word
from streams.files.formats.times import moment, offset
from streams.files.formats.turn import Hints, Reading
from streams.files.formats.words import language_tag

NAME: Final = "amazon-pca"


def looks_like(value: object) -> bool:
    """Whether it has speech segments beside the analytics of a conversation."""
    return has(value, ["ConversationAnalytics", "SpeechSegments"])


def read(value: object, hints: Hints) -> Reading:
    """The turns of one call. Raises FormatError."""
    document = Field(value).object()
    analytics = document.at("ConversationAnalytics").object()
    guid = analytics.at("GUID")
    source = analytics.at("SourceInformation").first().at("TranscribeJobInfo").at("TranscriptionJobName")
    conversation = Conversation(
        NAME,
        hints,
        conversation_id(guid if guid.id() not in {"", "None"} else source, hints),
        channel="voice",
        language=language_tag(analytics.at("LanguageCode").text()),
        start=moment(analytics.at("ConversationTime")),
    )
    names = {
        label.at("Speaker").id(): label.at("DisplayText").text() for label in analytics.at("SpeakerLabels").items()
    }
    for segment in document.at("SpeechSegments").required().items():
        speaker = segment.at("SegmentSpeaker").id()
        begin, end = offset(segment.at("SegmentStartTime"), "s"), offset(segment.at("SegmentEndTime"), "s")
        conversation.add(
            Utterance(
                text=segment.at("DisplayText", "OriginalText").required().text(),
                offset=begin,
                duration=end - begin if begin is not None and end is not None else None,
                role=role_word(names.get(speaker, "")),
                speaker=names.get(speaker, ""),
                speaker_id=speaker,
                attributes={"vendor_sentiment_score": segment.at("SentimentScore").plain()},
            )
        )
    return conversation.reading()
