"""WebVTT (W3C), as Zoom, Teams and most recognisers write it.

| WebVTT | turn |
|---|---|
| (none; the caller's) | conversation_id |
| the cue's identifier, else its place | event_id |
| the cue's text, without tags | text |
| the cue's start, from the start of the recording | occurred_at |
| `<v Name>` (Teams), `Name: ` at its head (Zoom), as a word for a role, else by the role map | role; `speaker` |
| `Language:` in the header | language |

A cue in which two voices speak is two turns; the cues of one utterance of Teams (`…/12-0`, `…/12-1`) are one. The
channel is voice. Comments, styles and regions are passed over; a block without a time is left out as untimed.
"""

import re
from typing import Final

from streams.files.formats.captions import TIMING, add_cues, blocks, cue
from streams.files.formats.conversation import Conversation, conversation_id
from streams.files.formats.error import FormatError
from streams.files.formats.field import Field
from streams.files.formats.turn import Hints, Reading
from streams.files.formats.words import language_tag

NAME: Final = "webvtt"

_SIGNATURE: Final = re.compile(r"\ufeff?WEBVTT(?:[ \t\r\n]|$)")


def looks_like(value: object) -> bool:
    """Whether it is a text with WebVTT's signature."""
    return isinstance(value, str) and _SIGNATURE.match(value) is not None


def read(value: object, hints: Hints) -> Reading:
    """The turns of one file's text. Raises FormatError: it has no signature."""
    if not isinstance(value, str) or not looks_like(value):
        raise FormatError("not WebVTT: the first line is not WEBVTT")
    header, *rest = blocks(Field(value).text())
    language = next((line.partition(":")[2] for line in header if line.lower().startswith("language:")), "")
    conversation = Conversation(
        NAME, hints, conversation_id(Field(None), hints), channel="voice", language=language_tag(language)
    )
    timed = next((place for place, line in enumerate(header) if place and TIMING.fullmatch(line)), None)
    cues = []
    for block in [header[timed:] if timed else [], *rest]:
        found = cue(block)
        if found is not None:
            cues.append(found)
        elif block and not re.match(r"(?:NOTE|STYLE|REGION)(?:\s|$)", block[0]):
            conversation.leave_out("untimed")
    add_cues(conversation, cues, hints.roles)
    return conversation.reading()
