"""Deepgram, a message of a live stream.

| Deepgram | turn |
|---|---|
| `metadata.request_id` | conversation_id |
| `channel_index[0]` and the start | event_id |
| `channel.alternatives[0].transcript`, by speaker where its words have one | text |
| `start` in seconds from the start of the stream | occurred_at, turn |
| `channel_index[0]`, `speaker` (numbers), by the role map: `channel:0`, `speaker:0` | role |
| `channel.alternatives[0].languages[0]` | language |

Messages that are not `is_final` are left out: a later one repeats them. `Metadata`, `SpeechStarted` and `UtteranceEnd`
are events. The channel is voice.
"""

from dataclasses import replace
from typing import Final

from streams.files.formats.conversation import Conversation, conversation_id
from streams.files.formats.deepgram import spoken
from streams.files.formats.field import Field, has
from streams.files.formats.times import offset
from streams.files.formats.turn import Hints, Reading
from streams.files.formats.words import language_tag

NAME: Final = "deepgram-live"

_EVENTS: Final = frozenset({"Metadata", "SpeechStarted", "UtteranceEnd"})


def looks_like(value: object) -> bool:
    """Whether it is a message of a stream: its type, and what goes with it."""
    if has(value, ["type", "channel", "is_final"]):
        return Field(value).at("type").value == "Results"
    return (
        has(value, ["type"])
        and Field(value).at("type").plain() in _EVENTS
        and (has(value, ["channel"]) or has(value, ["request_id"]))
    )


def read(value: object, hints: Hints) -> Reading:
    """The final turns of one message. Raises FormatError."""
    message = Field(value).object()
    request = message.at("metadata").at("request_id")
    own = request if request.there else Field(message.at("request_id").value, request.path)
    conversation = Conversation(NAME, hints, conversation_id(own, hints), channel="voice", live=True)
    if message.at("type").required().text() in _EVENTS:
        conversation.leave_out("event")
    elif not message.at("is_final").flag():
        conversation.leave_out("partial")
    else:
        best = message.at("channel").object().at("alternatives").first().required()
        channel_id = message.at("channel_index").first().id()
        begin = offset(message.at("start"), "s")
        for utterance in spoken(best, channel_id, language_tag(best.at("languages").first().text())):
            conversation.add(utterance if utterance.offset is not None else replace(utterance, offset=begin))
    return conversation.reading()
