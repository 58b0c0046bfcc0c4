"""Postal addresses: a number, a street, and what follows of unit, town, state and postal code."""

from collections.abc import Iterator
from typing import Final

from models.redaction.cues import CUE_WORDS, Cue
from models.redaction.kinds import SHAPE, SURE, Finding, Kind
from models.redaction.runs import UNIT_WORDS
from models.redaction.spoken import NUMBER_WORDS
from models.redaction.tokens import Tokens
from models.redaction.vocabulary import word_list

STREETS: Final = frozenset(word_list("addresses.streets"))
_SUFFIXES: Final = tuple(word_list("addresses.suffixes"))
_BEFORE_NAME: Final = frozenset(word_list("addresses.before_name"))
_FOREIGN: Final = frozenset(word_list("addresses.foreign"))
_LINKS: Final = frozenset(word_list("addresses.links"))
_HOUSES: Final = frozenset(word_list("addresses.houses"))
_UNIT_LINES: Final = frozenset(word_list("addresses.unit_lines"))
# Words that are a street's only with a number before and a name between.
_COMMON: Final = frozenset(word_list("addresses.common"))
_UNITS: Final = frozenset(word_list("addresses.units"))
ADDRESS_WORDS: Final = STREETS | _UNITS | {"address", "located", "residence", "live", "pobox", "psc"}
"""A text in small letters without any of these has no address."""

_STATES: Final = frozenset(word_list("addresses.states"))
_AMBIGUOUS_STATES: Final = frozenset(word_list("addresses.ambiguous_states"))
_STATE_NAMES: Final = frozenset(word_list("addresses.state_names"))
_STOPS: Final = frozenset(word_list("addresses.stops"))
_NOT_STREETS: Final = frozenset(word_list("addresses.not_streets"))
_NOT_IN_STREETS: Final = UNIT_WORDS - {"st", "nd", "rd", "th"}
_TOWN_WORDS = 5
_LONGEST_TAIL = 24  # tokens
_NAME_WORDS = 5


def addresses(tokens: Tokens, found: list[Cue], expected: tuple[Kind, ...] = ()) -> Iterator[Finding]:
    """Addresses that begin with a number or a box, and what follows the words "my address is"."""
    words = tokens.words
    index = 0
    while index < len(words):
        place = None
        if _is_number(words[index]):
            place = _numbered(tokens, index)
        elif words[index] in _UNIT_LINES:
            place = _unit(tokens, index)
        elif _is_box(words, index):
            place = _box(tokens, index)
        if place:
            first, end, sureness = place
            yield _finding(tokens, first, end, sureness)
            index = end
        else:
            index += 1
    starts = [cue.after for cue in found if cue.kind == "ADDRESS"] + ([0] if "ADDRESS" in expected else [])
    for start in starts:
        if (finding := _stated(tokens, start)) is not None:
            yield finding


def _numbered(tokens: Tokens, index: int) -> tuple[int, int, int] | None:
    """An address with its number, at `index`, before or behind the street: its tokens and how sure it is."""
    end = _street_end(tokens, index)
    if end:
        first = index - (index > 0 and tokens.words[index - 1] in _HOUSES)
        return first, _tail_end(tokens, end, open_ended=_at_start(tokens.words, index)), SURE
    start = _street_start(tokens, index)
    return None if start is None else (start, _tail_end(tokens, index + 1, open_ended=False), SHAPE)


def _unit(tokens: Tokens, index: int) -> tuple[int, int, int] | None:
    """A line of an address that stands alone: "Apt. 905"."""
    number = index + 1 + (tokens.words[index + 1 : index + 2] == ["."])
    if number < len(tokens.words) and tokens.words[number].isdigit():
        return index, number + 1, SURE
    return None


def _box(tokens: Tokens, index: int) -> tuple[int, int, int]:
    words = tokens.words
    end = _number_end(words, index + (3 if words[index] == "p" else 2))
    while end < len(words) and words[end] == "." and end - index < 6:
        end = _number_end(words, end + 2)
    return index, _tail_end(tokens, min(end, len(words)), open_ended=True), SURE


def _street_start(tokens: Tokens, number: int) -> int | None:
    """The first token of a street with its number, at `number`, behind: "Villacher Strasse 89", "Via Roma 131"."""
    words = tokens.words
    if not number or not words[number].isdigit() or len(words[number]) > 4 or "\n" in tokens.apart(number):
        return None
    first = number - 1
    word = words[first]
    if word in _FOREIGN or (len(word) > 6 and word.endswith(_SUFFIXES)):
        while first and number - first < 4 and words[first - 1] not in _STOPS and tokens.capital(first - 1):
            first -= 1
        return first
    for place in range(first - 1, max(-1, first - 4), -1):
        if words[place] in _BEFORE_NAME and tokens.capital(place):
            return place
        if not words[place][0].isalpha():
            return None
    return None


def _is_number(word: str) -> bool:
    return (word.isdigit() and len(word) < 7) or word in NUMBER_WORDS


def _at_start(words: list[str], index: int) -> bool:
    return index == 0 or words[index - 1] in {"address", "is", ":", "it's", "its", "at", "no", "to"}


def _is_box(words: list[str], index: int) -> bool:
    word = words[index]
    following = words[index + 1 : index + 4]
    if word in {"po", "pobox"}:
        return following[:1] == ["box"]
    if word == "p":
        return following == [".", "o", "."] or following[:2] == ["o", "box"]
    # Military addresses: "PSC 3294, Box 9168, APO AA 61487", "Unit 1009 Box 0219".
    return word in {"psc", "unit"} and len(following) > 1 and following[0].isdigit() and "box" in following


