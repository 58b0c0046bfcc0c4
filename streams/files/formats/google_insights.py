"""Google CCAI Insights, a conversation as the API and the export give it.

| Google | turn |
|---|---|
| `name` | conversation_id |
| the place in the list | event_id |
| `transcript.transcriptSegments[].text` | text |
| `messageTime` | occurred_at |
| `segmentParticipant.role`: HUMAN_AGENT, AUTOMATED_AGENT, END_USER | role |
| `medium`: PHONE_CALL, CHAT | channel |
| `languageCode` of the segment, else of the conversation | language |
| `channelTag`, `segmentParticipant.userId`, `confidence`, `sentiment.score` | attributes `channel_id`, `speaker_id`, `vendor_confidence`, `vendor_sentiment_score` |
"""  # noqa: E501

from typing import Final

from streams.files.formats.description import Description, read_described
from streams.files.formats.field import Field, has
from streams.files.formats.turn import Hints, Reading

NAME: Final = "google-insights"

_DESCRIPTION: Final = Description(
    source=NAME,
    conversation_id="name",
    conversation_channel="medium",
    conversation_language="languageCode",
    turns="transcript.transcriptSegments",
    text="text",
    time="messageTime",
    role="segmentParticipant.role",
    speaker_id="segmentParticipant.userId",
    channel_id="channelTag",
    turn_language="languageCode",
    words={"human_agent": "agent", "automated_agent": "bot", "end_user": "customer", "any_agent": "agent"},
    attributes={"vendor_confidence": "confidence", "vendor_sentiment_score": "sentiment.score"},
)


def looks_like(value: object) -> bool:
    """Whether it is a conversation with a transcript of segments."""
    return has(value, ["transcript"]) and has(Field(value).at("transcript").value, ["transcriptSegments"])


def read(value: object, hints: Hints) -> Reading:
    """The turns of one conversation. Raises FormatError."""
    return read_described(_DESCRIPTION, Field(value).object(), hints)
