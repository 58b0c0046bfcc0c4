"""What a language tag says, and whether a text has a language at all."""

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Final

ALL: Final = "*"
"""Stands for every language, of a model that reads them all."""

LEAST_LETTERS: Final = 3
"""Fewer letters have no language: an emoji, a number, "ok"."""

# Undetermined, several, none, and what has no code (ISO 639-2).
_NO_LANGUAGE: Final = frozenset({"und", "mul", "zxx", "mis"})
_TAG: Final = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{1,8})*")

# Links, addresses, handles, topics and what stands in brackets for what was taken out are of no language.
_OF_NO_LANGUAGE: Final = re.compile(r"(?:https?://|www\.)\S+|\S*@\S+|#\w+|\[\w+\]|&\w+;", re.IGNORECASE)
_SIGNS: Final = re.compile(r"[@#&\[]|://|www\.", re.IGNORECASE)
# Letters, with the marks that some scripts write around them. Left out are ASCII and Latin-1 but for letters, and the
# blocks of punctuation and symbols, emoji among them.
_WORDS: Final = re.compile(
    r"[^\s\d\x00-@\[-`{-\u00bf\u2000-\u2bff\u3000-\u303f\ufe00-\ufe0f\uff00-\uff20\U0001f000-\U0001faff]+"
)


@lru_cache(1024)
def primary(tag: str | None) -> str | None:
    """The first subtag of a BCP 47 tag (RFC 5646, section 2.1) in small letters; None where it names no language."""
    found = None if tag is None else _TAG.fullmatch(tag.strip())
    first = found[1].lower() if found else None
    return None if first in _NO_LANGUAGE else first


def reads(languages: Collection[str], language: str) -> bool:
    """Whether a model of `languages` reads the first subtag `language`."""
    return language in languages or ALL in languages


def words(text: str) -> list[str]:
    """The runs of letters in `text`, without links, addresses, handles, topics and marks such as `[url]`."""
    return _WORDS.findall(_OF_NO_LANGUAGE.sub(" ", text) if _SIGNS.search(text) else text)


def has_language(text: str) -> bool:
    """Whether the words of `text` have `LEAST_LETTERS` letters or more."""
    return sum(map(len, words(text[:200]))) >= LEAST_LETTERS