def _number_end(words: list[str], index: int) -> int:
    index = min(index, len(words))
    while index < len(words) and (_is_number(words[index]) or words[index] in {"box", ",", "#"}):
        index += 1
    return index


def _street_end(tokens: Tokens, index: int) -> int:
    """The token after the street whose house number is at `index`; 0 if there is no street."""
    words = tokens.words
    name = index
    while name < len(words) and (_is_number(words[name]) or words[name] in {"-", ","}):
        name += 1
    if name < len(words) and len(words[name]) == 1 and words[name].isalpha() and name + 1 < len(words):
        name += words[name] not in {"i", "a"} or tokens.capital(name)
    if name < len(words) and words[name] in {"th", "nd", "rd", "st"}:  # "14 5 th avenue"
        name += 1
    for place in range(name, min(name + _NAME_WORDS, len(words))):
        word = words[place]
        if word in _NOT_STREETS or word in _NOT_IN_STREETS or (not word[0].isalnum() and word not in ".'-"):
            break
        is_street = word in STREETS or (len(word) > 6 and word.endswith(_SUFFIXES))
        if not is_street:
            continue
        if word in _BEFORE_NAME and place == name:
            return _named_after(tokens, place)
        if place == name and (word in _COMMON or len(word) <= 6):
            continue
        after = place + 1
        return after + (after < len(words) and words[after] == ".")
    return 0 if words[name - 1] == "," else _named_end(tokens, name)


def _named_end(tokens: Tokens, name: int) -> int:
    """The token after words in capitals that a second number or a unit shows to be a street: "51 Spinatsch 94"."""
    words = tokens.words
    after = name
    while (
        after < len(words) and after - name < _NAME_WORDS and words[after][0].isalpha() and words[after] not in _UNITS
    ):
        if not (tokens.capital(after) or words[after] in {"de", "di", "da", "del", "della", "las", "la"}):
            return 0
        if "\n" in tokens.apart(after):
            break
        after += 1
    if after == name or after >= len(words) or words[name] in _NOT_STREETS or words[name] in CUE_WORDS:
        return 0
    if words[after].isdigit() and len(words[after]) < 5 and "\n" not in tokens.apart(after):
        counts = after + 1 < len(words) and words[after + 1] in _NOT_IN_STREETS  # "4K TV 55 inch"
        return 0 if counts else after + 1
    return after if words[after] in _UNIT_LINES else 0


def _named_after(tokens: Tokens, place: int) -> int:
    """The token after a street whose name follows its type: "rue de Tanger", "hwy 14"."""
    words = tokens.words
    after = place + 1
    while after < len(words) and after - place < 5 and words[after][0].isalnum() and words[after] not in _STOPS:
        if words[after].isdigit():
            return after + 1
        if "\n" in tokens.apart(after):
            break
        after += 1
    return after


def _tail_end(tokens: Tokens, end: int, *, open_ended: bool) -> int:
    """The token after unit, town, state and postal code, as far as they follow token `end`."""
    words = tokens.words
    best = index = end
    loose = 0  # words in a row that may be a town's
    while index < len(words) and loose <= _TOWN_WORDS and index - end < _LONGEST_TAIL:
        word = words[index]
        if _ends_tail(tokens, index):
            break
        if word in _UNITS and index + 1 < len(words) and words[index + 1][0] not in ",;":
            index = best = max(_number_end(words, index + 1), index + 2)
            loose = 0
            continue
        if _closes(words, index):
            best = index + 1
        if word.isdigit() or word in _STATES or word in _STATE_NAMES:
            loose = 0
        elif word[0].isalpha() and word not in NUMBER_WORDS:
            loose += 1
            if open_ended or (tokens.capital(index) and words[index - 1] in {",", ".", "-"}):
                best = index + 1
        index += 1
    return max(end, min(best, end + _TOWN_WORDS)) if loose > _TOWN_WORDS else best


def _ends_tail(tokens: Tokens, index: int) -> bool:
    """Whether the word at `index` cannot be an address's."""
    word = tokens.words[index]
    if word == ".":  # "Apt. 5" goes on
        return not index or len(tokens.words[index - 1]) > 3
    if word in _STATES or word in _STATE_NAMES or word in NUMBER_WORDS:
        return False
    return word in _STOPS or word in "?!;" or (len(word) > 6 and word.isdigit()) or tokens.apart(index).count("\n") > 1


def _closes(words: list[str], index: int) -> bool:
    """Whether an address can end with the word at `index`: a number, or a state where it is no word."""
    word = words[index]
    if word in _AMBIGUOUS_STATES:
        return index + 1 == len(words) or words[index + 1].isdigit()
    return word.isdigit() or word in NUMBER_WORDS or word in _STATES or word in _STATE_NAMES


def _stated(tokens: Tokens, start: int) -> Finding | None:
    """What follows "my address is" up to the end of its sentence, if it has a number."""
    words = tokens.words
    while start < len(words) and words[start] in _LINKS:
        start += 1
    if start >= len(words) or words[start] in _STOPS:
        return None
    if not any(_is_number(word) for word in words[start : start + 4]):
        return None
    first = start
    while first < len(words) and not _is_number(words[first]) and words[first] in _NOT_STREETS:
        first += 1
    end = _tail_end(tokens, first + 1, open_ended=True)
    return _finding(tokens, first, end, SHAPE) if end - first > 2 else None


def _finding(tokens: Tokens, first: int, after: int, sureness: int) -> Finding:
    value = "".join([word for word in tokens.words[first:after] if word[0].isalnum()])
    return Finding(tokens.starts[first], tokens.ends[after - 1], "ADDRESS", value, sureness)
