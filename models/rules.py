"""What is answered by rule, without a model: a text that is a rating and no more, and one that says nothing.

docs/labels.md, rule 8, says which points are which label. A rating within a sentence is the model's: "I pressed 5 stars
by accident" is none.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from models.text import normalise
from schemas.records import LABELS, Label, Role

ID: Final = "rules@2"
"""Stands in a result for the model, `name@version`."""

Probabilities = tuple[float, float, float]

MOST_CHARS: Final = 60
"""A longer text is read by the model: what rates and no more is shorter."""

# Not all who rate mean it, and not every scale ends where it is thought to.
_RATED: Final = 0.95
# Neutral is right, and nobody knows: issues, goals and alarms that ask for confidence shall not count on it.
_NOTHING: Final[Probabilities] = (0.2, 0.6, 0.2)

_NUMBERS: Final = {word: number for number, word in enumerate(
    ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
)} | {"no": 0}  # fmt: skip
_WRITTEN: Final = r"(?:0|[1-9]\d{0,2})(?:[.,]\d)?"  # "02/10" is a day
_POINTS: Final = rf"(?P<points>{_WRITTEN}|{'|'.join(_NUMBERS)})"
_LEAD: Final = (
    r"(?:(?:overall|only|just|solid|an?|it's|it is|i(?:'d| would)? (?:give|rate) (?:it|this|you|them))[:,]? )*"
)
_NAMED: Final = r"(?P<name>rating|score|stars|nps|csat)(?: is)?\s?[:=]?\s?"
_SCALE: Final = r"\s?(?:/|out of)\s?(?P<scale>5|10|100|five|ten)"

# "5/5", "10 out of 10", "rating: 4/5"; "5 stars", "one star", "5*"; "rating: 1", "NPS 9".
_SHAPES: Final = tuple(
    re.compile(rf"{_LEAD}{shape}[ .!]*")
    for shape in (
        rf"(?:{_NAMED})?{_POINTS}{_SCALE}(?: ?(?:stars?|points?|[⭐★*]))?",
        rf"{_POINTS}(?:[ -]?stars?| ?[⭐★*])",
        rf"{_NAMED}{_POINTS}",
    )
)
_GLYPHS: Final = re.compile(r"(?P<full>[★⭐]+)(?P<half>#?)(?P<empty>[☆✩]*)[ .!]*")
# A keycap's digit is the digit; variation selectors change the picture alone.
_KEYCAP: Final = str.maketrans({"\ufe0e": "", "\ufe0f": "", "\u20e3": "", "\U0001f51f": "10"})

# Of a text without words, what stands between spaces: signs that end a sentence, one sign again and again, a number, a
# letter, or what `normalise` leaves of a handle, a link and an address. No emoticon, and not "+1", "100%" or "A+".
_MUTE: Final = re.compile(
    r"[.?!,]+|([^\w\s^()])\1*|[()_]|_+|(?:[#€$£-]|\+(?=\d{2}))?\d[\d.,:/-]*[?!]*|[A-Za-z][.,?!]?|@user|\[url\]|\[email\]"
)
# More points than there are, "11/10": praise as often as a day.
_POINTS_OF: Final = re.compile(rf"{_WRITTEN}\s?/\s?(?:5|10|100)[ .!]*")


def answer(text: str, role: Role = "unknown") -> Probabilities | None:
    """The probabilities of negative, neutral and positive where a rule answers `text`, said by `role`, else None.

    What an agent, a bot or the system says is no rating: it tells of one, or asks for it.
    """
    return None if len(text) > MOST_CHARS else _answer(text, role in {"customer", "unknown"})


# Each text is asked about twice: by the classifier, and by who tells who answered. A batch's texts fit.
@lru_cache(maxsize=1024)
def _answer(text: str, rates: bool) -> Probabilities | None:
    label = rating(text) if rates else None
    if label is not None:
        rest = (1 - _RATED) / (len(LABELS) - 1)
        negative, neutral, positive = (_RATED if each == label else rest for each in LABELS)
        return negative, neutral, positive
    return _NOTHING if says_nothing(text) else None


def answered_by(text: str, role: Role, model: str) -> str:
    """Who answers `text`, said by `role`: the rules, or else `model`; each as `name@version`."""
    return model if answer(text, role) is None else ID


def rating(text: str) -> Label | None:
    """The label of a text that is a rating and no more; None where it is not, or the scale could be another.

    A number alone is no rating. Of five, four and more are positive and less than three is negative; of ten or a
    hundred, nine tenths and less than half are. `NPS` counts as its inventor does (Reichheld 2003, "The One Number You
    Need to Grow"): nine and ten are positive, six and less negative. A rating that names no scale ("rating: 4") has a
    label only where it is the same of five and of ten.
    """
    plain = unicodedata.normalize("NFKC", text.replace("½", "#").translate(_KEYCAP)).strip().lower()
    if stars := _GLYPHS.fullmatch(plain):
        full, half, empty = (len(stars[part]) for part in ("full", "half", "empty"))
        # One star alone is as often a compliment.
        return (
            None if (full, half, empty) == (1, 0, 0) else _label(full + half / 2, (full + half + empty) if empty else 5)
        )
    found = next((match for shape in _SHAPES if (match := shape.fullmatch(plain))), None)
    if found is None:
        return None
    parts = found.groupdict()
    points, scale, name = _number(parts["points"]), parts.get("scale"), parts.get("name")
    if name == "nps" and scale in {None, "10", "ten"}:
        return None if points > 10 else "positive" if points >= 9 else "neutral" if points > 6 else "negative"
    if scale is not None:
        return _label(points, _number(scale))
    of_five, of_ten = _label(points, 5), _label(points, 10)
    if name in ("rating", "score"):
        return of_ten if of_five in (None, of_ten) else None
    return of_five


def says_nothing(text: str) -> bool:
    """Whether `text` has no word, no emoji, no emoticon and no points of a scale: "...", "4471", "k", a link."""
    plain = normalise(text)
    parts = plain.split()
    return bool(parts) and not _POINTS_OF.fullmatch(plain) and all(_MUTE.fullmatch(part) for part in parts)


def _number(written: str) -> float:
    return float(_NUMBERS[written]) if written in _NUMBERS else float(written.replace(",", "."))


def _label(points: float, scale: float) -> Label | None:
    """By docs/labels.md, rule 8; None where there are more points than the scale has."""
    share = points / scale
    if share > 1:
        return None
    if share >= (0.8 if scale <= 5 else 0.9):
        return "positive"
    return "neutral" if share >= (0.6 if scale == 5 else 0.5) else "negative"
