"""Zoom: webhooks of chat messages in meetings, webinars and Team Chat.

| Zoom | turn |
|---|---|
| `payload.object.uuid` of a meeting or webinar; `payload.object.session_id`, else `channel_id`, of Team Chat | conversation_id |
| `chat_message.message_id`; `object.id` of Team Chat | event_id |
| `chat_message.message_content`; `object.message` | text |
| `chat_message.date_time`; `object.date_time`; else `event_ts` | occurred_at, turn |
| `sender_name`, `operator` by the role map | role |
| `sender_name`, `sender_session_id`; `operator`, `operator_id` | attributes `speaker`, `speaker_id` |

Other webhooks are events. `recording.transcript_completed` only names a file, which is WebVTT. The channel is chat.
"""  # noqa: E501

from typing import Final

from streams.files.formats.conversation import Conversation, Utterance, conversation_id
from streams.files.formats.field import Field, has
from streams.files.formats.roles import role_word
from streams.files.formats.times import moment
from streams.files.formats.turn import Hints, Reading

NAME: Final = "zoom"

_IN_SESSION: Final = frozenset({"meeting.chat_message_sent", "webinar.chat_message_sent"})
_TEAM_CHAT: Final = "chat_message.sent"


def looks_like(value: object) -> bool:
    """Whether it is a webhook: an event with its time and a payload."""
    return has(value, ["event", "event_ts", "payload"]) and isinstance(Field(value).at("event").value, str)


def read(value: object, hints: Hints) -> Reading:
    """The turn of one webhook. Raises FormatError."""
    webhook = Field(value).object()
    event = webhook.at("event").required().text()
    about = webhook.at("payload").object().at("object")
    if event in _IN_SESSION:
        message = about.at("chat_message").object()
        own, text, number = about.at("uuid"), message.at("message_content"), message.at("message_id")
        name, speaker = message.at("sender_name").text(), message.at("sender_session_id").id()
    elif event == _TEAM_CHAT:
        message = about.object()
        own = about.at("session_id") if about.at("session_id").there else about.at("channel_id")
        text, number = about.at("message"), about.at("id")
        payload = webhook.at("payload")
        name, speaker = payload.at("operator").text(), payload.at("operator_id").id()
    else:
        return Reading(left_out={"event": 1})
    conversation = Conversation(NAME, hints, conversation_id(own, hints), channel="chat", live=True)
    conversation.add(
        Utterance(
            text=text.text(),
            id=number.id(),
            at=moment(message.at("date_time")) or moment(webhook.at("event_ts")),
            role=role_word(name),
            speaker=name,
            speaker_id=speaker,
        )
    )
    return conversation.reading()
