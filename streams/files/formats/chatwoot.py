"""Chatwoot: the webhook `message_created`, and a conversation's messages as the API gives them.

| Chatwoot | turn |
|---|---|
| `account.id` and `conversation.id`; of the API `account_id` and `conversation_id` | conversation_id |
| `id` | event_id |
| `content` (`content_attributes.email.text_content.reply` of a mail, which Chatwoot has cut) | text |
| `created_at`: ISO 8601, `2020-03-03 13:05:57 UTC`, or seconds since 1970 | occurred_at; of a webhook also turn |
| `message_type`: incoming (0) is the customer, outgoing (1) the agent, template (3) the bot | role |
| `conversation.channel`: `Channel::Email`, … | channel |
| `sender.name`, `sender.id` | attributes `speaker`, `speaker_id` |

An outgoing message whose sender is an `agent_bot` is the bot's. Messages with `private` are private; activities (2) are
events. `message_updated` repeats a message, and the other webhooks are events.
"""

from collections.abc import Mapping
from typing import Final

from schemas.records import Role
from streams.files.formats.conversation import Conversation, Utterance, conversation_id
from streams.files.formats.field import Field, has, lists
from streams.files.formats.roles import role_word
from streams.files.formats.times import moment
from streams.files.formats.turn import Hints, Reading
from streams.files.formats.words import channel_word

NAME: Final = "chatwoot"

_ROLES: Final[Mapping[str, Role]] = {
    "incoming": "customer", "0": "customer", "outgoing": "agent", "1": "agent", "template": "bot", "3": "bot",
}  # fmt: skip
_ACTIVITY: Final = frozenset({"activity", "2"})
_EVENTS: Final = ("message_", "conversation_", "webwidget_", "contact_", "inbox_")


def looks_like(value: object) -> bool:
    """Whether it is a webhook with an account, or a list of messages that have a type."""
    if has(value, ["event", "account"]):
        event = Field(value).at("event").value
        return isinstance(event, str) and event.startswith(_EVENTS)
    return any(has(entry, ["message_type", "content"]) for entry in lists(value, "payload"))


def read(value: object, hints: Hints) -> Reading:
    """The turn of one webhook, or the turns of one list. Raises FormatError."""
    document = Field(value).object()
    if not document.at("event").there:
        messages = document.at("payload").required().items()
        first = document.at("payload").first()
        listed = conversation_id(first.at("conversation_id"), hints, first.at("account_id").id())
        conversation = Conversation(NAME, hints, listed, channel="chat")
        for message in messages:
            _add(conversation, message)
        return conversation.reading()
    event = document.at("event").text()
    if event != "message_created":
        return Reading(left_out={"repeated" if event == "message_updated" else "event": 1})
    about = document.at("conversation")
    own = about.at("id")
    channel = channel_word(about.at("channel").text())
    conversation = Conversation(
        NAME,
        hints,
        conversation_id(own, hints, document.at("account").at("id").id()),
        channel="chat" if channel == "unknown" else channel,
        live=True,
    )
    _add(conversation, document)
    return conversation.reading()


def _add(conversation: Conversation, message: Field) -> None:
    kind = message.at("message_type").id()
    if message.at("private").flag():
        conversation.leave_out("private")
    elif kind in _ACTIVITY:
        conversation.leave_out("event")
    else:
        sender = message.at("sender")
        mail = message.at("content_attributes").at("email").at("text_content").at("reply")
        conversation.add(
            Utterance(
                text=mail.text() or message.at("content").text(),
                id=message.at("id").id(),
                at=moment(message.at("created_at")),
                role="bot" if sender.at("type").text() == "agent_bot" else role_word(kind, _ROLES),
                speaker=sender.at("name").text(),
                speaker_id=sender.at("id").id(),
            )
        )
