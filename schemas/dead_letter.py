"""What a dead letter looks like: its headers, the marks that say what became of it, and what a redriven record bears.

All three stand in headers, for a letter's key and value are the original record's, untouched:

- a *letter* ends with eight headers of ours, the original's own before them;
- a *mark* is a record of `dead-letters` with no headers but its four, which name a letter by its place in the topic;
- a *redriven record* is the original with two headers of ours at its end.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

from schemas.errors import UsageError
from schemas.topics import TOPICS

Header = tuple[str, bytes | None]
Action = Literal["redriven", "dropped"]
State = Literal["open", "redriven", "dropped"]

ATTEMPTS: Final = "edgewise-attempts"  # how often the record has been tried: on letters and on redriven records
LETTER: Final = "edgewise-letter"  # PARTITION:OFFSET of a letter: on marks and on redriven records

# In this order, at a letter's end. `edgewise-attempts` came later than the rest: letters from before have seven.
ORIGIN_HEADERS: Final = (
    "edgewise-reason",
    "edgewise-detail",
    "edgewise-topic",
    "edgewise-partition",
    "edgewise-offset",
    "edgewise-timestamp",
    "edgewise-agent",
)
LETTER_HEADERS: Final = (*ORIGIN_HEADERS, ATTEMPTS)
REDRIVEN_HEADERS: Final = (ATTEMPTS, LETTER)
MARK_HEADERS: Final = ("edgewise-mark", LETTER, "edgewise-by", "edgewise-why")

_NUMBER = re.compile(rb"-?[0-9]{1,18}")  # fits 64 bits
_MOST_ATTEMPTS = 10**9  # whoever feeds the line may have written the header


class LetterId(NamedTuple):
    """A letter's place in `dead-letters`: what it is known by."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "LetterId | None":
        """`0:17` as an id; None where the text is none."""
        found = re.fullmatch(r"([0-9]{1,9}):([0-9]{1,18})", text, re.ASCII)
        return cls(int(found[1]), int(found[2])) if found else None


