"""What is done to a text before the tokenizer sees it, in training and on the worker alike.

A model is only as good as the match between the two, so both call :func:`normalise`, and an artifact's manifest
names the :data:`VERSION` of these rules that it was trained under.
"""

import html
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from models.mojibake import without_mojibake
from models.quoted import without_quotes
from models.symbol_names import NAMES
from schemas.records import Role

VERSION = 3
"""Raise it with every change to what :func:`normalise` returns: an artifact of a version that is not in
:data:`READ_BY_MODELS_OF` is refused."""

READ_BY_MODELS_OF: Final = frozenset({1, 2, 3})
"""Versions whose models read what this one returns. Version 2 mends what hardly a text holds that models of version 1
learned from: tags, letters in another shape, a wrong encoding, quoted mail. Of the airline's texts it changes one.
Version 3 cuts less of what looks like a quoted mail, and names younger emoji."""

USER, URL, EMAIL = "@user", "[url]", "[email]"

SPOKEN_BY: Final[Mapping[Role, str]] = {"agent": "agent: ", "bot": "bot: ", "system": "bot: "}
"""What stands before a text of that role where a model is told who speaks. A customer's, and one of an unknown role,
stand as they are."""

# What redaction puts into a text, as words that texts have: to the models, "[NAME_1]" is five pieces of noise.
PLACEHOLDERS: Final = dict.fromkeys(
    ("ZIP", "PHONE", "CARD", "CVV", "EXPIRY", "ACCOUNT", "IBAN", "SSN", "PIN", "REFERENCE", "IP"), "number"
) | {
    "NAME": "alex",
    "ADDRESS": "12 main street",
    "EMAIL": EMAIL,
    "URL": URL,
    "DATE_OF_BIRTH": "1/1/1980",
    "USERNAME": USER,
    "PASSWORD": "password",
}
_PLACEHOLDER = re.compile(rf"\[({'|'.join(PLACEHOLDERS)})_\d{{1,4}}\]")

# Twitter's API escapes these; `&amp;amp;` occurs too, so a run of `amp;` is folded in the same pass (a second pass
# would make the result depend on how often it was called).
_ENTITY = re.compile(
    r"&(?:amp;)*(?:(lt|gt|quot|apos|nbsp|#39|#x27);|((?:#\d{2,7}|#[xX][0-9a-fA-F]{2,6}|[A-Za-z]\w{1,30});))?"
)
_ENTITY_TEXT = {"lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": " ", "#39": "'", "#x27": "'"}

# HTML's elements, and no other words in angle brackets. An attribute holds no bracket. A style is not said.
_TAG = re.compile(
    r"<(?P<element>style|script)\b[^<>]*>(?:[^<]|<!--)*+</(?P=element)\s*>|"
    r"</?(?:(?P<block>br|p|div|li|ul|ol|tr|td|th|table|hr|h[1-6]|blockquote)|"
    r"a|b|i|u|s|em|strong|span|font|small|big|sub|sup|code|pre|img|html|body|head|meta|style|script)(?:\s[^<>]*)?/?>|<!--[^<>]*-->",
    re.IGNORECASE,
)
_MOST_ROUNDS = 4

_URL = re.compile(r"(?:(?i:https?)://|www\.|WWW\.)\S+")

# The look-behind lets a match start only where a run of address characters starts, so each run is read once and a
# megabyte without a space stays linear. 64 is the longest local part (RFC 5321, 4.5.3.1.1).
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,63}\b")
_HANDLE = re.compile(r"(?<!\w)@\w+")

# Five letters or more with the same between them: a word that is spelled out. The first pattern is cheap, and in each.
_MAYBE_SPELLED = re.compile(r"([ .*_-])[A-Za-z]\1[A-Za-z]\1[A-Za-z]\1")
_SPELLED = re.compile(r"(?<![^\W_])[A-Za-z]([ .*_-])(?:[A-Za-z]\1){3,40}[A-Za-z](?![^\W_])(?!\1[A-Za-z](?![^\W_]))")

