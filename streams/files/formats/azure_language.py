"""Azure AI Language, conversations as they are sent to be analysed.

| Azure | turn |
|---|---|
| `analysisInput.conversations[].id`, or `conversations[].id` | conversation_id |
| `conversationItems[].id` | event_id |
| `conversationItems[].text` | text |
| `conversationItems[].participantId` or `role`, as a word for a role, else by the role map | role |
| `modality`: transcript is voice, text is chat | channel |
| `language` | language |
"""

from typing import Final

from streams.files.formats.description import Description, read_described
from streams.files.formats.field import Field, has, lists
from streams.files.formats.turn import Hints, Reading

NAME: Final = "azure-language"

_DESCRIPTION: Final = Description(
    source=NAME,
    conversations="conversations",
    conversation_id="id",
    conversation_channel="modality",
    conversation_language="language",
    turns="conversationItems",
    text="text",
    id="id",
    role="role",
    speaker_id="participantId",
    turn_language="language",
)


def looks_like(value: object) -> bool:
    """Whether it has conversations with items, in the request's envelope or without."""
    found = _input(Field(value)).value if isinstance(value, dict) else None
    return any(has(entry, ["conversationItems"]) for entry in lists(found, "conversations"))


def read(value: object, hints: Hints) -> Reading:
    """The turns of all conversations of one request. Raises FormatError."""
    return read_described(_DESCRIPTION, _input(Field(value).object()), hints)


def _input(request: Field) -> Field:
    return request.at("analysisInput") if isinstance(request.at("analysisInput").value, dict) else request
