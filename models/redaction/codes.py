"""Codes of letters and digits in groups: "booking number er 25 sv", and a text that is nothing else."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from models.redaction.cues import CUE_WORDS, Cue
from models.redaction.kinds import SHAPE, Finding, Kind
from models.redaction.runs import CURRENCY, SHORT_WORDS, UNIT_WORDS
from models.redaction.tokens import Tokens
from models.redaction.vocabulary import word_list

_KINDS: Final[frozenset[Kind | None]] = frozenset({"REFERENCE", "PASSWORD", "ACCOUNT", "USERNAME", "CARD"})
_LINKS: Final = frozenset(word_list("codes.links"))
_NOT_PARTS: Final = UNIT_WORDS | CURRENCY | CUE_WORDS | frozenset(word_list("codes.not_parts"))
_LONGEST_GROUP = 6
_GROUPS = 6


def codes(tokens: Tokens, found: list[Cue]) -> Iterator[Finding]:
    """The codes that follow a cue of `found`: groups of letters that have digits before or after them."""
    words = tokens.words
    if _is_code(words):
        yield Finding(tokens.starts[0], tokens.ends[-1], "REFERENCE", "".join(words), SHAPE)
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


def _is_code(words: list[str]) -> bool:
    """Whether a text is a code as booking systems make them: "dewq 98", "mm 67 y 6"."""
    if not 2 <= len(words) <= _GROUPS or not all(
        word.isdigit() or (word.isalpha() and len(word) < 5) for word in words
    ):
        return False
    length, digits = sum(map(len, words)), sum(len(word) for word in words if word.isdigit())
    turns = sum(one.isdigit() != other.isdigit() for one, other in pairwise(words))
    if digits < 2 or digits == length or turns < len(words) - 1:
        return False
    # Six characters is what a record locator has (IATA resolution 830d).
    return (length == 6 or (turns > 2 and 4 < length < 9)) and (
        turns > 2 or not any(word in SHORT_WORDS or word in UNIT_WORDS for word in words)
    )


def _is_part(words: list[str], index: int) -> bool:
    word = words[index]
    if word.isdigit():
        return True
    if not word.isalpha() or len(word) > _LONGEST_GROUP or word in _NOT_PARTS:
        return False
    following = words[index + 1] if index + 1 < len(words) else ""
    after_digits = index > 0 and words[index - 1].isdigit()
    return following.isdigit() or (after_digits and not following.isalpha())
