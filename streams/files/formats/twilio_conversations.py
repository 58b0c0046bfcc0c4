"""Twilio Conversations, on which Flex is built: webhooks (form fields as an object), event streams, pages of messages.

| Twilio | turn |
|---|---|
| `ConversationSid`, `ChannelSid` (Programmable Chat); `conversation_sid` | conversation_id |
| `MessageSid`; `sid` | event_id |
| `Body`, `MessageBody`; `body` | text |
| `Index`; `index` | turn |
| `DateCreated`; `date_created` | occurred_at |
| `Author`, `From`; `author`: `system`, a phone number or `whatsapp:+…` (the customer), else by the role map | role |
| `Source`: SMS and WHATSAPP are the customer's | role |
| `Author` | attribute `speaker_id` |

Webhooks other than `onMessageAdded` and `onMessageSent` are events; an update or a removal is repeated. The channel is
chat.
"""

import re
from typing import Final

from schemas.records import Role
from streams.files.formats.conversation import Conversation, Utterance, conversation_id
from streams.files.formats.field import Field, has, lists
from streams.files.formats.roles import role_word
from streams.files.formats.times import moment
from streams.files.formats.turn import Hints, Reading

NAME: Final = "twilio-conversations"

_ADDED: Final = frozenset({"onMessageAdded", "onMessageSent", "com.twilio.conversations.message.added"})
_REPEATED: Final = frozenset({"onMessageUpdated", "onMessageRemoved", "onMessageUpdate", "onMessageRemove"})
_ADDRESS: Final = re.compile(r"(?:[a-z]{2,20}:)?\+\d{5,17}")
_CUSTOMERS: Final = frozenset({"SMS", "WHATSAPP", "MESSENGER", "INSTAGRAM"})


def looks_like(value: object) -> bool:
    """Whether it is a webhook of a conversation, an event of the stream, or a page of messages."""
    if has(value, ["EventType"]) and (has(value, ["ConversationSid"]) or has(value, ["ChannelSid"])):
        return True
    if has(value, ["specversion", "type", "data"]):
        kind = Field(value).at("type").value
        return isinstance(kind, str) and kind.startswith("com.twilio.conversations.")
    return any(has(entry, ["conversation_sid", "body"]) for entry in lists(value, "messages"))


def read(value: object, hints: Hints) -> Reading:
    """The turn of one webhook or event, or the turns of one page. Raises FormatError."""
    document = Field(value).object()
    if document.at("messages").there:
        messages = document.at("messages").items()
        sid = document.at("messages").first().at("conversation_sid")
        page = Conversation(NAME, hints, conversation_id(sid, hints), channel="chat")
        for message in messages:
            page.add(_utterance(message))
        return page.reading()
    streamed = document.at("data").there
    event, data = (
        (document.at("type"), document.at("data").object()) if streamed else (document.at("EventType"), document)
    )
    kind = event.required().text()
    if kind not in _ADDED:
        return Reading(left_out={"repeated" if kind in _REPEATED else "event": 1})
    own = conversation_id(data.at("ConversationSid", "ChannelSid"), hints)
    conversation = Conversation(NAME, hints, own, channel="chat", live=True)
    conversation.add(_utterance(data))
    return conversation.reading()


def _utterance(message: Field) -> Utterance:
    author = message.at("Author", "From", "author").id()
    source = message.at("Source").id()
    return Utterance(
        text=message.at("Body", "MessageBody", "body").text(),
        id=message.at("MessageSid", "sid").id(),
        number=message.at("Index", "index").whole(),
        at=moment(message.at("DateCreated", "date_created")),
        role=_role(author, source),
        speaker_id=author,
    )


def _role(author: str, source: str) -> Role:
    if _ADDRESS.fullmatch(author) or source.upper() in _CUSTOMERS:
        return "customer"
    return role_word(author)
