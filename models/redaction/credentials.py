"""Passwords and user names: whatever follows the word."""

from collections.abc import Collection, Iterator
from typing import Final

from models.redaction.cues import Cue
from models.redaction.kinds import Finding, Kind
from models.redaction.runs import UNIT_WORDS
from models.redaction.spoken import HESITATIONS, NUMBER_WORDS
from models.redaction.tokens import Tokens
from models.redaction.vocabulary import word_list

_STATES: Final = frozenset({"is", ":", "=", "was", "it's", "its", "-", "will"})
_LINKS: Final = _STATES | HESITATIONS | frozenset(word_list("credentials.links"))
# What is said of a password, and is none.
NOT_SECRETS: Final = frozenset(word_list("credentials.not_secrets"))
# Before "password", these speak about it: "I forgot my password again".
_TALKED_ABOUT: Final = frozenset(word_list("credentials.talked_about"))
_NEVER_LAST: Final = NOT_SECRETS | UNIT_WORDS | frozenset(word_list("credentials.never_last"))
# What people say for a sign or a capital within a password, and what else may stand between its parts.
_SAID: Final = frozenset(word_list("credentials.said"))
_BEFORE_AN_ANSWER: Final = _LINKS | {"yes", "yeah", "sure", "ok", "okay", ".", "so", "well", "oh"}
# In a word, beside letters; a secret that begins with one has something else in it.
_IN_WORDS: Final = "-'/."
_REACH = 6
_LONGEST = 5  # tokens of an answer that is one for its digits
_MOST_PARTS = 20  # tokens of a password that is said part by part


def credentials(tokens: Tokens, found: list[Cue], expected: tuple[Kind, ...] = ()) -> Iterator[Finding]:
    """Passwords and user names that follow their cue, or that are the answer where one was `expected`."""
    for cue in found:
        if cue.kind in {"PASSWORD", "USERNAME"} and (finding := _after(tokens, cue)):
            yield finding
    for kind in expected:
        if kind in {"PASSWORD", "USERNAME"} and (finding := _answer(tokens, kind)):
            yield finding
            break


def _after(tokens: Tokens, cue: Cue) -> Finding | None:
    words = tokens.words
    first = cue.after
    while first < len(words) and first - cue.after < _REACH and _is_said(tokens, first, _LINKS):
        first += 1
    if words[first : first + 1] == ["("]:
        first += 1
    if not _has_number(words, first) and (first == cue.after or words[first - 1] not in _STATES):
        first = _stated_later(words, first, cue.after + _REACH)
    if first >= len(words):
        return None
    stated = not _STATES.isdisjoint(words[cue.after : first])
    if not stated and not _has_number(words, first) and not _ends_text(words, cue, first):
        return None
    following = words[first + 1 : first + 3]  # "the username for 19 days", and not "9 euro 9"
    counted = bool(following) and following[0] in UNIT_WORDS and not following[-1].isdigit()
    if _is_said(tokens, first, NOT_SECRETS) or words[first] in ".?!,;" or counted:
        return None
    return _finding(tokens, first, cue.kind or "PASSWORD")


def _is_said(tokens: Tokens, index: int, words: Collection[str]) -> bool:
    """Whether the token is one of `words`, and not the first letters of a secret such as "Secure!pass" or "my_dog"."""
    if tokens.words[index] not in words:
        return False
    start = tokens.starts[index]
    rest = tokens.text[start : _chunk_end(tokens.text, start)].rstrip("!)")
    return not tokens.words[index].isalpha() or all(each.isalpha() or each in _IN_WORDS for each in rest)


def _ends_text(words: list[str], cue: Cue, first: int) -> bool:
    """Whether the one word after the cue ends the text: "name akash password arani"; not "forgot my password again"."""
    return (
        first + 1 == len(words) and first == cue.after and cue.first > 0 and words[cue.first - 1] not in _TALKED_ABOUT
    )


def _has_number(words: list[str], first: int) -> bool:
    return any(word.isdigit() or word in NUMBER_WORDS for word in words[first : first + 2])


def _stated_later(words: list[str], first: int, until: int) -> int:
    """The token after "is" in "the password that I have been using is ..."; `first` if there is none."""
    for index in range(first, min(until, len(words) - 1)):
        if (
            words[index] in _TALKED_ABOUT - {"is", "my", "new", "your", "for", "old", "account", "email", "login"}
            or words[index] in ".?!,;"
        ):
            break
        if words[index] in {"reset", "change", "link", "page", "field", "recovery"}:
            break
        if words[index] in {"is", "was", ":", "="}:
            return index + 1
    return first


def _answer(tokens: Tokens, kind: Kind) -> Finding | None:
    """The answer to a question for it: one word, or one with digits, behind fillers."""
    words = tokens.words
    first = 0
    while first < len(words) and _is_said(tokens, first, _BEFORE_AN_ANSWER):
        first += 1
    rest = words[first:]
    if not rest or _is_said(tokens, first, NOT_SECRETS):
        return None
    finding = _finding(tokens, first, kind)
    if len([word for word in rest if word.isalnum()]) == 1 or (
        len(rest) <= _LONGEST and any(word.isdigit() or word in NUMBER_WORDS for word in rest)
    ):
        return finding
    # "capital p a s s w zero r d one": it is said part by part to the end.
    return finding if finding and finding.end >= tokens.ends[-1 - (words[-1] in ".,?!")] else None


def _finding(tokens: Tokens, first: int, kind: Kind) -> Finding | None:
    words = tokens.words
    start = tokens.starts[first]
    end = _chunk_end(tokens.text, start)
    if tokens.text[start:end].startswith("["):  # what has been redacted before
        return None
    after = first + 1
    while after < len(words) and tokens.starts[after] < end:
        after += 1
    while (
        after < len(words)
        and after - first < _MOST_PARTS
        and "\n" not in tokens.apart(after)
        and _goes_on(words, first, after)
    ):
        end = tokens.ends[after]
        after += 1
    # "8 fythp", "ewru 87 cc"
    behind_digits = after > first + 1 or words[first].isdigit()
    if after + 1 == len(words) and behind_digits and words[after].isalpha() and words[after] not in _NEVER_LAST:
        end = tokens.ends[after]
    return Finding(start, end, kind, tokens.text[start:end])


def _goes_on(words: list[str], first: int, index: int) -> bool:
    """Whether the word at `index` belongs to the secret from `first` on, which goes on up to it."""
    word, before = words[index], words[index - 1]
    following = words[index + 1] if index + 1 < len(words) else ""
    if word in {"i", "a"}:  # a letter only between others: "k o a l a"
        return _is_part(before) and (not following or _is_part(following))
    if _is_part(word):  # "ram 123", "a b c one two three", "sunshine exclamation mark"
        return True
    if not word.isalpha() or word in _NEVER_LAST:
        return False
    # "mike underscore smith"; "cool cat ninety nine", and not "jane for two days"
    counted = index + 2 < len(words) and words[index + 2] in UNIT_WORDS
    return before in _SAID or (
        index == first + 1 and not counted and (following.isdigit() or following in NUMBER_WORDS)
    )


def _is_part(word: str) -> bool:
    return word.isdigit() or word in NUMBER_WORDS or word in _SAID or (len(word) == 1 and word.isalpha())


def _chunk_end(text: str, start: int) -> int:
    """Where the characters without white space end, less the punctuation of the sentence."""
    end = start
    while end < len(text) and not text[end].isspace():
        end += 1
    behind = ".,?;:\"')" if start and text[start - 1] == "(" else ".,?;:\"'"
    while end > start + 1 and text[end - 1] in behind:
        end -= 1
    return end
