"""E-mail, web and IP addresses as they are said, "jane dot doe at gmail dot com", and those that lost their dots."""

from collections.abc import Iterator
from typing import Final

from models.redaction.cues import Cue
from models.redaction.kinds import Finding, Kind
from models.redaction.spoken import HESITATIONS, NUMBER_WORDS, letter_at, number_at
from models.redaction.tokens import Tokens
from models.redaction.vocabulary import word_list

PROVIDERS: Final = frozenset(word_list("emails.providers"))
_TLDS: Final = frozenset(word_list("emails.tlds"))
_JOINERS: Final = frozenset(word_list("emails.joiners"))
_SIGNS: Final = {"dot": ".", "period": ".", "point": ".", "underscore": "_", "plus": "+"} | dict.fromkeys(
    ("dash", "hyphen", "minus"), "-"
)
# What stands before an address and is no part of it.
_STOPS: Final = HESITATIONS | frozenset(word_list("emails.stops"))
_FILL: Final = HESITATIONS | frozenset(word_list("emails.fill"))
# Words that end in "com" and are no domain.
_NOT_DOMAINS: Final = frozenset(word_list("emails.not_domains"))
_ENDS: Final = ("com", "net", "couk", "coin", "mail", "yahoo", "outlook", "yahooin", "mailin", "outlookin")
_LONG_WORD = 12  # few English words after "my email is" are as long
_WORDS_TAKEN = 2  # ordinary words before "at", as in "jane doe at gmail dot com"
_GLUED_ENDS: Final = sorted(
    (
        f"{name}{end}"
        for name in PROVIDERS
        if len(name) > 4 or name == "mail"
        for end in ("com", "net", "coin", "couk", "in", "")
    ),
    key=len,
    reverse=True,
)


def spoken_addresses(tokens: Tokens, found: list[Cue], expected: tuple[Kind, ...] = ()) -> Iterator[Finding]:
    """Addresses with "dot" in words, or with their dots and @ lost as in "jane 45 gmailcom"."""
    words = tokens.words
    index = 0
    while index < len(words):
        finding, end = _address_at(tokens, index)
        if finding:
            yield finding
        index = max(index + 1, end)
    for cue in found:
        if cue.kind == "EMAIL" and (finding := _announced(tokens, cue)):
            yield finding
    if "EMAIL" in expected:
        yield from _half(tokens)


def _address_at(tokens: Tokens, index: int) -> tuple[Finding | None, int]:
    """The address whose dot, or whose domain without one, is at token `index`, and the token after it."""
    words = tokens.words
    word = words[index]
    if word in {"dot", "period", "point"} and index:
        if end := _domain_end(words, index):
            return _around_dot(tokens, index, end)
        if (place := _ip_place(words, index)) is not None:
            first, end, value = place
            return Finding(tokens.starts[first], tokens.ends[end - 1], "IP", value), end
    elif word in PROVIDERS and index + 1 < len(words) and words[index + 1] == "com" and len(word) > 3:
        return _finding(tokens, _local_start(words, index), index + 2), index + 2
    elif len(word) > 4 and word.endswith(_ENDS) and word not in _NOT_DOMAINS:
        after_digits = index > 0 and words[index - 1].isdigit()
        local = _glued(word, after_digits=after_digits)
        if local is not None:
            first = index if local and not after_digits else _local_start(words, index)
            return _finding(tokens, first, index + 1), index + 1
    return None, 0


def _announced(tokens: Tokens, cue: Cue) -> Finding | None:
    """The one long word that follows the cue and ends as domains do: "my email is janedoearmyspyus"."""
    words = tokens.words
    first = cue.after
    while first < len(words) and first - cue.after < 3 and words[first] in {"is", "to", ":", "id", "address"}:
        first += 1
    if first < len(words) and len(words[first]) >= _LONG_WORD and words[first].endswith(tuple(_TLDS)):
        return _finding(tokens, first, first + 1)
    return None


