"""SubRip captions.

| SRT | turn |
|---|---|
| (none; the caller's) | conversation_id |
| the caption's number | event_id |
| the caption's text, without tags | text |
| its start (`00:00:01,500`), from the start of the recording | occurred_at |
| `Name: ` at its head: as a word for a role, else by the role map | role, attribute `speaker` |

The channel is voice. Lines after a blank line belong to the caption before them, unless they have a time. With the
next caption's number at their head they are that caption, and left out as untimed.
"""

import re
from dataclasses import replace
from typing import Final

from streams.files.formats.captions import Cue, add_cues, blocks, cue
from streams.files.formats.conversation import Conversation, conversation_id
from streams.files.formats.error import FormatError
from streams.files.formats.field import Field
from streams.files.formats.turn import Hints, Reading

NAME: Final = "srt"

_BEGINS: Final = re.compile(r"\ufeff?\s*\d{1,9}[ \t]*(?:\r\n?|\n)\s*\d{1,4}:\d{1,2}:\d{1,2}[.,]\d{1,9}\s*-->")
_NUMBER: Final = re.compile(r"\d{1,9}", re.ASCII)


def looks_like(value: object) -> bool:
    """Whether it is a text that begins with a number and then a time."""
    return isinstance(value, str) and _BEGINS.match(value) is not None


def read(value: object, hints: Hints) -> Reading:
    """The turns of one file's text. Raises FormatError: it begins with no caption."""
    if not isinstance(value, str) or not looks_like(value):
        raise FormatError(
            "not SRT: it does not begin with a number, and then a time such as 00:00:01,500 --> 00:00:04,000"
        )
    conversation = Conversation(NAME, hints, conversation_id(Field(None), hints), channel="voice")
    cues: list[Cue] = []
    number = 0
    for block in blocks(Field(value).text()):
        found = cue(block)
        if found is not None:
            cues.append(found)
            number = int(found.id) if _NUMBER.fullmatch(found.id) else number + 1
        elif block[0].strip() == str(number + 1):
            conversation.leave_out("untimed")
            number += 1
        elif cues:
            cues[-1] = replace(cues[-1], lines=(*cues[-1].lines, *block))
    add_cues(conversation, cues, hints.roles)
    return conversation.reading()
