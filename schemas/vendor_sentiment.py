"""A vendor's own sentiment of a turn, which rides along in the event's attributes, as a label to compare ours with."""

import math
from collections.abc import Mapping
from typing import Final

from schemas.records import Label

VENDOR_SENTIMENT: Final = "vendor_sentiment"
"""The attribute with the vendor's word, such as `NEGATIVE`, or with its number from -1 to 1."""
VENDOR_SENTIMENT_SCORE: Final = "vendor_sentiment_score"
"""The attribute with the vendor's number, which some write beside the word and some alone."""

_WORDS: Final[Mapping[str, Label]] = {
    "negative": "negative", "very negative": "negative", "neg": "negative",
    "neutral": "neutral", "neu": "neutral",
    "positive": "positive", "very positive": "positive", "pos": "positive",
}  # fmt: skip

# Deepgram's thresholds, a third of the scale each. Genesys writes -1, 0, 1; Google's numbers go from -1 to 1; Amazon's
# PCA goes from -5 to 5 and gives 0 to what is neutral.
_THIRD: Final = 1 / 3


def vendor_label(attributes: Mapping[str, str]) -> Label | None:
    """The vendor's label; None where it gave none, or one that we do not have, such as `MIXED`."""
    word = attributes.get(VENDOR_SENTIMENT)
    if word is not None:
        return _WORDS.get(word.strip().lower()) or _of_number(word)
    score = attributes.get(VENDOR_SENTIMENT_SCORE)
    return None if score is None else _of_number(score)


def _of_number(text: str) -> Label | None:
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return "negative" if number < -_THIRD else "positive" if number > _THIRD else "neutral"
