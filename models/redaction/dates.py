"""Dates: of birth, of a card's expiry, and all others, whose digits are no numbers."""

import sys
from bisect import bisect_left, bisect_right
from typing import Final, NamedTuple

from models.redaction.cues import Cue
from models.redaction.kinds import Finding, Kind
from models.redaction.spoken import HESITATIONS, TEENS, TENS, UNITS, number_at
from models.redaction.tokens import Tokens
from models.redaction.vocabulary import word_list

MONTHS: Final = {
    name: month
    for month, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sept sep septemper",
            "october oct",
            "november nov",
            "december dec",
        ),
        1,
    )
    for name in names.split()
}
ORDINALS: Final = {
    word: number
    for number, word in enumerate(
        word_list("dates.ordinals"),
        1,
    )
} | {"thirtieth": 30}
DATE_WORDS: Final = frozenset({*MONTHS, "/", "-", "."})

_SUFFIXES = frozenset({"st", "nd", "rd", "th"})
_FILL = frozenset({"of", "the", ",", "-", "/", ".", "and", "in", "year", "slash", "dash", "'"}) | HESITATIONS
_LINKS = HESITATIONS | frozenset(word_list("dates.links"))
_CUED: Final[frozenset[Kind | None]] = frozenset({"DATE_OF_BIRTH", "EXPIRY"})


class Dates(NamedTuple):
    """Where dates are, as tokens from and to (exclusive) in order and apart, and the findings among them."""

    places: list[tuple[int, int]]
    findings: list[Finding]

    def cover(self, first: int, after: int) -> bool:
        """Whether tokens `first` to `after` lie within a date."""
        number = bisect_right(self.places, (first, sys.maxsize)) - 1
        return number >= 0 and after <= self.places[number][1]


def dates(tokens: Tokens, found: list[Cue], expected: tuple[Kind, ...] = ()) -> Dates:
    """The dates among `tokens`, and those of birth or expiry: a cue of `found` beside them, or `expected`, says so."""
    words = tokens.words
    places = _places(tokens)
    findings: list[Finding] = []
    extended: list[tuple[int, int]] = []
    cued = [cue for cue in found if cue.kind in _CUED]
    cued += [Cue(0, 0, kind) for kind in expected if kind in _CUED]
    for cue in cued:
        place = _cued_place(tokens, cue, places)
        if place and cue.kind:
            extended.append(place)
            first, after = place
            value = "".join([word for word in words[first:after] if word.isalnum()])
            findings.append(Finding(tokens.starts[first], tokens.ends[after - 1], cue.kind, value))
    return Dates(_apart(places + extended), findings)


