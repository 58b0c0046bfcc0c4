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
from models.redaction.vocabulary import word_list

# Words that a chat begins with, or that follow "I am" and "my name is", and are no names.
NOT_NAMES: Final = (
    CUE_WORDS | SHORT_WORDS | UNIT_WORDS | NUMBER_WORDS | HESITATIONS | frozenset(word_list("names.not_names"))
)
_TITLES: Final = frozenset(word_list("names.titles"))
_PARTICLES: Final = frozenset(word_list("names.particles"))
_LINKS: Final = HESITATIONS | frozenset(word_list("names.links"))
_GREETINGS: Final = frozenset(word_list("names.greetings"))
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
NAME_WORDS: Final = frozenset({*word_list("names.name_words"), *_TRIGGERS, *_TITLES, *_GREETINGS})
_OF_THINGS: Final = frozenset(word_list("names.of_things"))  # "file name" is nobody's
_ALSO_NAMES: Final = frozenset(word_list("names.also_names"))  # words that are names when they have a capital
_ANSWER_LINKS: Final = frozenset(word_list("names.answer_links"))
_JOINTS: Final = frozenset({".", "-", "'"})
_BETWEEN_LETTERS: Final = HESITATIONS | {"-", ",", ".", "double", "o", "dash"}
_LONGEST = 4
_SIGNATURE = re.compile(
    r"(?:^|\n)[ \t]*+(?:(?:best|kind|warm|many)[ \t]++)?(?:regards|wishes|sincerely|yours (?:truly|faithfully)|"
    r"cheers|thanks|thank you|love)[ \t]*+[,.!]?[ \t]*+\n++[ \t]*+(?=\w)",
    re.IGNORECASE,
)
_SPEAKER = re.compile(r"(?:^|\n)(?=[^\W\d_]{2,20}(?: [^\W\d_]{2,20})?: )")
_NOT_SPEAKERS: Final = frozenset(word_list("names.not_speakers"))


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
        for first, after in _spelled_again(tokens.words, seen):
            covered |= {*range(first, after)}
            yield _finding(tokens, first, after)
        for index, word in enumerate(tokens.words):
            if word.removesuffix("'s") in seen and index not in covered:
                yield _finding(tokens, index, index + 1)


def _spelled_again(words: list[str], seen: set[str]) -> Iterator[tuple[int, int]]:
    """Where three letters or more are spelled that are one of the words `seen`."""
    index = 0
    while index < len(words):
        span = _spelled(words, index) if len(words[index]) == 1 and words[index].isalpha() else None
        if span and _letters(words, *span) in seen:
            yield span
        index = span[1] if span else index + 1


def _letters(words: list[str], first: int, after: int) -> str:
    """The letters that are spelled from token `first` to `after`; empty where another word stands among them."""
    letters = ""
    while first < after:
        spelled = letter_at(words, first)
        if spelled is None and words[first] not in _BETWEEN_LETTERS:
            return ""
        letter, first = spelled or ("", first + 1)
        letters += letter
    return letters


def _announced(tokens: Tokens, found: list[Cue]) -> Iterator[tuple[int, int]]:
    words = tokens.words
    for cue in found:
        if cue.kind == "NAME" and (span := _after_cue(tokens, cue)):
            yield span
    for index, word in enumerate(words):
        if word in NAME_WORDS and (span := _announced_at(tokens, index)):
            yield span
    if "\n" in tokens.text:
        for match in _SIGNATURE.finditer(tokens.text):
            yield from _at(tokens, match.end())
    if ":" in tokens.text:
        for match in _SPEAKER.finditer(tokens.text):
            yield from _at(tokens, match.end())


