"""More text of the domain than there is: variants of its labelled texts, for a teacher to label and a student to learn.

A small student soon knows a few thousand texts by heart. Variants labelled by the teacher, not by the label of what
they were made from, keep it learning what the teacher does (TinyBERT, Jiao et al. 2020, 4.2, with other edits).
"""

import random
import re
from collections.abc import Sequence

SPLICED = 0.5
"""Share of variants that join the beginning of one text with the end of another: mixed and turning feelings."""
SPOKEN, DROPPED, MISTYPED = 0.25, 0.3, 0.3
"""Shares, each on its own, that lose case and punctuation as speech recognition does, lose words, get typing errors."""
DROP = 0.15
"""Chance of each word to be lost."""


def variants(texts: Sequence[str], copies: int, seed: int) -> list[str]:
    """Return ``copies`` variants of each of ``texts``, in their order; the same for the same seed."""
    rng = random.Random(seed)
    return [variant(text, texts, rng) for _ in range(copies) for text in texts]


def variant(text: str, others: Sequence[str], rng: random.Random) -> str:
    """Return one variant of ``text``; what is spliced to it comes from ``others``."""
    words = text.split()
    if rng.random() < SPLICED:
        words = _half(words, rng, first=True) + _half(rng.choice(others).split(), rng, first=False)
    if rng.random() < DROPPED:
        words = [word for word in words if rng.random() >= DROP] or words
    if rng.random() < MISTYPED:
        at = rng.randrange(len(words)) if words else 0
        words = [_mistyped(word, rng) if index == at else word for index, word in enumerate(words)]
    made = " ".join(words)
    return _spoken(made) if rng.random() < SPOKEN else made


def _half(words: Sequence[str], rng: random.Random, *, first: bool) -> list[str]:
    """Return the words before or after a cut: behind a sentence or clause where there is one inside, else anywhere."""
    ends = [index for index, word in enumerate(words[:-1], 1) if word[-1] in ".!?,;:"]
    cut = rng.choice(ends or range(len(words) + 1))
    return list(words[:cut] if first else words[cut:])


def _mistyped(word: str, rng: random.Random) -> str:
    """Return ``word`` with two neighbouring letters swapped; handles, links and short words stay."""
    if len(word) < 4 or not word.isalpha():
        return word
    at = rng.randrange(len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _spoken(text: str) -> str:
    """Return ``text`` in lower case without punctuation; handles and placeholders stay whole."""
    return " ".join(re.sub(r"[^\w\s@'\[\]]", " ", text.lower()).split())