def _apart(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """`places` in order, those that overlap made one."""
    result: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if result and start < result[-1][1]:
            result[-1] = result[-1][0], max(end, result[-1][1])
        else:
            result.append((start, end))
    return result


def _cued_place(tokens: Tokens, cue: Cue, places: list[tuple[int, int]]) -> tuple[int, int] | None:
    words = tokens.words
    first = cue.after
    while first < len(words) and first - cue.after < 8 and words[first] in _LINKS:
        first += 1
    after = _date_end(words, first)
    if after > first and any(_parts(words, first, after)):
        return first, after
    # The date before the cue, and the one after it.
    number = bisect_left(places, (cue.after, 0))
    for start, end in places[max(0, number - 1) : number + 1]:
        whole = max(end, _date_end(words, start))
        if cue.after <= start < cue.after + 8 or whole <= cue.first < whole + 4:
            return start, whole
    return None


def _parts(words: list[str], first: int, after: int) -> list[str]:
    """The words of a date that carry it: a month, or two digits at least."""
    carrying = [word for word in words[first:after] if word in MONTHS]
    digits = sum(
        len(word) if word.isdigit() else 1 + (word in TEENS) for word in words[first:after] if _is_number(word)
    )
    return carrying if carrying and len(words[first:after]) > 1 else ["digits"] if digits > 1 else []


def _is_number(word: str) -> bool:
    return word.isdigit() or word in UNITS or word in TEENS or word in TENS or word in ORDINALS


def _date_end(words: list[str], first: int) -> int:
    """The token after the date that begins at `first`, as far as its words can be a date's; `first` if none."""
    index = end = first
    digits = 0
    while index < len(words) and index - first < 24 and digits < 9:
        word = words[index]
        if word in MONTHS or word in ORDINALS or word in {"hundred", "thousand"}:
            index += 1
        elif word.isdigit() and len(word) <= 8:
            digits += len(word)
            index += 1
        elif word in _SUFFIXES:
            index += 1
        elif (number := number_at(words, index)) is not None:
            digits += len(number.digits)
            index = number.after
        elif word in _FILL and index > first:
            index += 1
            continue
        else:
            break
        end = index
    return end


def _places(tokens: Tokens) -> list[tuple[int, int]]:
    """Dates that show by themselves: "9/25/1945", "2018-09-14", "the 4th of july 1982", "sep 28 th 2018"."""
    words = tokens.words
    places = []
    index = 0
    while index < len(words):
        word = words[index]
        after = 0
        spelling = (
            index > 1 and words[index - 1] in {"in", "for", "like"} and word[0] in words[max(0, index - 3) : index]
        )
        if (
            word in MONTHS
            and not spelling
            and (word not in {"may", "march", "mar", "jan", "dec"} or _beside_day(words, index))
        ):
            first = index
            while first and (
                words[first - 1] in {"of", "the"} | _SUFFIXES
                or words[first - 1] in ORDINALS
                or words[first - 1] in TENS
                or (words[first - 1].isdigit() and len(words[first - 1]) < 3)
            ):
                first -= 1
            after = _named_end(words, index + 1)
            places.append((first, after))
        elif word.isdigit() and len(word) <= 4 and (after := _separated(tokens, index)):
            places.append((index, after))
        index = max(index + 1, after)
    return places


def _beside_day(words: list[str], index: int) -> bool:
    """Whether a day or a year is beside a word that is a month's and more: "may" and "march"."""
    near = words[max(0, index - 2) : index] + words[index + 1 : index + 2]
    if any(word in ORDINALS or word in _SUFFIXES or (word.isdigit() and len(word) <= 2) for word in near):
        return True
    following = words[index + 1] if index + 1 < len(words) else ""
    return following in TENS or following in UNITS or (len(following) == 4 and following[:2] in {"19", "20"})


def _named_end(words: list[str], index: int) -> int:
    """The token after day and year that follow a month's name."""
    end = index
    if index < len(words) and words[index].isdigit() and (len(words[index]) <= 2 or words[index][:2] in {"19", "20"}):
        end = index + 1
    elif index < len(words) and (words[index] in ORDINALS or words[index] in TENS):
        end = index + 1
        if end < len(words) and words[end] in ORDINALS:
            end += 1
    if end < len(words) and words[end] in _SUFFIXES:
        end += 1
    year = end + (end < len(words) and words[end] == ",")
    if year < len(words) and words[year].isdigit() and len(words[year]) == 4 and words[year][:2] in {"19", "20"}:
        return year + 1
    return end


def _separated(tokens: Tokens, index: int) -> int:
    """The token after a date in figures with one separator, such as 9/25/1945; 0 if there is none."""
    words = tokens.words
    if index + 4 >= len(words) or words[index + 1] not in {"/", "-", "."} or words[index + 1] != words[index + 3]:
        return 0
    one, two, three = words[index], words[index + 2], words[index + 4]
    if not (two.isdigit() and three.isdigit()) or any(tokens.apart(place) for place in range(index + 1, index + 5)):
        return 0
    beyond = index + 5
    if _goes_on(tokens, beyond, 1) or (index and _goes_on(tokens, index - 1, -1)):  # part of a longer number
        return 0
    lengths = len(one), len(two), len(three)
    if lengths[0] == 4 and max(lengths[1:]) <= 2:
        return beyond if _day_and_month(two, three) else 0
    return beyond if max(lengths[:2]) <= 2 and lengths[2] in {2, 4} and _day_and_month(one, two) else 0


def _goes_on(tokens: Tokens, sign: int, step: int) -> bool:
    """Whether a separator at token `sign` ties what is before it to a number behind it; `step` -1: the other way."""
    words = tokens.words
    number = sign + step
    if not (sign < len(words) and 0 <= number < len(words)) or words[sign] not in {"/", "-", "."}:
        return False
    glued = not tokens.apart(sign if step > 0 else sign + 1) and not tokens.apart(number if step > 0 else sign)
    return glued and words[number].isdigit()


def _day_and_month(one: str, two: str) -> bool:
    first, second = int(one), int(two)
    return 1 <= first <= 31 and 1 <= second <= 31 and min(first, second) <= 12