_TYPOGRAPHIC = {"‘": "'", "’": "'", "“": '"', "”": '"', "…": "...", "–": "-", "—": "-", "\u00a0": " "}


@lru_cache(maxsize=4096)
def _character(char: str) -> str:
    """Return what stands for one non-ASCII character: plain punctuation, a symbol's name, nothing, or itself."""
    if char in _TYPOGRAPHIC:
        return _TYPOGRAPHIC[char]
    category = "So" if char in NAMES else unicodedata.category(char)
    name = NAMES.get(char) or unicodedata.name(char, "").lower()
    small_capital = name.removeprefix("latin letter small capital ")
    plain = small_capital if len(small_capital) == 1 else unicodedata.normalize("NFKC", char)
    if category == "So":
        if len(plain) == 1 and plain.isascii():
            return plain  # a letter in a circle
        # "FACE WITH TEARS OF JOY": words the model knows, where the symbol would be an unknown piece. A flag is a pair
        # of "REGIONAL INDICATOR SYMBOL LETTER X", which says nothing of sentiment.
        return " " if name.startswith("regional indicator") else f" {name} "
    # Joiners and other invisible characters (Cf), variation selectors, skin tones: they only modify the symbol before.
    if category == "Cf" or "\ufe00" <= char <= "\ufe0f" or "\U0001f3fb" <= char <= "\U0001f3ff":
        return ""
    # Full-width, bold, script, small capitals and the like are the letters that they look like.
    if category[0] == "L" or category == "Nd" or unicodedata.decomposition(char).startswith("<wide>"):
        return plain
    return char


def normalise(text: str) -> str:
    """Return ``text`` as the models read it.

    A mail that is quoted and a signature are left out. Handles become ``@user``, links ``[url]``, e-mail addresses
    ``[email]``, redaction's ``[NAME_1]`` and the like words; HTML entities become their characters, its tags and
    styles nothing, emoji their Unicode names, typographic quotes and dashes ASCII ones; letters in another shape
    (NFKC, small capitals) or read in the wrong encoding, and words spelled out, become what they stand for; runs of
    white space become one space. Case is left to the tokenizer. Applying it twice changes nothing, and its time is
    linear in the length of the text.
    """
    if "\n" in text or "\r" in text:
        text = without_quotes(text) or text
    if not text.isascii() or "&" in text or "<" in text:
        text = _plain(text)
    if "://" in text or "www." in text or "WWW." in text:
        text = _URL.sub(URL, text)
    if "_" in text and "[" in text:
        text = _PLACEHOLDER.sub(lambda match: PLACEHOLDERS[match[1]], text)
    if "@" in text:
        text = _HANDLE.sub(USER, _EMAIL.sub(EMAIL, text))
    text = " ".join(text.split())
    if _MAYBE_SPELLED.search(text):
        text = _SPELLED.sub(lambda match: match[0].replace(match[1], ""), text)
    return text


def _plain(text: str) -> str:
    """`text` without mojibake, symbols, entities and tags; what one of them hides is found too."""
    for _ in range(_MOST_ROUNDS):
        before, text = text, _round(text)
        if text == before or not ("&" in text or "<" in text or not text.isascii()):
            return text
    # Nested on purpose: no entity and no tag is left to be found.
    return _round(text.replace("&", "& ").replace("<", "< "))


def _round(text: str) -> str:
    if not text.isascii():
        text = "".join([char if char < "\x80" else _character(char) for char in without_mojibake(text)])
    if "&" in text:
        text = _ENTITY.sub(_entity, text)
    return _TAG.sub(lambda match: " " if match["element"] or match["block"] else "", text) if "<" in text else text


def _entity(match: re.Match[str]) -> str:
    if match[1]:
        return _ENTITY_TEXT[match[1]]
    if not match[2]:
        return "&"
    found = html.unescape(f"&{match[2]}")
    # ASCII would be written as it is, but for what stands above.
    return f"&{match[2]}" if found.isascii() or "&" in found else found
