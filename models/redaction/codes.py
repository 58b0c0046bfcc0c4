"""Codes of letters and digits in groups: "booking number er 25 sv", and a text that ends with nothing else."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from models.redaction.cues import CUE_WORDS, Cue
from models.redaction.dates import DATE_WORDS
from models.redaction.kinds import SHAPE, Finding, Kind
from models.redaction.runs import CURRENCY, SHORT_WORDS, UNIT_WORDS
from models.redaction.spoken import HESITATIONS
from models.redaction.tokens import Tokens
from models.redaction.vocabulary import word_list

_KINDS: Final[frozenset[Kind | None]] = frozenset({"REFERENCE", "PASSWORD", "ACCOUNT", "USERNAME", "CARD"})
_LINKS: Final = frozenset(word_list("codes.links"))
# A single letter begins cues such as "c v v", and is a part of codes all the same.
_CUES: Final = frozenset(word for word in CUE_WORDS if len(word) > 1 or not word.isalpha())
_NOT_PARTS: Final = (
    UNIT_WORDS | CURRENCY | _CUES | frozenset(word_list("codes.not_parts") + word_list("credentials.never_last"))
)
# What comes before a code that is all of an answer.
_LEADS: Final = _LINKS | HESITATIONS | frozenset(word_list("codes.leads"))
_VOWELS: Final = frozenset("aeiouy")
_LONGEST_GROUP = 6
_MANY_DIGITS = 4  # a single letter before or behind so many is no "a" or "i"
_GROUPS = 6


def codes(tokens: Tokens, found: list[Cue]) -> Iterator[Finding]:
    """The codes that follow a cue of `found`: groups of letters that have digits before or after them."""
    words = tokens.words
    for start in _starts(words):
        if _is_code(words[start:]):
            yield Finding(tokens.starts[start], tokens.ends[-1], "REFERENCE", "".join(words[start:]), SHAPE)
            break
    for cue in found:
        if cue.kind not in _KINDS or cue.kind is None:
            continue
        first = cue.after
        while first < len(words) and first - cue.after < 5 and words[first] in _LINKS:
            first += 1
        after = first
        while after < len(words) and after - first < _GROUPS and _is_part(words, after):
            after += 1
        group = words[first:after]
        digits = sum(len(word) for word in group if word.isdigit())
        if digits > 1 and any(word.isalpha() for word in group):
            yield Finding(tokens.starts[first], tokens.ends[after - 1], cue.kind, "".join(group))


def _starts(words: list[str]) -> list[int]:
    """Where a code that ends a text may begin: with the text, behind "sorry it was", or behind "and"."""
    led = 0
    while led < len(words) and words[led] in _LEADS:
        led += 1
    behind = [at + 1 for at in range(max(0, len(words) - 1 - _GROUPS), len(words) - 1) if words[at] == "and"]
    return sorted({0, led, *behind})


def _is_code(words: list[str]) -> bool:
    """Whether these words are a code as booking systems make them: "dewq 98", "mm 67 y 6", "hg 94", "as 54 gh"."""
    if not 2 <= len(words) <= _GROUPS or not all(
        word.isdigit() or (word.isalpha() and len(word) < 5) for word in words
    ):
        return False
    groups = [word for word in words if not word.isdigit()]
    length, digits = sum(map(len, words)), sum(len(word) for word in words if word.isdigit())
    turns = sum(one.isdigit() != other.isdigit() for one, other in pairwise(words))
    if digits < 2 or digits == length or turns < len(words) - 1 or not DATE_WORDS.isdisjoint(groups):
        return False
    if turns > 2:
        return 4 < length < 9
    # Six characters is what a record locator has (IATA resolution 830d).
    if length == 6 and not any(word in SHORT_WORDS or word in UNIT_WORDS for word in groups):
        return True
    # "as 54 gh", and not "in 30 min": one of the groups is no word, and the last is no unit.
    is_lone = len(groups) == 1 and len(groups[0]) == 1 and digits >= _MANY_DIGITS
    return is_lone or (any(map(_is_no_word, groups)) and groups[-1] not in UNIT_WORDS)


def _is_no_word(group: str) -> bool:
    """Whether a group of letters is not read as a word: two letters, or no vowel, and no abbreviation."""
    return (len(group) < 3 or _VOWELS.isdisjoint(group)) and group not in SHORT_WORDS and group not in UNIT_WORDS


def _is_part(words: list[str], index: int) -> bool:
    word = words[index]
    if word.isdigit():
        return True
    if not word.isalpha() or len(word) > _LONGEST_GROUP or word in _NOT_PARTS:
        return False
    following = words[index + 1] if index + 1 < len(words) else ""
    after_digits = index > 0 and words[index - 1].isdigit()
    return following.isdigit() or (after_digits and not following.isalpha())
