"""Zendesk Messaging (Sunshine Conversations v2): webhooks, and a conversation's messages as the API gives them.

| Zendesk Messaging | turn |
|---|---|
| `events[].payload.conversation.id`; of the API the caller's | conversation_id |
| `message.id` | event_id |
| `message.content.text` (HTML in `htmlText` alone) | text |
| `message.received` | occurred_at; of a webhook also turn |
| `message.author.type`: user is the customer, business the agent, or the bot, see below | role |
| `message.author.displayName`, `message.author.userId` | attributes `speaker`, `speaker_id` |

A bot is who has the subtype `AI`, or whose `message.source.type` is `zd:answerBot` or `ultimate`; `zd:surveys` is the
system. Events other than `conversation:message` and content without text are left out as events. The channel is chat.
"""

from collections.abc import Mapping
from typing import Final

from schemas.records import Role
from streams.files.formats.conversation import Conversation, Utterance, conversation_id
from streams.files.formats.field import Field, has, lists
from streams.files.formats.roles import role_word
from streams.files.formats.times import moment
from streams.files.formats.turn import Hints, Reading, joined

NAME: Final = "zendesk-messaging"

_ROLES: Final[Mapping[str, Role]] = {"user": "customer", "business": "agent"}

# What `message.source.type` says of messages of the author `business` that no person wrote.
_SOURCES: Final[Mapping[str, Role]] = {"zd:answerBot": "bot", "ultimate": "bot", "zd:surveys": "system"}


def looks_like(value: object) -> bool:
    """Whether it is a webhook with events, or a list of messages whose authors have a type."""
    if has(value, ["app", "events"]) or any(has(entry, ["payload", "type"]) for entry in lists(value, "events")):
        return True
    messages = [entry for entry in lists(value, "messages") if has(entry, ["author", "content"])]
    return any(isinstance(entry, dict) and has(entry["author"], ["type"]) for entry in messages)


def read(value: object, hints: Hints) -> Reading:
    """The turns of one webhook or list. Raises FormatError."""
    document = Field(value).object()
    if not document.at("events").there:
        conversation = Conversation(NAME, hints, conversation_id(Field(None), hints), channel="chat")
        for message in document.at("messages").required().items():
            _add(conversation, message)
        return conversation.reading()
    return joined(_event(event, hints) for event in document.at("events").items())


def _event(event: Field, hints: Hints) -> Reading:
    if event.at("type").text() != "conversation:message":
        return Reading(left_out={"event": 1})
    payload = event.at("payload").object()
    own = conversation_id(payload.at("conversation").at("id"), hints)
    conversation = Conversation(NAME, hints, own, channel="chat", live=True)
    _add(conversation, payload.at("message").object())
    return conversation.reading()


def _add(conversation: Conversation, message: Field) -> None:
    content = message.at("content")
    html = content.at("htmlText") if not content.at("text").there else Field(None)
    text = html.text() or content.at("text").text()
    if not text:
        conversation.leave_out("event")
        return
    author = message.at("author")
    role = role_word(author.at("type").text(), _ROLES)
    if role == "agent":
        written_by = "bot" if any(kind.text() == "AI" for kind in author.at("subtypes").items()) else role
        role = _SOURCES.get(message.at("source").at("type").id(), written_by)
    conversation.add(
        Utterance(
            text=text,
            id=message.at("id").id(),
            at=moment(message.at("received")),
            role=role,
            speaker=author.at("displayName").text(),
            speaker_id=author.at("userId").id(),
            html=html.there,
        )
    )
