"""How people write and speak one and the same sentence: typing errors, speech without punctuation, mails, captions."""

import random
import re

from models.text import EMAIL, URL, USER, normalise

FILLERS = ("um", "uh", "you know", "i mean", "like", "well", "so")

# Nobody says an emoji or an emoticon: without it a text would differ in what it says, not only in how it is written.
_EMOJI = re.compile("[\u2600-\u27bf\U0001f000-\U0001faff]")
_EMOTICON = re.compile(r"[:;=][-']?[()DPp/|\\]|<3")
_PLACEHOLDERS = (USER, URL, EMAIL)


def swap_letters(text: str, rng: random.Random, times: int = 1) -> str | None:
    """Swaps two adjacent letters in each of `times` words of four letters or more; None when it has fewer such words.

    The letters differ, and a word's first stays: that is how people mistype. Handles, links and hashtags stay whole.
    """
    words = text.split(" ")
    places = [
        (at, [i for i in range(1, len(word) - 1) if word[i] != word[i + 1]])
        for at, word in enumerate(words)
        if len(word) >= 4 and word.isalpha()
    ]
    places = [(at, swaps) for at, swaps in places if swaps]
    if len(places) < times:
        return None
    for at, swaps in rng.sample(places, times):
        i = rng.choice(swaps)
        word = words[at]
        words[at] = word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    return " ".join(words)


def as_speech(text: str, rng: random.Random | None = None) -> str | None:
    """Writes `text` as speech recognition does: lower case, no punctuation, neither handles nor links.

    With `rng` a filler word stands before every sixth word or so. None for a text with emoji or emoticons, which
    nobody says, and for one without words.
    """
    plain = normalise(text)  # which has [url] where a link's :// looks like an emoticon
    if _EMOJI.search(text) or _EMOTICON.search(plain):
        return None
    for placeholder in _PLACEHOLDERS:
        plain = plain.replace(placeholder, " ")
    plain = re.sub(r"(?<=\w)[-/_&](?=\w)", " ", plain.lower())
    words = re.sub(r"[^\w\s']", "", plain).split()
    if rng is not None:
        words = [part for word in words for part in ((rng.choice(FILLERS), word) if rng.random() < 1 / 6 else (word,))]
    return " ".join(words) or None
