"""Captions, WebVTT or SRT, as cues: blocks of lines with a time, and who speaks in them."""

import html
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from schemas.records import Role
from streams.files.formats.conversation import Conversation, Utterance
from streams.files.formats.roles import role_word
from streams.files.formats.times import clock

TIMING: Final = re.compile(r"\s*(\d[\d:.,]{3,20})\s*-->\s*(\d[\d:.,]{3,20})(?:\s.*)?")
_VOICE: Final = re.compile(r"<v(?:\.[^\s<>]*)?\s++([^<>]*)>|(</v>)")
_TAG: Final = re.compile(
    r"</?(?:[cibu]|lang|ruby|rt|font|\d[\d:.]{0,20})(?:[.\s][^<>]*)?>|\{\\[a-z][^{}]*\}", re.IGNORECASE
)

# A name before a colon, as Zoom writes it: up to five words, no sentence.
_NAME: Final = re.compile(r"([^\W_](?:[\w.'’()&-]| (?=\S)){0,59}):[ \t]+(?=\S)")
_WORDS_OF_A_NAME: Final = 5

# Teams cuts an utterance into cues called `<guid>/12-0`, `<guid>/12-1`.
_PART: Final = re.compile(r"(.+/\d{1,9})-\d{1,9}")


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue: its id ("" for none), its times in milliseconds from the start, and its lines."""

    id: str
    begin: int
    end: int
    lines: tuple[str, ...]


def blocks(text: str) -> Iterator[list[str]]:
    """The runs of lines between blank lines; a byte order mark is left out, any kind of line end is one.

    A time begins a run of its own, with the number before it, also where no blank line parts it from what stands there.
    """
    block: list[str] = []
    for line in (
        text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd").split("\n")
    ):
        if not line.strip():
            if block:
                yield block
            block = []
        elif TIMING.fullmatch(line) and (before := _before_its_id(block)):
            yield before
            block = [*block[len(before) :], line]
        else:
            block.append(line)
    if block:
        yield block


def _before_its_id(block: list[str]) -> list[str]:
    """The lines of `block` that do not belong to the cue whose time follows: its id may be the last of them.

    A number is one where cues are numbered, and what stands alone is one whatever it is.
    """
    begins = TIMING.fullmatch(block[0]) if block else None
    has_id = bool(block) and not begins and (len(block) == 1 or block[-1].strip().isdecimal())
    return block[:-1] if has_id else block


def cue(block: list[str]) -> Cue | None:
    """The cue that a block is; None where neither of its first two lines is a time."""
    for place in (0, 1):
        match = TIMING.fullmatch(block[place]) if place < len(block) else None
        begin, end = (clock(match[1]), clock(match[2])) if match else (None, None)
        if begin is not None and end is not None:
            return Cue(block[0].strip() if place else "", begin, end, tuple(block[place + 1 :]))
    return None


def add_cues(conversation: Conversation, cues: list[Cue], roles: Mapping[str, Role]) -> None:
    """Adds the cues as utterances: a voice tag, or a name before a colon, says who speaks and begins a new one.

    A name counts where it says a role, where `roles` has it, where it occurs twice, or where half of the cues begin
    with one: elsewhere, as in "One thing: it broke", the colon is part of the text.
    """
    spoken = [(cue, who, text) for cue in cues for who, text in _voices(cue)]
    names = _names([text for _, who, text in spoken if not who], roles)
    found: list[Utterance] = []
    for each, tagged, line in spoken:
        match = None if tagged else _NAME.match(line)
        named = match is not None and match[1].lower() in names
        who, text = (match[1], line[match.end() :]) if match is not None and named else (tagged, line)
        part = _PART.fullmatch(each.id)
        utterance = Utterance(
            text=text,
            id=part[1] if part else each.id,
            offset=each.begin,
            duration=each.end - each.begin,
            role=role_word(who),
            speaker=who,
        )
        if part and found and (found[-1].id, found[-1].speaker) == (utterance.id, who):
            begun = found.pop()
            utterance = replace(begun, text=f"{begun.text} {text}".strip(), duration=each.end - (begun.offset or 0))
        found.append(utterance)
    for utterance in found:
        conversation.add(utterance)


def _voices(cue: Cue) -> Iterator[tuple[str, str]]:
    """Who speaks in a cue, "" where no tag says it, and what: a line that begins with a name is one of its own."""
    pieces = _VOICE.split("\n".join(cue.lines))
    names = ["", *(piece or "" for piece in pieces[1::3])]
    said = False
    for name, text in zip(names, pieces[::3], strict=True):
        plain = html.unescape(_TAG.sub("", text))
        for line in [plain] if name else _by_name(plain):
            if line.strip():
                said = True
                yield _one_line(html.unescape(name)), _one_line(line)
    if not said:
        yield "", ""  # a blank is counted


def _by_name(text: str) -> list[str]:
    said: list[list[str]] = []
    for line in text.split("\n"):
        if said and not _NAME.match(line.strip()):
            said[-1].append(line)
        else:
            said.append([line])
    return ["\n".join(lines) for lines in said]


def _names(texts: list[str], roles: Mapping[str, Role]) -> frozenset[str]:
    begins = [match[1].lower() for text in texts if (match := _NAME.match(text))]
    begins = [name for name in begins if len(name.split()) <= _WORDS_OF_A_NAME]
    if len(begins) > 1 and 2 * len(begins) >= len(texts):
        return frozenset(begins)
    counts = Counter(begins)
    return frozenset(
        name for name, count in counts.items() if count > 1 or name in roles or role_word(name) != "unknown"
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