def _announced_at(tokens: Tokens, index: int) -> tuple[int, int] | None:
    """The name that the word at `index` announces."""
    words = tokens.words
    word = words[index]
    before = words[index - 1] if index else ""
    following = words[index + 1] if index + 1 < len(words) else ""
    span = None
    if word in _TITLES - {"sir", "madam"}:
        span = _name(tokens, index + 1 + (following == "."), lower=word not in {"miss", "doctor"})
    elif word in {"it's", "i'm", "im"} or (word == "am" and before == "i"):
        span = _this_is(tokens, index + 1)
    elif word == "this" and following == "is":
        span = _this_is(tokens, index + 2)
    elif word in _GREETINGS:
        span = _greeted(tokens, index + 1)
    elif word == "name's":
        span = _name(tokens, index + 1, lower=True)
    elif word in _TRIGGERS and (not _TRIGGERS[word] or following in _TRIGGERS[word]):
        addressed = word == "speaking" and before in {"you're", "are", "youre", "i'm", "am"}
        span = _name(tokens, index + 1 + bool(_TRIGGERS[word]), lower=addressed or word == "holder")
    elif word in {"spelled", "spelt", "spelling"}:
        span = _spelled(words, index + 1)
    elif word == "speaking" and index and not following.isalpha():
        span = _speaker(tokens, index)
    return span


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
    if cue.first and words[cue.first - 1] in _OF_THINGS:
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
    if first >= len(words) or not words[first][0].isalpha():
        return None
    if spelled := _spelled(words, first):
        return spelled
    capital = tokens.capital(first)
    if not (capital or lower) or not _can_begin(tokens, first):
        return None
    after = first + 1
    while after < len(words) and after - first < _LONGEST and _goes_on(tokens, after, capital=capital):
        after += 1
    while after > first + 1 and words[after - 1] in _PARTICLES | _JOINTS:
        after -= 1
    return first, after


def _can_begin(tokens: Tokens, index: int) -> bool:
    """Whether the word at `index` can be a name's first: none of the common ones, unless capitals say otherwise."""
    words = tokens.words
    word = words[index]
    if word not in NOT_NAMES:
        return True
    if not tokens.capital(index):
        return False
    followed = index + 1 < len(words) and tokens.capital(index + 1)
    return word in _ALSO_NAMES or (followed and len(word) > 3 and word not in _GREETINGS)


def _goes_on(tokens: Tokens, index: int, *, capital: bool) -> bool:
    """Whether the token at `index` can be a part of the name before it, which began with a `capital` or did not."""
    words = tokens.words
    word = words[index]
    if "\n" in tokens.apart(index):
        return False
    leads_on = index + 1 < len(words) and words[index + 1][0].isalpha()
    if word in _JOINTS:  # "E. Forster", "Jean-Luc", "O'Brien"
        glued = word != "." and not tokens.apart(index) and leads_on and not tokens.apart(index + 1)
        return leads_on and (len(words[index - 1]) == 1 or glued)
    if word in _PARTICLES and leads_on:
        return True
    if not word[0].isalpha() or (capital and not tokens.capital(index)):
        return False
    initial = len(word) == 1 and word not in {"i", "a"}
    return initial or word not in NOT_NAMES


def _spelled(words: list[str], first: int) -> tuple[int, int] | None:
    """The name that is spelled from token `first`, in three letters or more."""
    index, letters, end = first, 0, first
    while index < len(words):
        if (spelled := letter_at(words, index)) is not None:
            index = end = spelled[1]
            letters += 1
        elif letters and words[index] in _BETWEEN_LETTERS:
            index += 1
        else:
            break
    return (first, end) if letters > 2 else None


def _this_is(tokens: Tokens, first: int) -> tuple[int, int] | None:
    """The name after "this is" or "I am": in capitals, or in small letters if what follows is what follows names."""
    words = tokens.words
    if first >= len(words) or words[first] in NOT_NAMES or not words[first][0].isalpha():
        return None
    if tokens.capital(first):
        shouted = tokens.text[tokens.starts[first] : tokens.ends[first]].isupper() and len(words[first]) > 2
        return None if shouted and not tokens.text.isupper() else _name(tokens, first, lower=False)
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
    while first < len(words) and (words[first] in _LINKS or words[first] in _ANSWER_LINKS):
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
    words = [word.removesuffix("'s") for word in tokens.words[first:after] if word[0].isalnum()]
    value = (_letters(tokens.words, first, after) if len(words) > 2 else "") or " ".join(words)
    return Finding(tokens.starts[first], tokens.ends[after - 1], "NAME", value)
