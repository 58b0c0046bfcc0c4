"""Genesys AudioHook: an event message with entities of the type `transcript`.

| AudioHook | turn |
|---|---|
| `id` of the message, which is the session's | conversation_id |
| `parameters.entities[].data.id` | event_id |
| `data.alternatives[0].interpretations[]` of the type `display`, its `transcript` | text |
| `data.offset` (`PT1.23S`) from the start of the session | occurred_at, turn |
| `data.channelId`: external is the customer, internal the agent | role |
| `data.alternatives[0].languages[0]` | language |
| `confidence`, `duration` | attributes `vendor_confidence`, `duration_ms` |

Entities that are not final are left out.
"""

from typing import Final

from streams.files.formats.conversation import Conversation, Utterance, conversation_id
from streams.files.formats.field import Field, has
from streams.files.formats.genesys import ROLES
from streams.files.formats.roles import role_word
from streams.files.formats.times import offset
from streams.files.formats.turn import Hints, Reading
from streams.files.formats.words import language_tag

NAME: Final = "genesys-audiohook"


def looks_like(value: object) -> bool:
    """Whether it is an event message with entities."""
    return has(value, ["parameters", "type"]) and has(Field(value).at("parameters").value, ["entities"])


def read(value: object, hints: Hints) -> Reading:
    """The final turns of one message. Raises FormatError."""
    message = Field(value).object()
    conversation = Conversation(NAME, hints, conversation_id(message.at("id"), hints), channel="voice", live=True)
    for entity in message.at("parameters").at("entities").required().items():
        data = entity.at("data")
        if entity.at("type").text() != "transcript":
            conversation.leave_out("event")
        elif not data.at("isFinal").flag():
            conversation.leave_out("partial")
        else:
            conversation.add(_utterance(data.object()))
    return conversation.reading()


def _utterance(data: Field) -> Utterance:
    best = data.at("alternatives").first()
    shown = best.at("interpretations").items()
    display = next(
        (entry for entry in shown if entry.at("type").text() == "display"), best.at("interpretations").first()
    )
    channel = data.at("channelId").id()
    return Utterance(
        text=display.at("transcript").required().text(),
        id=data.at("id").id(),
        offset=offset(data.at("offset"), "s"),
        duration=offset(data.at("duration"), "s"),
        role=role_word(channel, ROLES),
        speaker_id=channel,
        language=language_tag(best.at("languages").first().text()),
        attributes={"vendor_confidence": best.at("confidence").plain()},
    )
