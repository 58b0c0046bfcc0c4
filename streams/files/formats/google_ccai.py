"""Google CCAI Insights, the file that is put into a bucket to be analysed.

| Google | turn |
|---|---|
| (none; the caller's) | conversation_id |
| the place in the list | event_id |
| `entries[].text` | text |
| `entries[].start_timestamp_usec`, microseconds since 1970, or, where it is small, from the start | occurred_at |
| `entries[].role`: AGENT, AUTOMATED_AGENT, CUSTOMER, END_USER | role |
| `entries[].user_id` | attribute `speaker_id` |
"""

from typing import Final

from schemas.validation import EARLIEST_MS
from streams.files.formats.conversation import Conversation, Utterance, conversation_id
from streams.files.formats.field import Field, has, lists
from streams.files.formats.roles import role_word
from streams.files.formats.times import epoch, offset
from streams.files.formats.turn import Hints, Reading

NAME: Final = "google-ccai"

_EARLIEST_US: Final = EARLIEST_MS * 1000


def looks_like(value: object) -> bool:
    """Whether it has entries with a text beside a time or a role."""
    entries = lists(value, "entries")
    return any(has(entry, ["text", "start_timestamp_usec"]) or has(entry, ["text", "role"]) for entry in entries)


def read(value: object, hints: Hints) -> Reading:
    """The turns of one file. Raises FormatError."""
    document = Field(value).object()
    conversation = Conversation(NAME, hints, conversation_id(Field(None), hints))
    for entry in document.at("entries").required().items():
        at = entry.at("start_timestamp_usec")
        since_1970 = (at.number() or 0) >= _EARLIEST_US
        conversation.add(
            Utterance(
                text=entry.at("text").required().text(),
                at=epoch(at, "us") if since_1970 else None,
                offset=None if since_1970 else offset(at, "us"),
                role=role_word(entry.at("role").text()),
                speaker_id=entry.at("user_id").id(),
            )
        )
    return conversation.reading()
