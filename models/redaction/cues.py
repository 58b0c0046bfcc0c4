"""Cues: the words that say what a number or a name beside them is."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from models.redaction.kinds import KINDS, Kind
from models.redaction.vocabulary import has, phrases, word_list

_PHRASES: Final[dict[Kind | None, list[str]]] = {kind: phrases(f"cues.{kind}") for kind in KINDS if has(f"cues.{kind}")}
# What says only that a number follows; how long it is decides what it is taken for.
_PHRASES[None] = phrases("cues.ANY")


class Cue(NamedTuple):
    """A cue at tokens `first` to `after` (exclusive). `kind` is None where it says only that a number follows."""

    first: int
    after: int
    kind: Kind | None


_BY_FIRST_WORD: Final[dict[str, list[tuple[tuple[str, ...], Kind | None]]]] = {}
for _kind, _phrases in _PHRASES.items():
    for _phrase in _phrases:
        _head, *_tail = _phrase.split()
        _BY_FIRST_WORD.setdefault(_head, []).append((tuple(_tail), _kind))
for _entries in _BY_FIRST_WORD.values():
    _entries.sort(key=lambda entry: -len(entry[0]))

CUE_WORDS: Final = frozenset(_BY_FIRST_WORD)
"""The first words of all cues."""

_PHRASE_LISTS = [phrase.split() for each in _PHRASES.values() for phrase in each]
_COMMON = frozenset(word_list("cues.common"))
CUE_GATE: Final = frozenset(
    max(phrase[::-1], key=lambda word: (word not in _COMMON, len(word))) for phrase in _PHRASE_LISTS
)
"""A word of each cue, the longest that is not common: a text without any of them has no cue."""


def cues(words: Sequence[str]) -> list[Cue]:
    """The cues among `words`, in order, the longest phrase at each place."""
    found: list[Cue] = []
    index = 0
    while index < len(words):
        after = index + 1
        word = words[index]
        entries = _BY_FIRST_WORD.get(word)
        if entries is None and word[-2:] == "'s":
            entries = _BY_FIRST_WORD.get(word[:-2])
        for tail, kind in entries or ():
            end = index + 1 + len(tail)
            if not tail or tuple(words[index + 1 : end]) == tail:
                found.append(Cue(index, end, kind))
                after = end
                break
        index = after
    return found


def joined(found: list[Cue], words: Sequence[str]) -> list[Cue]:
    """`found` with neighbours made one.

    "account" and "ending in" are one cue of an account, "pin on the card" is one of a PIN.
    """
    result: list[Cue] = []
    for cue in found:
        if result and result[-1].kind and cue.kind and _belongs(words[result[-1].after : cue.first]):
            result[-1] = result[-1]._replace(after=cue.after)
            continue
        if result and result[-1].after == cue.first and (cue.kind is None or result[-1].kind is None):
            last = result.pop()
            cue = Cue(last.first, cue.after, last.kind or cue.kind)  # noqa: PLW2901 - one of the two
        result.append(cue)
    return result


def _belongs(gap: Sequence[str]) -> bool:
    """Whether "on the", "for my" or the like is between two cues: the first is what is told of."""
    return (
        1 < len(gap) < 3
        and gap[0] in {"on", "for", "of", "to"}
        and gap[1] in {"the", "my", "your", "this", "that", "our"}
    )
