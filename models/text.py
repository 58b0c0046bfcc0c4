"""What is done to a text before the tokenizer sees it, in training and on the worker alike.

A model is only as good as the match between the two, so both call :func:`normalise`, and an artifact's manifest
names the :data:`VERSION` of these rules that it was trained under.
"""

import re
import unicodedata
from functools import lru_cache

VERSION = 1
"""Raise it with every change to what :func:`normalise` returns: an artifact of another version is refused."""

USER, URL, EMAIL = "@user", "[url]", "[email]"

# Twitter's API escapes these; `&amp;amp;` occurs too, so a run of `amp;` is folded in the same pass (a second pass
# would make the result depend on how often it was called).
_ENTITY = re.compile(r"&(?:amp;)*(?:(lt|gt|quot|apos|nbsp|#39|#x27);)?")
_ENTITY_TEXT = {"lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": " ", "#39": "'", "#x27": "'"}

_URL = re.compile(r"(?:(?i:https?)://|www\.|WWW\.)\S+")

# The look-behind lets a match start only where a run of address characters starts, so each run is read once and a
# megabyte without a space stays linear. 64 is the longest local part (RFC 5321, 4.5.3.1.1).
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,63}\b")
_HANDLE = re.compile(r"(?<!\w)@\w+")

_TYPOGRAPHIC = {"‘": "'", "’": "'", "“": '"', "”": '"', "…": "...", "–": "-", "—": "-", "\u00a0": " "}


@lru_cache(maxsize=4096)
def _character(char: str) -> str:
    """Return what stands for one non-ASCII character: plain punctuation, a symbol's name, nothing, or itself."""
    if char in _TYPOGRAPHIC:
        return _TYPOGRAPHIC[char]
    category = unicodedata.category(char)
    if category == "So":
        # "FACE WITH TEARS OF JOY": words the model knows, where the symbol would be an unknown piece. A flag is a pair
        # of "REGIONAL INDICATOR SYMBOL LETTER X", which says nothing of sentiment.
        name = unicodedata.name(char, "")
        return " " if name.startswith("REGIONAL INDICATOR") else f" {name.lower()} "
    # Joiners and other invisible characters (Cf), variation selectors, skin tones: they only modify the symbol before.
    if category == "Cf" or "\ufe00" <= char <= "\ufe0f" or "\U0001f3fb" <= char <= "\U0001f3ff":
        return ""
    return char


def normalise(text: str) -> str:
    """Return ``text`` as the models read it.

    Handles become ``@user``, links ``[url]``, e-mail addresses ``[email]``; HTML entities become their characters,
    emoji their Unicode names, typographic quotes and dashes ASCII ones; runs of white space become one space. Case is
    left to the tokenizer. Applying it twice changes nothing, and its time is linear in the length of the text.
    """
    if not text.isascii():
        text = "".join([char if char < "\x80" else _character(char) for char in text])
    if "&" in text:
        text = _ENTITY.sub(lambda match: _ENTITY_TEXT[match[1]] if match[1] else "&", text)
    if "://" in text or "www." in text or "WWW." in text:
        text = _URL.sub(URL, text)
    if "@" in text:
        text = _HANDLE.sub(USER, _EMAIL.sub(EMAIL, text))
    return " ".join(text.split())
