"""Intercom: a conversation as the API gives it, and the webhooks of the topics `conversation.…`.

| Intercom | turn |
|---|---|
| `id` | conversation_id |
| `source.id`, `conversation_parts.conversation_parts[].id` | event_id |
| `body`, HTML | text |
| `created_at`, seconds since 1970 | occurred_at; of a webhook also turn |
| `author.type`: user, lead and contact are the customer, admin and team the agent, bot the bot | role |
| `source.type` | channel |
| `language_override` | language |
| `author.name`, `author.id` | attributes `speaker`, `speaker_id` |

Notifications of anything else are events. Notes are private; parts with no body, such as assignments, are events;
`redacted` parts are redacted. A webhook carries `source` every time: the first message is read from
`conversation.user.created` and `conversation.admin.single.created` only, so that it comes once.
"""

from collections.abc import Mapping
from typing import Final

from schemas.records import Role
from streams.files.formats.conversation import Conversation, Utterance, conversation_id
from streams.files.formats.field import Field, has
from streams.files.formats.roles import role_word
from streams.files.formats.times import epoch
from streams.files.formats.turn import Hints, Reading
from streams.files.formats.words import channel_word, language_tag

NAME: Final = "intercom"

_ROLES: Final[Mapping[str, Role]] = {
    "user": "customer", "lead": "customer", "contact": "customer", "admin": "agent", "team": "agent",
    "teammate": "agent", "bot": "bot", "operator": "bot", "ai_agent": "bot", "workflow": "system",
}  # fmt: skip
_CREATED: Final = frozenset({"conversation.user.created", "conversation.admin.single.created"})
_NOTES: Final = ("note", "note_and_reopen")


def looks_like(value: object) -> bool:
    """Whether it is a conversation, or a notification."""
    if has(value, ["topic", "data"]) and Field(value).at("type").value == "notification_event":
        return True
    found = _item(Field(value)).value if isinstance(value, dict) else None
    return (
        has(found, ["type"])
        and Field(found).at("type").value == "conversation"
        and (has(found, ["source"]) or has(found, ["conversation_parts"]))
    )


def read(value: object, hints: Hints) -> Reading:
    """The turns of one conversation, or the new ones of one notification. Raises FormatError."""
    envelope = Field(value).object()
    item = _item(envelope).object()
    live = item.path != ""
    if live and item.at("type").text() != "conversation":
        return Reading(left_out={"event": 1})
    source = item.at("source")
    if not item.at("conversation_parts").there:
        source.required()
    conversation = Conversation(
        NAME,
        hints,
        conversation_id(item.at("id"), hints),
        channel=channel_word(source.at("type").text()),
        language=language_tag(item.at("language_override").text()),
        live=live,
        open_ended=item.at("state").id() != "closed",
    )
    if source.there and (not live or envelope.at("topic").text() in _CREATED):
        _add(conversation, source, item.at("created_at"))
    for part in item.at("conversation_parts").at("conversation_parts").items():
        if part.at("part_type").text().startswith(_NOTES):
            conversation.leave_out("private")
        else:
            _add(conversation, part, part.at("created_at"))
    return conversation.reading()


def _item(envelope: Field) -> Field:
    data = envelope.at("data")
    return data.at("item") if isinstance(data.value, dict) and data.at("item").there else envelope


def _add(conversation: Conversation, part: Field, at: Field) -> None:
    body = part.at("body")
    if part.at("redacted").flag():
        conversation.leave_out("redacted")
    elif not body.there and part.at("part_type").text() not in {"comment", ""}:
        conversation.leave_out("event")
    else:
        author = part.at("author")
        conversation.add(
            Utterance(
                text=body.text(),
                id=part.at("id").id(),
                at=epoch(at, "s"),
                role=role_word(author.at("type").text(), _ROLES),
                speaker=author.at("name").text(),
                speaker_id=author.at("id").id(),
                html=True,
            )
        )
