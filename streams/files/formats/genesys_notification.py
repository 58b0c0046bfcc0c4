"""Genesys Cloud: notifications of the topic `v2.conversations.{id}.transcription`, by websocket or EventBridge.

| Genesys | turn |
|---|---|
| `conversationId` | conversation_id |
| `transcripts[].utteranceId` | event_id |
| `transcripts[].alternatives[0].decoratedTranscript`, else `transcript` | text |
| `sessionStartTimeMs` and `alternatives[0].offsetMs`, else `eventTime` | occurred_at; turn is `offsetMs` |
| `transcripts[].channel`: EXTERNAL is the customer, INTERNAL the agent | role |
| `transcripts[].dialect` | language |
| `confidence`, `durationMs` | attributes `vendor_confidence`, `duration_ms` |

Utterances that are not final are left out. The object may stand under `eventBody` or `detail.eventBody`.
"""

from typing import Final

from streams.files.formats.conversation import Conversation, Utterance, conversation_id
from streams.files.formats.field import Field, has, lists
from streams.files.formats.genesys import ROLES
from streams.files.formats.roles import role_word
from streams.files.formats.times import epoch, moment, offset
from streams.files.formats.turn import Hints, Reading
from streams.files.formats.words import language_tag

NAME: Final = "genesys-notification"


def looks_like(value: object) -> bool:
    """Whether it is a notification with transcripts, in its envelope or without."""
    body = _body(Field(value)).value if isinstance(value, dict) else None
    utterances = lists(body, "transcripts")
    return has(body, ["conversationId"]) and any(has(entry, ["alternatives"]) for entry in utterances)


def read(value: object, hints: Hints) -> Reading:
    """The final turns of one notification. Raises FormatError."""
    body = _body(Field(value).object()).object()
    conversation = Conversation(
        NAME,
        hints,
        conversation_id(body.at("conversationId"), hints),
        channel="voice",
        start=epoch(body.at("sessionStartTimeMs"), "ms"),
        live=True,
    )
    at = moment(body.at("eventTime"))
    for utterance in body.at("transcripts").required().items():
        if not utterance.at("isFinal").flag():
            conversation.leave_out("partial")
            continue
        best = utterance.at("alternatives").first()
        begin = offset(best.at("offsetMs"), "ms")
        channel = utterance.at("channel").id()
        conversation.add(
            Utterance(
                text=best.at("decoratedTranscript").text() or best.at("transcript").required().text(),
                id=utterance.at("utteranceId").id(),
                at=at if begin is None else None,
                offset=begin,
                duration=offset(best.at("durationMs"), "ms"),
                role=role_word(channel, ROLES),
                speaker_id=channel,
                language=language_tag(utterance.at("dialect").text()),
                attributes={"vendor_confidence": best.at("confidence").plain()},
            )
        )
    return conversation.reading()


def _body(envelope: Field) -> Field:
    detail = envelope.at("detail") if isinstance(envelope.at("detail").value, dict) else envelope
    return detail.at("eventBody") if isinstance(detail.at("eventBody").value, dict) else envelope
