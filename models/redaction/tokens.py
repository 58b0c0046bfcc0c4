"""A text as the finders read it: one character for each that counts, in lower case, cut into tokens."""

import re
import unicodedata
from functools import lru_cache

from models.redaction.kinds import KINDS

# What stands for something that was redacted before, a word with its apostrophe, a run of digits, or one character.
_TOKEN = re.compile(rf"\[(?:{'|'.join(KINDS).lower()})(?:_\d+)?\]|[^\W\d_]+(?:'[^\W\d_]+)?|\d+|[^\s\w]|_")


class Tokens:
    """A text's tokens: `words` in lower case, and where each starts and ends in `text` and `lower`.

    `text` is what was given with other scripts' digits, wide forms, dashes and spaces as ASCII has them, and without
    invisible characters; `lower` is `text` in lower case, as long as it.
    """

    __slots__ = ("_ends", "_length", "_places", "_starts", "cased", "lower", "text", "words")

    def __init__(self, text: str) -> None:
        self._places: list[int] | None = None
        self._length = len(text)
        if not text.isascii():
            characters = [_character(char) for char in text]
            _compose(characters)
            if "" in characters:
                self._places = [place for place, char in enumerate(characters) if char]
            text = "".join(characters)
        lower = text.lower()
        if len(lower) != len(text):  # "İ" has two characters in lower case
            lower = "".join([char.lower() if len(char.lower()) == 1 else char for char in text])
        self.text = text
        self.lower = lower
        self.cased = text != lower  # there are capitals
        self.words: list[str] = _TOKEN.findall(lower)
        # Most texts need no places: they are made when they are first asked for.
        self._starts: list[int] | None = None
        self._ends: list[int] = []

    @property
    def starts(self) -> list[int]:
        """Where each token starts."""
        if self._starts is None:
            spans = [match.span() for match in _TOKEN.finditer(self.lower)]
            self._starts = [start for start, _ in spans]
            self._ends = [end for _, end in spans]
        return self._starts

    @property
    def ends(self) -> list[int]:
        """Where each token ends (exclusive)."""
        if self._starts is None:
            _ = self.starts
        return self._ends

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where characters `start` to `end` of `text` are in the text that was given.

        What is invisible behind the last of them, or a mark on it, is of it.
        """
        if self._places is None:
            return start, end
        return self._places[start], self._places[end] if end < len(self._places) else self._length

    def capital(self, index: int) -> bool:
        """Whether token `index` begins with a capital."""
        return self.text[self.starts[index]].isupper()

    def apart(self, index: int) -> str:
        """The characters between token `index` and the one before it: white space, or none."""
        return self.text[self.ends[index - 1] : self.starts[index]] if index else ""


def _compose(characters: list[str]) -> None:
    """Makes one character of a letter and the marks behind it, as most programs write them: `e` and an acute are é."""
    letter = 0
    for place, char in enumerate(characters):
        if not char:
            continue
        if place and unicodedata.combining(char):
            whole = unicodedata.normalize("NFC", characters[letter] + char)
            if len(whole) == 1:
                characters[letter], characters[place] = whole, ""
                continue
        letter = place


_PLAIN = {"‘": "'", "’": "'"}


@lru_cache(maxsize=4096)
def _character(char: str) -> str:
    """What stands for a character: one of ASCII's, nothing, or itself."""
    category = unicodedata.category(char)
    plain = unicodedata.normalize("NFKC", char)
    if char in _PLAIN:
        plain = _PLAIN[char]
    elif category in {"Cf", "Me"} or "\ufe00" <= char <= "\ufe0f":
        plain = ""  # joiners, soft hyphens and variation selectors; the ring that makes a digit a keycap
    elif category == "Nd":
        plain = str(unicodedata.decimal(char))
    elif category == "Pd":
        plain = "-"
    elif category == "Zs":
        plain = " "
    elif not (len(plain) == 1 and plain.isascii()):
        plain = char
    return plain
