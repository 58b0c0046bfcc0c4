"""Zendesk event subscriptions: webhooks of the types `zen:event-type:…` of tickets and of messaging.

| Zendesk | turn |
|---|---|
| `detail.id`, the ticket's; of a message `event.conversation_id` | conversation_id |
| `event.comment.id`; `event.message.id` | event_id |
| `event.comment.body`; `event.message.body` | text |
| `time` | occurred_at, turn |
| `event.comment.author.is_staff`: the agent, else the customer; `event.actor.type`: end_user, agent, system | role |
| `detail.via.channel`; of a message chat | channel |
| `author.name`, `author.id`; `actor.name`, `actor.id` | attributes `speaker`, `speaker_id` |

`ticket.comment_added` and `messaging_ticket.message_added` are read, the others are events. Comments with `is_public:
false` are private. `zd:answerBot` is the bot. Formats: https://developer.zendesk.com/api-reference/webhooks/event-types/.
"""

from typing import Final

from streams.files.formats.conversation import Conversation, Utterance, conversation_id
from streams.files.formats.field import Field, has
from streams.files.formats.roles import role_word
from streams.files.formats.times import moment
from streams.files.formats.turn import Hints, Reading
from streams.files.formats.words import channel_word

NAME: Final = "zendesk-events"

_TYPE: Final = "zen:event-type:"


def looks_like(value: object) -> bool:
    """Whether it is an event of a subscription."""
    kind = Field(value).at("type").value if has(value, ["type", "event", "detail"]) else None
    return isinstance(kind, str) and kind.startswith(_TYPE)


def read(value: object, hints: Hints) -> Reading:
    """The turn of one event. Raises FormatError."""
    webhook = Field(value).object()
    kind = webhook.at("type").required().text().removeprefix(_TYPE)
    detail, event = webhook.at("detail").object(), webhook.at("event").object()
    if kind == "ticket.comment_added":
        comment = event.at("comment").object()
        own = conversation_id(detail.at("id"), hints)
        conversation = Conversation(
            NAME, hints, own, channel=channel_word(detail.at("via").at("channel").id()), live=True
        )
        if comment.at("is_public").there and not comment.at("is_public").flag():
            conversation.leave_out("private")
            return conversation.reading()
        author = comment.at("author")
        said, role = comment, "agent" if author.at("is_staff").flag() else "customer"
    elif kind == "messaging_ticket.message_added":
        said, author = event.at("message").object(), event.at("actor")
        own = conversation_id(event.at("conversation_id"), hints)
        conversation = Conversation(NAME, hints, own, channel="chat", live=True)
        role = "bot" if author.at("id").id().lower() == "zd:answerbot" else author.at("type").text()
    else:
        return Reading(left_out={"event": 1})
    conversation.add(
        Utterance(
            text=said.at("body").required().text(),
            id=said.at("id").id(),
            at=moment(webhook.at("time")),
            role=role_word(role),
            speaker=author.at("name").text(),
            speaker_id=author.at("id").id(),
        )
    )
    return conversation.reading()