class Mark(NamedTuple):
    """What was done with a letter: when (UTC ms), by whom, and why where it was said."""

    letter: LetterId
    action: Action
    at_ms: int
    by: str
    why: str

    @property
    def headers(self) -> tuple[Header, ...]:
        """The mark as it is written."""
        values = (self.action, str(self.letter), self.by, self.why)
        return tuple((name, text.encode(errors="replace")) for name, text in zip(MARK_HEADERS, values, strict=True))


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter without its bytes: where from, why, how often tried, and what was done with it so far."""

    id: LetterId
    at_ms: int  # UTC, when it became one
    reason: str
    detail: str
    topic: str  # where from, without the prefix
    partition: int
    offset: int
    timestamp_ms: int
    agent: str
    attempts: int
    size: int | None  # bytes of the value; None where there is none
    before: LetterId | None  # the letter that it was redriven from
    marks: tuple[Mark, ...] = ()

    @property
    def state(self) -> State:
        """`open` until something was done with it; then the latest of that."""
        return self.marks[-1].action if self.marks else "open"

    @property
    def origin(self) -> str:
        """Where the record stood, as `verify` writes it."""
        return f"{self.topic}[{self.partition}]@{self.offset}"

    def marked(self, marks: Sequence[Mark]) -> "Letter":
        """This letter with these marks."""
        return replace(self, marks=tuple(marks))


def attempts(headers: Sequence[Header]) -> int:
    """How often the record with these headers was tried before: 0 for one that was never redriven.

    Only what redriving writes counts, in its place at the end: a producer may give a header of the same name.
    """
    if not (_ends_with(headers, LETTER_HEADERS) or redriven_from(headers) is not None):
        return 0
    return min(max(0, _number(dict(headers).get(ATTEMPTS)) or 0), _MOST_ATTEMPTS)


def redriven_from(headers: Sequence[Header]) -> LetterId | None:
    """The dead letter that the record with these headers was, by its last two; None for one that was not redriven."""
    if not _ends_with(headers, REDRIVEN_HEADERS):
        return None
    return LetterId.parse((headers[-1][1] or b"").decode(errors="replace"))


def original_headers(headers: Sequence[Header]) -> tuple[Header, ...]:
    """The headers that the record of a letter came with at first, without what letters and redriving added."""
    return _without(_inner(headers), REDRIVEN_HEADERS)


def redriven_headers(headers: Sequence[Header], letter: Letter) -> tuple[Header, ...]:
    """The headers to redrive `letter` with, whose own are `headers`."""
    added = (str(letter.attempts).encode(), str(letter.id).encode())
    return (*original_headers(headers), *zip(REDRIVEN_HEADERS, added, strict=True))


def read_letter(
    place: LetterId, at_ms: int, size: int | None, headers: Sequence[Header], prefix: str
) -> Letter | Mark | None:
    """The record of `dead-letters` at `place` as what it is; None where it is neither a letter nor a mark of ours."""
    if not _is_letter(headers):
        return _mark(at_ms, headers)
    values = dict(headers)  # of a name given twice the last one counts, which is ours
    reason, detail, topic, agent = (
        (values[name] or b"").decode(errors="replace")
        for name in ("edgewise-reason", "edgewise-detail", "edgewise-topic", "edgewise-agent")
    )
    partition, offset, timestamp = (
        _number(values[name]) for name in ("edgewise-partition", "edgewise-offset", "edgewise-timestamp")
    )
    ours = topic.startswith(prefix) and topic.removeprefix(prefix) in TOPICS
    if not ours or partition is None or offset is None or timestamp is None:
        return None
    inner = _inner(headers)
    return Letter(
        id=place,
        at_ms=at_ms,
        reason=reason,
        detail=detail,
        topic=topic.removeprefix(prefix),
        partition=partition,
        offset=offset,
        timestamp_ms=timestamp,
        agent=agent,
        # A worker from before that header existed does not count, but passes on what redriving wrote.
        attempts=attempts(headers) if _ends_with(headers, LETTER_HEADERS) else attempts(inner) + 1,
        size=size,
        before=redriven_from(inner),
    )


def parse_place(text: str) -> "LetterId | tuple[str, int, int]":
    """`0:17`, a letter's id, or `transcripts[3]@41`, where its record stood. Raises UsageError."""
    if (letter := LetterId.parse(text)) is not None:
        return letter
    found = re.fullmatch(r"([a-z-]+)\[([0-9]{1,9})\]@([0-9]{1,18})", text, re.ASCII)
    if found is None:
        raise UsageError(
            f"{text!r} names no dead letter: give its id as `edgewise dead-letters list` shows it, such as 0:17, or "
            "where its record stood, as `edgewise verify` shows it, such as transcripts[3]@41"
        )
    return found[1], int(found[2]), int(found[3])


def _is_letter(headers: Sequence[Header]) -> bool:
    return _ends_with(headers, LETTER_HEADERS) or _ends_with(headers, ORIGIN_HEADERS)


def _inner(headers: Sequence[Header]) -> tuple[Header, ...]:
    """The headers of a letter's record as it was when it failed: without ours, once."""
    return _without(headers, LETTER_HEADERS if _ends_with(headers, LETTER_HEADERS) else ORIGIN_HEADERS)


def _mark(at_ms: int, headers: Sequence[Header]) -> Mark | None:
    if tuple(name for name, _ in headers) != MARK_HEADERS:
        return None
    action, letter, by, why = ((value or b"").decode(errors="replace") for _, value in headers)
    id_ = LetterId.parse(letter)
    if id_ is None or action not in {"redriven", "dropped"}:
        return None
    return Mark(id_, "redriven" if action == "redriven" else "dropped", at_ms, by, why)


def _ends_with(headers: Sequence[Header], names: Sequence[str]) -> bool:
    return [name for name, _ in headers[-len(names) :]] == list(names)


def _without(headers: Sequence[Header], names: Sequence[str]) -> tuple[Header, ...]:
    """`headers` without those at the end, if it is these that stand there."""
    return tuple(headers[: -len(names)] if _ends_with(headers, names) else headers)


def _number(value: bytes | None) -> int | None:
    return int(value) if value is not None and _NUMBER.fullmatch(value) else None