def _around_dot(tokens: Tokens, dot: int, end: int) -> tuple[Finding | None, int]:
    """The address whose last part begins with the "dot" at token `dot`, or the link, and the token after it."""
    words = tokens.words
    first = _name_start(words, dot)
    if first and words[first - 1] in {"at", "@"}:
        return _finding(tokens, _local_start(words, first - 1), end), end
    if (at := _at_before(words, first)) is not None:
        return _finding(tokens, _local_start(words, at), end), end
    after = _path_end(words, end)
    if words[first] in {"www", "w"} or after > end:
        # Its path is not looked through again: a text of nothing but such would take the square of its length.
        return Finding(tokens.starts[first], tokens.ends[after - 1], "URL", _value(words[first:after])), after
    if words[dot - 1] in PROVIDERS and len(words[dot - 1]) > 3:
        return _finding(tokens, _local_start(words, dot - 1), end), end
    return None, end


def _path_end(words: list[str], end: int) -> int:
    """The token after the path of a link whose domain ends before token `end`: "slash help slash five two"."""
    while True:
        part = end + (words[end : end + 1] == ["forward"])
        if part + 1 >= len(words) or words[part] not in {"slash", "/"} or not words[part + 1].isalnum():
            return end
        end = part + 2
        while end < len(words) and (
            _is_number(words[end])
            or len(words[end]) == len(words[end - 1]) == 1
            or (words[end] in _JOINERS and words[end + 1 : end + 2] and words[end + 1].isalnum())
            or words[end - 1] in _JOINERS
        ):
            end += 1


def _ip_place(words: list[str], dot: int) -> tuple[int, int, str] | None:
    """Where an IPv4 address is whose first "dot" is at `dot`, as tokens from and to (exclusive), and the address."""
    first = dot
    while first > 0 and dot - first < 4 and _is_number(words[first - 1]):
        first -= 1
    parts = [""]
    index = first
    while index < len(words) and len(parts) < 5:
        word = words[index]
        if word in {"dot", "point", "period"} and parts[-1] and len(parts) < 4:
            parts.append("")
            index += 1
        elif word.isdigit():
            parts[-1] += word
            index += 1
        elif (number := number_at(words, index)) is not None:
            parts[-1] += number.digits
            index = number.after
        else:
            break
    if len(parts) != 4 or not all(part and len(part) < 4 for part in parts):
        return None
    return first, index, ".".join(parts)


def _is_number(word: str) -> bool:
    return word.isdigit() or word in NUMBER_WORDS or word == "hundred"


def _name_start(words: list[str], dot: int) -> int:
    """The first token of the domain's name, whose last "dot" is at `dot`: "mail dot example" and spelled letters."""
    first = dot - 1
    while first > 0 and dot - first < 16:
        before = words[first - 1]
        if before in _JOINERS and first > 1:
            first -= 2
        elif before in {"at", "@"} or (before in _STOPS and len(before) > 1):
            break
        elif (
            len(before) == 1
            or len(words[first]) == 1
            or (number_at(words, first - 1) and before.isalpha())
            or (first > 1 and words[first - 2] in {"at", "@"})
        ):
            first -= 1
        else:
            break
    return first


def _at_before(words: list[str], first: int) -> int | None:
    """The "at" up to four words before a domain's last word: "at my company dot com"."""
    for at in range(first - 1, max(0, first - 5), -1):
        if words[at] in {"at", "@"}:
            before = words[at - 1]
            return at if before.isalnum() and (before not in _STOPS or before in NUMBER_WORDS) else None
        if not words[at].isalpha():
            return None
    return None


def _domain_end(words: list[str], dot: int) -> int:
    """The token after "dot com" or "dot co dot uk" at `dot`; 0 if no domain ends there."""
    at = dot + 1
    for length in (2, 3):  # "dot f m"
        letters = words[at : at + length]
        if len(letters) == length and all(len(word) == 1 for word in letters) and "".join(letters) in _TLDS | {"fm"}:
            return at + length
    if at >= len(words) or words[at] not in _TLDS:
        return 0
    if at + 2 < len(words) and words[at + 1] in {"dot", "period"} and words[at + 2] in _TLDS:
        return at + 3
    return at + 1


