"""Which texts a model can be asked about: the one rule of the edge worker and of scoring a file."""

import re
import unicodedata
from typing import Final

from models.text import normalise
from schemas.codec import DecodeError

_LETTER_OR_DIGIT: Final = re.compile("[A-Za-z0-9]")

# Unicode's categories: C is control, format, surrogate, private use and unassigned, so that normalising has no name for
# it; M is a mark on the letter before; Z is a separator.
_INVISIBLE: Final = "CMZ"
# What is unassigned in the blocks of emoji is younger than this Python's Unicode.
_EMOJI: Final = range(0x1F000, 0x1FB00)
# Letters and symbols that say nothing: Hangul fillers, the Braille cell without a dot, and what stands for an object or
# for a character that was lost.
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc\ufffd")


def validate_text(text: str, *, max_chars: int) -> None:
    """Raise `DecodeError` for a text that no model is asked about: `text_too_long`, or `empty_text`.

    Too long is over `max_chars` characters as they came. Empty is a text in which `normalise` leaves nothing to be
    seen: white space, control, zero-width, private and unassigned characters, marks without a letter. What is
    unassigned among emoji is seen.
    """
    if len(text) > max_chars:
        raise DecodeError("text_too_long", f"the text has {len(text)} characters; at most {max_chars} are allowed")
    if not is_readable(text):
        raise DecodeError("empty_text", "the text is empty")


def is_readable(text: str) -> bool:
    """Whether `normalise` leaves anything in `text` that can be seen."""
    # Normalising takes as long as the rest of the check ten times over, and next to no text needs it: entities and
    # tags apart, it leaves something wherever there is a letter or a digit.
    if "&" not in text and "<" not in text and _LETTER_OR_DIGIT.search(text):
        return True
    # Before normalising too, for it spells symbols out: the empty Braille cell becomes three words.
    return _has_visible(text) and _has_visible(normalise(text))


def _has_visible(text: str) -> bool:
    """Whether a character of `text` shows something by itself."""
    return any(
        (unicodedata.category(character)[0] not in _INVISIBLE and character not in _BLANK) or ord(character) in _EMOJI
        for character in text
    )
