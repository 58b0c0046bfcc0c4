"""Formats that a description of a few lines is enough for: the built-in ones, and what a user's mapping file says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from schemas.records import Channel, Role
from streams.files.formats.conversation import Conversation, Utterance, conversation_id
from streams.files.formats.error import FormatError
from streams.files.formats.field import Field
from streams.files.formats.roles import role_word
from streams.files.formats.times import Unit, moment, offset
from streams.files.formats.turn import Hints, Reading, joined
from streams.files.formats.words import channel_word, language_tag

HERE: Final = "."
"""The path of the object itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """Where a vendor's object has what: dotted paths such as `call.segments`; None for what it does not have.

    `conversations` leads to a list of conversations, or is `HERE`: the object is one. The paths that begin with
    `conversation_` and `start` start at a conversation. `turns` leads from it to a list of turns, or is `HERE`: the
    object is one message. The other paths start at a turn. `channel` and `language` are said of all turns, where no
    path leads to them. `attributes` maps names of attributes to paths.
    """

    source: str
    turns: str
    text: str
    conversations: str = HERE
    conversation_id: str | None = None
    conversation_channel: str | None = None
    conversation_language: str | None = None
    start: str | None = None
    id: str | None = None
    number: str | None = None
    time: str | None = None
    offset: str | None = None
    offset_unit: Unit = "s"
    role: str | None = None
    speaker: str | None = None
    speaker_id: str | None = None
    channel_id: str | None = None
    turn_language: str | None = None
    final: str | None = None
    private: str | None = None
    html: bool = False
    channel: Channel = "unknown"
    language: str | None = None
    words: Mapping[str, Role] = field(default_factory=dict)  # for roles, in lower case, with _ for spaces
    attributes: Mapping[str, str] = field(default_factory=dict)


def read_described(description: Description, document: Field, hints: Hints) -> Reading:
    """The turns of an object as `description` says. Raises FormatError."""
    seen: set[str] = set()
    readings = []
    for found in _members(document, description.conversations):
        named = _at(found, description.conversation_id, f"{found.path}.id".lstrip("."))
        own = conversation_id(named, hints)
        if own in seen:
            raise FormatError("the id of another conversation in the same object, or none", named.path)
        seen.add(own)
        readings.append(_conversation(description, found, own, hints))
    return joined(readings)


def _conversation(description: Description, found: Field, own: str, hints: Hints) -> Reading:
    channel = channel_word(_at(found, description.conversation_channel).id())
    conversation = Conversation(
        description.source,
        hints,
        own,
        channel=description.channel if channel == "unknown" else channel,
        language=language_tag(_at(found, description.conversation_language).text()) or description.language,
        start=moment(_at(found, description.start)),
        live=description.turns == HERE,
    )
    for turn in _members(found, description.turns):
        if description.final is not None and not turn.follow(description.final).flag():
            conversation.leave_out("partial")
        elif description.private is not None and turn.follow(description.private).flag():
            conversation.leave_out("private")
        else:
            conversation.add(_utterance(description, turn))
    return conversation.reading()


def _utterance(description: Description, turn: Field) -> Utterance:
    role = _at(turn, description.role).id()
    speaker, speaker_id = _at(turn, description.speaker).text(), _at(turn, description.speaker_id).id()
    return Utterance(
        text=turn.follow(description.text).required().text(),
        id=_at(turn, description.id).id(),
        number=_at(turn, description.number).whole(),
        at=moment(_at(turn, description.time)),
        offset=offset(_at(turn, description.offset), description.offset_unit),
        role=role_word(role or speaker_id or speaker, description.words),
        speaker=speaker,
        speaker_id=speaker_id or role,
        channel_id=_at(turn, description.channel_id).id(),
        language=language_tag(_at(turn, description.turn_language).text()),
        html=description.html,
        attributes={name: turn.follow(path).plain() for name, path in description.attributes.items()},
    )


def _at(found: Field, path: str | None, name: str = "") -> Field:
    return Field(None, name) if path is None else found.follow(path)


def _members(found: Field, path: str) -> Iterable[Field]:
    return [found.object()] if path == HERE else found.follow(path).required().items()