def _local_start(words: list[str], at: int) -> int:
    """The first token of the part before "at" (token `at`): letters, numbers, what joiners tie, an ordinary word."""
    index, taken = at, 0
    tied = True
    while index > 0 and at - index < 60:
        word = words[index - 1]
        if word in _JOINERS:
            tied = True
        elif word.isdigit() or (len(word) == 1 and word.isalpha()):
            tied = False
        elif (spelled := _spelled_start(words, index)) is not None:
            index = spelled
            tied = False
            continue
        elif number_at(words, index - 1) and word not in {"o", "nil"}:
            tied = False
        elif (word in _FILL and index < at) or (word == "," and _is_letter(words, index - 1)):  # "j as in juliet, o, n"
            pass
        elif not word.isalpha() or (word in _STOPS and not (index == at and word not in {"is", "it", "my", "me"})):
            break
        elif tied or (taken < _WORDS_TAKEN and index == at) or (taken < _WORDS_TAKEN and word not in _STOPS):
            taken += not tied
            tied = False
        else:
            break
        index -= 1
    while index < at and words[index] in _FILL:
        index += 1
    return index


def _is_letter(words: list[str], end: int) -> bool:
    """Whether a letter that is spelled ends before token `end`."""
    before = words[end - 1] if end > 0 else ""
    return (len(before) == 1 and before.isalpha()) or (bool(before) and _spelled_start(words, end) is not None)


def _spelled_start(words: list[str], end: int) -> int | None:
    """The token where "b as in bravo" or "d for delta" begins that ends before token `end`."""
    for length in (5, 4, 3):
        start = end - length
        if start >= 0 and (spelled := letter_at(words, start)) and spelled[1] == end:
            return start
    return None


def _glued(word: str, *, after_digits: bool) -> str | None:
    """What is before the provider in "janegmailcom"; None if the word is no address."""
    for end in _GLUED_ENDS:
        # "mail" alone and "gmail" alone are words.
        if word.endswith(end) and (end[-3:] in {"com", "net"} or len(word) > len(end) + 2 or after_digits):
            if end in {"mail", "mailin", "outlook", "outlookin"} and not after_digits:
                continue
            return word[: -len(end)]
    if word.endswith("com") and (len(word) > 7 or (after_digits and len(word) > 5)):
        return word[:-3]
    if word.endswith("net") and len(word) > 12:
        return word[:-3]
    return None


def _half(tokens: Tokens) -> Iterator[Finding]:
    """What can only be a part of an address where one was asked for: "jane dot doe", "at example dot com"."""
    words = tokens.words
    index = 0
    while index < len(words):
        if words[index] in {"dot", "underscore", "at", "@"} and 0 < index + 1 < len(words):
            first = _local_start(words, index) if words[index] not in {"at", "@"} else index
            after = index + 1
            while (
                after < len(words) and after - index < 12 and words[after] not in _STOPS and words[after] not in ",?!"
            ):
                after += 1
            if after - first > 2 or words[index] in {"dot", "underscore"}:
                yield _finding(tokens, first, after)
            index = after
        index += 1


def _finding(tokens: Tokens, first: int, end: int) -> Finding:
    return Finding(tokens.starts[first], tokens.ends[end - 1], "EMAIL", _value(tokens.words[first:end]))


def _value(words: list[str]) -> str:
    """The address that `words` say, in one form."""
    parts = []
    index = 0
    while index < len(words):
        word = words[index]
        if word == "at":
            parts.append("@")
        elif word in _SIGNS:
            parts.append(_SIGNS[word])
        elif (spelled := letter_at(words, index)) is not None:
            parts.append(spelled[0])
            index = spelled[1] - 1
        elif (number := number_at(words, index)) is not None:
            parts.append(number.digits)
            index = number.after - 1
        elif word not in _FILL:
            parts.append(word)
        index += 1
    return "".join(parts)
