"""Names after the words that announce them: "my name is", "this is ... speaking", "hi John,", a signature."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from models.redaction.cues import CUE_WORDS, Cue
from models.redaction.kinds import Finding, Kind
from models.redaction.runs import SHORT_WORDS, UNIT_WORDS
from models.redaction.spoken import HESITATIONS, NUMBER_WORDS, letter_at
from models.redaction.tokens import Tokens
from models.redaction.vocabulary import words

# Words that a chat begins with, or that follow "I am" and "my name is", and are no names.
NOT_NAMES: Final = (
    CUE_WORDS | SHORT_WORDS | UNIT_WORDS | NUMBER_WORDS | HESITATIONS | frozenset(words("names.not_names"))
)
_TITLES: Final = frozenset(words("names.titles"))
_PARTICLES: Final = frozenset(words("names.particles"))
_LINKS: Final = HESITATIONS | frozenset(words("names.links"))
_GREETINGS: Final = frozenset(words("names.greetings"))
_TRIGGERS: Final[dict[str, tuple[str, ...]]] = {
    "speaking": ("with", "to"),
    "speak": ("with", "to"),
    "talking": ("with", "to"),
    "talk": ("with", "to"),
    "spoke": ("with", "to"),
    "spoken": ("with", "to"),
    "call": ("me",),
    "calls": ("me",),
    "named": (),
    "called": (),
    "behalf": ("of",),
    "ask": ("for",),
    "care": ("of",),
    "belongs": ("to",),
    "holder": ("is",),
    "sincerely": (",",),
    "regards": (",",),
}
NAME_WORDS: Final = frozenset(
    {
        "name",
        "surname",
        "names",
        "spelled",
        "spelt",
        "spelling",
        "this",
        "i'm",
        "im",
        "am",
        "speaking",
        "name's",
        "holder",
        *_TRIGGERS,
        *_TITLES,
        *_GREETINGS,
    }
)
_LONGEST = 4
_SIGNATURE = re.compile(
    r"(?:^|\n)[ \t]*(?:best|kind|warm|many)?[ \t]*(?:regards|wishes|sincerely|yours (?:truly|sincerely|faithfully)|"
    r"cheers|thanks|thank you|love)[ \t]*[,.!]?[ \t]*\n+[ \t]*(?=\w)",
    re.IGNORECASE,
)
_SPEAKER = re.compile(r"(?:^|\n)(?=[^\W\d_]{2,20}(?: [^\W\d_]{2,20})?: )")
_NOT_SPEAKERS: Final = frozenset(words("names.not_speakers"))


def names(
    tokens: Tokens, found: list[Cue], expected: tuple[Kind, ...] = (), known: frozenset[str] = frozenset()
) -> Iterator[Finding]:
    """Names that a cue announces, and where else in the text their parts, or `known` words of others, occur."""
    spans = {*_announced(tokens, found)}
    if "NAME" in expected and (span := _answer(tokens)):
        spans.add(span)
    seen: set[str] = set(known - NOT_NAMES)
    for first, after in sorted(spans):
        yield _finding(tokens, first, after)
        seen |= {word for word in tokens.words[first:after] if len(word) > 2 and word not in NOT_NAMES | _TITLES}
    if seen:
        covered = {index for first, after in spans for index in range(first, after)}
        for index, word in enumerate(tokens.words):
            if word.removesuffix("'s") in seen and index not in covered:
                yield _finding(tokens, index, index + 1)


def _announced(tokens: Tokens, found: list[Cue]) -> Iterator[tuple[int, int]]:
    words = tokens.words
    for cue in found:
        if cue.kind == "NAME" and (span := _after_cue(tokens, cue)):
            yield span
    for index, word in enumerate(words):
        if word not in NAME_WORDS:
            continue
        following = words[index + 1] if index + 1 < len(words) else ""
        span = None
        if word in _TITLES and word not in {"sir", "madam", "miss"}:
            first = index + 1 + (following == ".")
            span = _name(tokens, first, lower=word not in {"miss", "doctor"})
        elif word in {"this", "it's"} and (following == "is" or word == "it's"):
            span = _this_is(tokens, index + 1 + (word == "this"))
        elif word in {"i'm", "im"} or (word == "am" and index and words[index - 1] == "i"):
            span = _this_is(tokens, index + 1)
        elif word in _GREETINGS:
            span = _greeted(tokens, index + 1)
        elif word == "name's":
            span = _name(tokens, index + 1, lower=True)
        elif word in _TRIGGERS and (not _TRIGGERS[word] or following in _TRIGGERS[word]):
            first = index + 1 + bool(_TRIGGERS[word])
            addressed = word == "speaking" and index > 0 and words[index - 1] in {"you're", "are", "youre", "i'm", "am"}
            span = _name(tokens, first, lower=addressed or word == "holder")
        elif word in {"spelled", "spelt", "spelling"} and following and (end := _spelled(words, index + 1)):
            span = index + 1, end
        elif word == "speaking" and index and not following.isalpha():
            span = _speaker(tokens, index)
        if span:
            yield span
    if "\n" in tokens.text:
        for match in _SIGNATURE.finditer(tokens.text):
            yield from _at(tokens, match.end())
    if ":" in tokens.text:
        for match in _SPEAKER.finditer(tokens.text):
            yield from _at(tokens, match.end())


def _at(tokens: Tokens, place: int) -> Iterator[tuple[int, int]]:
    """The name that begins at character `place`, in capitals."""
    index = bisect_left(tokens.starts, place)
    if (
        index < len(tokens.words)
        and tokens.starts[index] == place
        and tokens.words[index] not in _NOT_SPEAKERS
        and (span := _name(tokens, index, lower=False))
    ):
        yield span


def _after_cue(tokens: Tokens, cue: Cue) -> tuple[int, int] | None:
    words = tokens.words
    if cue.first and words[cue.first - 1] in {
        "user",
        "company",
        "city",
        "street",
        "product",
        "brand",
        "file",
        "domain",
        "plan",
        "business",
        "app",
        "model",
        "item",
    }:
        return None
    first = cue.after
    stated = False
    while first < len(words) and first - cue.after < 5 and words[first] in _LINKS:
        stated = stated or words[first] in {"is", ":", "=", "it's"}
        first += 1
    return _name(tokens, first, lower=stated or not tokens.cased)


def _name(tokens: Tokens, first: int, *, lower: bool) -> tuple[int, int] | None:
    """The name that begins at token `first`: words in capitals, or in small letters if `lower`; spelled letters."""
    words = tokens.words
    count = len(words)
    if first >= count or not words[first][0].isalpha():
        return None
    if spelled := _spelled(words, first):
        return first, spelled
    capital = tokens.capital(first)
    if not capital and not lower:
        return None
    if words[first] in NOT_NAMES and not (
        capital
        and first + 1 < count
        and words[first] not in _GREETINGS
        and len(words[first]) > 3
        and tokens.capital(first + 1)
    ):
        if words[first] not in {"will", "may", "june", "april", "august", "bill", "jan"} or not capital:
            return None
    after = first + 1
    while after < count and after - first < _LONGEST:
        word = words[after]
        if "\n" in tokens.apart(after):
            break
        if (
            word in {".", "-", "'"}
            and after + 1 < count
            and words[after + 1][0].isalpha()
            and (
                len(words[after - 1]) == 1 or (word != "." and not tokens.apart(after) and not tokens.apart(after + 1))
            )
        ):
            after += 1
            continue
        if not word[0].isalpha() or (word in NOT_NAMES and not (len(word) == 1 and word not in {"i", "a"})):
            if not (word in _PARTICLES and after + 1 < count and words[after + 1][0].isalpha()):
                break
        if capital and not tokens.capital(after) and word not in _PARTICLES:
            break
        after += 1
    while after > first + 1 and words[after - 1] in _PARTICLES | {".", "-", "'"}:
        after -= 1
    return first, after


def _spelled(words: list[str], first: int) -> int:
    """The token after a name that is spelled from token `first`; 0 if fewer than three letters are."""
    index, letters = first, 0
    while index < len(words):
        if (spelled := letter_at(words, index)) is not None:
            index = end = spelled[1]
            letters += 1
        elif words[index] in {"-", ",", ".", "double", "o", "dash"} | HESITATIONS and letters:
            index += 1
            continue
        else:
            break
    return end if letters > 2 else 0


def _this_is(tokens: Tokens, first: int) -> tuple[int, int] | None:
    """The name after "this is" or "I am": in capitals; in small letters if it ends the text or is followed as names are."""
    words = tokens.words
    if first >= len(words) or words[first] in NOT_NAMES or not words[first][0].isalpha():
        return None
    if tokens.capital(first):
        return _name(tokens, first, lower=False)
    span = _name(tokens, first, lower=True)
    if span is None or tokens.cased:
        return None
    following = words[span[1]] if span[1] < len(words) else ""
    word = words[first]
    if len(word) > 5 and word.endswith(("ing", "ed", "ly", "ful", "able", "ous", "ive", "less", "ic", "ish")):
        return None
    if following in {"", "speaking", "calling", "here", "from", "and", ",", ".", "with"} or following.isdigit():
        return span if span[1] - first < 3 else None
    return None


def _greeted(tokens: Tokens, first: int) -> tuple[int, int] | None:
    words = tokens.words
    if first < len(words) and words[first] == ",":
        first += 1
    if first >= len(words) or words[first] in NOT_NAMES:
        return None
    span = _name(tokens, first, lower=True)
    if span is None:
        return None
    following = words[span[1]] if span[1] < len(words) else ","
    if tokens.capital(first):
        return span if first and span[1] - first < 4 else None
    return span if following in {",", "!", ".", "-"} and span[1] - first == 1 and span[1] < len(words) else None


def _speaker(tokens: Tokens, index: int) -> tuple[int, int] | None:
    """The name before "speaking": "Jane Doe speaking."."""
    first = index
    while first and index - first < 3 and tokens.capital(first - 1) and tokens.words[first - 1] not in NOT_NAMES:
        first -= 1
    return (first, index) if first < index else None


def _answer(tokens: Tokens) -> tuple[int, int] | None:
    """The name in an answer to a question for it: up to three words that are no others, behind fillers."""
    words = tokens.words
    first = 0
    while first < len(words) and (
        words[first] in _LINKS or words[first] in {"ok", "okay", "my", "name", "i", "am", "i'm", "hi", "and", "oh"}
    ):
        first += 1
    if first >= len(words):
        return None
    span = _name(tokens, first, lower=True)
    if span is None:
        return None
    rest = words[span[1] :]
    if not rest or not rest[0].isalpha() or rest[0] in {"and", "here", "speaking", "with"}:
        return span
    return None


def _finding(tokens: Tokens, first: int, after: int) -> Finding:
    value = " ".join([word.removesuffix("'s") for word in tokens.words[first:after] if word[0].isalnum()])
    return Finding(tokens.starts[first], tokens.ends[after - 1], "NAME", value)
