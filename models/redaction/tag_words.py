"""Words as the tagger reads them: the ids of their pieces, and whether they begin with a capital or are digits."""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

WORD: Final = re.compile(r"[^\W\d_]+(?:[\u0300-\u036f]+[^\W\d_]*)*|\d+|_+|[^\w\s]")
"""A run of letters with their accents, a run of digits, or one other character."""

PIECES: Final = 4
"""Pieces of a word that are read: of a word of more its first three and its last."""

COLUMNS: Final = PIECES + 1
"""Numbers that a word is: its pieces' ids, with 0 where it has fewer, and its shape."""

SMALL, CAPITAL, CAPITALS, MIXED, DIGITS, OTHER = range(6)
"""Shapes of words, in a text in which some letters are capitals and some are not."""

SHAPES: Final = 12
"""These six, and the same of a text whose letters are all small or all capitals: there a case tells nothing."""

_LONGEST = 40  # letters of a word that are read
_MOST_DIGITS = 8
_REMEMBERED = 20_000  # words


class WordReader:
    """Turns words into the numbers that a tagger reads, and tells whether any of them is not among the `common` ones.

    What a word is depends on the word alone, so it is worked out once, and kept for the words met last.
    """

    def __init__(self, tokenizer: Tokenizer, common: Collection[str] = ()) -> None:
        self._tokenizer = tokenizer
        self._common = frozenset(common)
        self._word = lru_cache(_REMEMBERED)(self._read)

    def read(self, text: str, words: Sequence[str]) -> NDArray[np.int64] | None:
        """A row of `COLUMNS` numbers for each of the `words` of `text`; None where all words of letters are common."""
        known = [self._word(word) for word in words]
        if not any(word[-1] for word in known):
            return None
        rows = np.array(known, np.int64)[:, :COLUMNS]
        if text.lower() == text or text.upper() == text:
            shapes = rows[:, PIECES]
            rows[:, PIECES] = np.where(shapes < DIGITS, SMALL, shapes) + SHAPES // 2
        return rows

    def _read(self, word: str) -> tuple[int, ...]:
        """The word's pieces and shape, and 1 where it is not common."""
        # Half a surrogate pair has no UTF-8: "?" stands for it.
        spelt = spelling(word).encode("utf-8", "replace").decode()
        ids = self._tokenizer.encode(spelt, add_special_tokens=False).ids
        if len(ids) > PIECES:
            ids = [*ids[: PIECES - 1], ids[-1]]
        is_rare = word[0].isalpha() and word.casefold() not in self._common
        return (*ids, *[0] * (PIECES - len(ids)), _shape(word), int(is_rare))


def spelling(word: str) -> str:
    """`word` as the tokenizer is given it: cut where it is very long, and all digits alike."""
    return "0" * min(len(word), _MOST_DIGITS) if word[0].isdecimal() else word[:_LONGEST]


def _shape(word: str) -> int:
    if not word[0].isalpha():
        return DIGITS if word[0].isdecimal() else OTHER
    if not any(map(str.isupper, word)):
        return SMALL
    if word[0].isupper() and not any(map(str.isupper, word[1:])):
        return CAPITAL
    return CAPITALS if word.isupper() else MIXED
