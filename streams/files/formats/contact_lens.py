"""Amazon Connect Contact Lens, the analysis file after a call or chat; Amazon Connect's own file of a chat.

| Contact Lens | turn |
|---|---|
| `CustomerMetadata.ContactId`, `ContactId`, else the file's name up to `_analysis_` | conversation_id |
| `Transcript[].Id` | event_id |
| `Transcript[].Content` (HTML where `ContentType` is `text/html`) | text |
| `Transcript[].AbsoluteTime` (chat); `BeginOffsetMillis` from the start of the call | occurred_at |
| the start: the time in `CustomerMetadata.InputS3Uri` (`…_20220622T16:55_UTC.wav`), which is the recording's | |
| `Participants[].ParticipantRole` by `Transcript[].ParticipantId`; `Transcript[].ParticipantRole` | role |
| `Channel`; chat in a file that has it not | channel |
| `LanguageCode` | language |
| `Sentiment`, `DisplayName`, `EndOffsetMillis` | attributes `vendor_sentiment`, `speaker`, `duration_ms` |

Of a chat, joins, leaves, attachments and forms are events. The time in the name of the analysis file is when the
analysis was made, and so is no start.
"""

import re
from datetime import UTC, datetime
from typing import Final

from streams.files.formats.amazon import add_segment, participants
from streams.files.formats.conversation import Conversation, conversation_id
from streams.files.formats.field import Field, has, lists
from streams.files.formats.turn import Hints, Reading
from streams.files.formats.words import channel_word, language_tag

NAME: Final = "contact-lens"

_CONTACT: Final = re.compile(r"([0-9a-f-]{36})_analysis_", re.IGNORECASE)
_START: Final = re.compile(r"_(\d{8}T\d{2}:\d{2})_UTC\.", re.ASCII)


def looks_like(value: object) -> bool:
    """Whether it has a list `Transcript` beside the metadata of a contact."""
    if not has(value, ["Transcript", "Participants"]) or has(value, ["JobName"]):
        return False
    return has(value, ["CustomerMetadata"]) or any(
        has(entry, ["ParticipantId"]) for entry in lists(value, "Transcript")
    )


def read(value: object, hints: Hints) -> Reading:
    """The turns of one contact. Raises FormatError."""
    analysis = Field(value).object()
    metadata = analysis.at("CustomerMetadata")
    found = _CONTACT.search(hints.name)
    named = Field(
        metadata.at("ContactId").value or analysis.at("ContactId").value or (found[1] if found else None),
        "CustomerMetadata.ContactId",
    )
    is_chat = any(has(entry, ["AbsoluteTime"]) for entry in lists(value, "Transcript"))
    conversation = Conversation(
        NAME,
        hints,
        conversation_id(named, hints),
        channel=channel_word(analysis.at("Channel").text() or ("chat" if is_chat else "")),
        language=language_tag(analysis.at("LanguageCode").text()),
        start=_start(metadata.at("InputS3Uri").text()),
    )
    roles = participants(analysis)
    for entry in analysis.at("Transcript").required().items():
        add_segment(conversation, entry, roles)
    return conversation.reading()


def _start(uri: str) -> int | None:
    match = _START.search(uri)
    try:
        found = datetime.strptime(match[1], "%Y%m%dT%H:%M").replace(tzinfo=UTC) if match else None
    except ValueError:
        return None
    return None if found is None else round(found.timestamp() * 1000)
