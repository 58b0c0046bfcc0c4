"""Zendesk Support: a ticket with its comments, or the comments alone, as the API gives them.

| Zendesk | turn |
|---|---|
| `ticket.id`; `id` of a ticket that holds its `comments`; `ticket_id` | conversation_id |
| `comments[].id` | event_id |
| `comments[].plain_body`, else `html_body`, else `body` | text |
| `comments[].created_at` | occurred_at |
| `users[].role` by `author_id` (end-user is the customer); else `ticket.requester_id` is the customer's | role |
| `via.channel` of the comment, else of the ticket | channel |
| `users[].name`, `author_id` | attributes `speaker`, `speaker_id` |

Comments with `public: false` are private. A ticket's `description` repeats its first comment, and is read where there
is no list of comments. A trigger's webhook sends what its author wrote into it: describe that with a mapping file.
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

NAME: Final = "zendesk"

_ROLES: Final[Mapping[str, Role]] = {"end_user": "customer", "agent": "agent", "admin": "agent"}


def looks_like(value: object) -> bool:
    """Whether it has comments that have an author and say whether they are public, or is a ticket with a requester."""
    if any(has(entry, ["author_id"]) and has(entry, ["public"]) for entry in lists(value, "comments")):
        return True
    ticket = Field(value).at("ticket").value if isinstance(value, dict) else None
    return any(has(each, ["requester_id", "subject"]) for each in (value, ticket))


def read(value: object, hints: Hints) -> Reading:
    """The turns of one ticket. Raises FormatError."""
    document = Field(value).object()
    ticket = document.at("ticket") if document.at("ticket").there else document
    ticket_id = document.at("ticket_id") if document.at("ticket_id").there else ticket.at("id")
    channel = channel_word(ticket.at("via").at("channel").id())
    conversation = Conversation(
        NAME,
        hints,
        conversation_id(ticket_id, hints),
        channel=channel,
        open_ended=ticket.at("status").id() not in {"solved", "closed"},
    )
    people = {user.at("id").id(): user for user in document.at("users").items()}
    requester = ticket.at("requester_id").id()
    comments = document.at("comments") if document.at("comments").there else ticket.at("comments")
    for comment in comments.items():
        if comment.at("public").there and not comment.at("public").flag():
            conversation.leave_out("private")
            continue
        author = comment.at("author_id").id()
        role, name = _author(author, people, requester)
        plain, html = comment.at("plain_body"), comment.at("html_body")
        body = plain if plain.there else html if html.there else comment.at("body").required()
        conversation.add(
            Utterance(
                text=body.text(),
                id=comment.at("id").id(),
                at=moment(comment.at("created_at")),
                role=role,
                speaker=name,
                speaker_id=author,
                channel=channel_word(comment.at("via").at("channel").id()) if comment.at("via").there else None,
                html=body is html,
            )
        )
    if not comments.there:
        conversation.add(
            Utterance(
                text=ticket.at("description").required().text(),
                id="description",
                at=moment(ticket.at("created_at")),
                role="customer",
                speaker_id=requester,
            )
        )
    return conversation.reading()


def _author(author: str, people: Mapping[str, Field], requester: str) -> tuple[Role, str]:
    if author in people:
        person = people[author]
        return role_word(person.at("role").text(), _ROLES), person.at("name").text()
    return "customer" if author and author == requester else "unknown", ""
