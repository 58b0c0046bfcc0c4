"""What every format is read into."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from schemas.records import Channel, Role

LeftOut = Literal["blank", "event", "no speech", "partial", "private", "quoted", "redacted", "repeated", "untimed"]
"""Why something in an object is no turn: nothing was said; a join, a leave, an assignment; noise that a recogniser took
for words; a result that a final one replaces; an internal note; nothing but quoted mail; nothing but redaction marks;
the same words a second time; a caption without a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A turn of a conversation; its fields, but for `counted`, are those of `schemas.records.TranscriptEvent`.

    `event_id` is unique across conversations. `occurred_at` is UTC milliseconds. It is None where the object tells no
    time, or tells only offsets from a start that nobody knows: then the attribute `offset_ms` has the offset.
    """

    event_id: str
    conversation_id: str
    turn: int  # orders the conversation's turns; it need not count them
    text: str
    occurred_at: int | None
    role: Role = "unknown"
    channel: Channel = "unknown"
    language: str | None = None  # BCP 47
    source: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    last: bool = False  # whether the conversation is over with it
    counted: bool = False  # whether `turn` is its place in its object, from 1


@dataclass(frozen=True, slots=True)
class Reading:
    """The turns of one object, and how much of it is no turn."""

    turns: tuple[Turn, ...] = ()
    left_out: Mapping[LeftOut, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What the caller knows of an object, where the object itself does not say.

    `conversation_id` and `base_ms`, the start of the conversation in UTC milliseconds, are used where the vendor gives
    none; `is_named` says that whoever sends the object has chosen that id, which then goes before the vendor's. `name`
    is the file's name or the object's key in a bucket, in which some vendors put the start. `roles` says whose a
    speaker, name or channel is, see `roles.parse_roles`; it wins over what the vendor says.
    """

    conversation_id: str = ""
    is_named: bool = False
    base_ms: int | None = None
    name: str = ""
    roles: Mapping[str, Role] = field(default_factory=dict)


def joined(readings: Iterable[Reading]) -> Reading:
    """All the turns of `readings`, in order, and the sum of what was left out. A later turn replaces one of its id."""
    turns: dict[str, Turn] = {}
    left_out: Counter[LeftOut] = Counter()
    for reading in readings:
        left_out.update(reading.left_out)
        for turn in reading.turns:
            if turns.pop(turn.event_id, None) is not None:
                left_out["repeated"] += 1
            turns[turn.event_id] = turn
    return Reading(tuple(turns.values()), dict(left_out))


def endings(turns: Iterable[Turn]) -> set[str]:
    """The ids of the turns with which a conversation is over: one of each conversation that ends.

    Where several objects, such as a call's legs, each have a last turn, it is the latest of these in `turns`.
    """
    return set({turn.conversation_id: turn.event_id for turn in turns if turn.last}.values())
