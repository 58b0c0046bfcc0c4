"""Amazon Transcribe Call Analytics: the file after a call, and the events of a stream.

| Transcribe | turn |
|---|---|
| `JobName`; of a stream `SessionId` | conversation_id |
| `Transcript[].Id`; `UtteranceEvent.UtteranceId` | event_id |
| `Transcript[].Content`; `UtteranceEvent.Transcript` | text |
| `BeginOffsetMillis` from the start of the call | occurred_at; of a stream also turn |
| `ParticipantRole` | role |
| `LanguageCode` | language |
| `Sentiment`, `EndOffsetMillis` | attributes `vendor_sentiment`, `duration_ms` |

Events with `IsPartial` are left out: a later event repeats them. The channel is voice.
"""

from typing import Final

from streams.files.formats.amazon import ROLES, add_segment, participants
from streams.files.formats.conversation import Conversation, Utterance, conversation_id
from streams.files.formats.field import Field, has
from streams.files.formats.roles import role_word
from streams.files.formats.times import offset
from streams.files.formats.turn import Hints, Reading
from streams.files.formats.words import language_tag

NAME: Final = "transcribe-call-analytics"


def looks_like(value: object) -> bool:
    """Whether it is a finished job of Call Analytics, or an event of its stream."""
    return (
        has(value, ["UtteranceEvent"])
        or has(value, ["UtteranceId", "IsPartial"])
        or (has(value, ["JobName", "Transcript"]) and has(value, ["JobStatus"]))
    )


def read(value: object, hints: Hints) -> Reading:
    """The turns of a job, or the final turn of an event. Raises FormatError."""
    analysis = Field(value).object()
    event = analysis.at("UtteranceEvent") if has(value, ["UtteranceEvent"]) else analysis
    live = event.at("UtteranceId").there
    conversation = Conversation(
        NAME,
        hints,
        conversation_id(analysis.at("SessionId" if live else "JobName"), hints),
        channel="voice",
        language=language_tag(analysis.at("LanguageCode").text()),
        live=live,
    )
    if live:
        _add_event(conversation, event)
    else:
        roles = participants(analysis)
        for entry in analysis.at("Transcript").required().items():
            add_segment(conversation, entry, roles)
    return conversation.reading()


def _add_event(conversation: Conversation, event: Field) -> None:
    if event.at("IsPartial").flag():
        conversation.leave_out("partial")
        return
    begin, end = (offset(event.at(f"{name}OffsetMillis"), "ms") for name in ("Begin", "End"))
    role = event.at("ParticipantRole").id()
    conversation.add(
        Utterance(
            text=event.at("Transcript").required().text(),
            id=event.at("UtteranceId").id(),
            offset=begin,
            duration=end - begin if begin is not None and end is not None else None,
            role=role_word(role, ROLES),
            speaker_id=role,
            attributes={"vendor_sentiment": event.at("Sentiment").plain()},
        )
    )
