"""Amazon Connect Contact Lens, segments of a running contact, as the Kinesis stream and the API give them.

| Contact Lens | turn |
|---|---|
| `ContactId` | conversation_id |
| `Segments[].Transcript.Id` | event_id |
| `Segments[].Transcript.Content` | text |
| `Segments[].Transcript.Time.AbsoluteTime` (chat); `BeginOffsetMillis` from the start of the call | occurred_at, turn |
| `Segments[].Transcript.ParticipantRole` | role |
| `Channel` | channel |
| `LanguageCode` | language |
| `Sentiment`, `EndOffsetMillis` | attributes `vendor_sentiment`, `duration_ms` |

`Utterance`s are parts of a later `Transcript`, word for word: they are left out as partial. `Categories`, `Event`,
`Attachments`, `Issues` and summaries are events; records `STARTED`, `COMPLETED` and `FAILED` hold no segment.
"""

from typing import Final

from streams.files.formats.amazon import add_segment, participants
from streams.files.formats.conversation import Conversation, conversation_id
from streams.files.formats.field import Field, has, lists
from streams.files.formats.turn import Hints, Reading
from streams.files.formats.words import channel_word, language_tag

NAME: Final = "contact-lens-realtime"

_KINDS: Final = frozenset(
    {"Utterance", "Transcript", "Categories", "PostContactSummary", "Attachments", "Event", "Issues"}
)


def looks_like(value: object) -> bool:
    """Whether it is a record of the stream, or a list of its one-key segments."""
    if has(value, ["EventType", "ContactId"]):
        return True
    segments = lists(value, "Segments")
    return any(isinstance(entry, dict) and len(entry) == 1 and _KINDS & entry.keys() for entry in segments)


def read(value: object, hints: Hints) -> Reading:
    """The final turns of one record. Raises FormatError."""
    record = Field(value).object()
    conversation = Conversation(
        NAME,
        hints,
        conversation_id(record.at("ContactId"), hints),
        channel=channel_word(record.at("Channel").text()),
        language=language_tag(record.at("LanguageCode").text()),
        live=True,
    )
    if not record.at("EventType").there:
        record.at("Segments").required()
    roles = participants(record)
    for segment in record.at("Segments").items():
        if segment.at("Transcript").there:
            add_segment(conversation, segment.at("Transcript"), roles)
        else:
            conversation.leave_out("partial" if segment.at("Utterance").there else "event")
    return conversation.reading()
