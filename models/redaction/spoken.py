"""Numbers and letters as people say them and as speech recognition writes them."""

from typing import Final, NamedTuple

from models.redaction.vocabulary import word_list

UNITS: Final = {
    word: str(digit)
    for digit, words in enumerate(
        ("zero oh o nought naught nil", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine niner")
    )
    for word in words.split()
}
TEENS: Final = {word: str(number) for number, word in enumerate(word_list("spoken.teens"), 10)}
TENS: Final = {word: str(digit) for digit, word in enumerate(word_list("spoken.tens"), 2)} | {"fourty": "4"}
TIMES: Final = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}

# The NATO alphabet, by the letter that each word begins with.
ALPHABET: Final = frozenset(word_list("spoken.alphabet"))

# What a speaker puts between the digits of one number.
HESITATIONS: Final = frozenset(word_list("spoken.hesitations"))
MISHEARD: Final = frozenset({"to", "too", "for"})
"""How a two or a four comes out of speech recognition, in the middle of a longer number."""
ASIDES: Final = HESITATIONS | frozenset(word_list("spoken.asides")) | MISHEARD
CORRECTIONS: Final = frozenset(
    {"wait", "sorry", "actually", "correction", "mean", "meant", "rather", "scratch", "oops", "make"}
)
"""After one of these, what follows takes the place of the group before it."""

NUMBER_WORDS: Final = frozenset({*UNITS, *TEENS, *TENS, *TIMES})


class Spoken(NamedTuple):
    """A number that begins at a token: its digits, the token after it, and whether it is said as an amount is."""

    digits: str
    after: int
    cardinal: bool


def number_at(words: list[str], index: int) -> Spoken | None:
    """The number that the words at `index` say, or None.

    "four" is 4, "double four" 44, "forty one" 41, "five hundred and twelve" 512, "two thousand five hundred" 2500. Two
    numbers side by side, such as "forty one eleven", are two.
    """
    word = words[index]
    if word in TIMES:
        digit = _single(words, index + 1)
        return Spoken(digit * TIMES[word], index + 2, cardinal=False) if digit else None
    small = _below_hundred(words, index)
    if small is None:
        return None
    digits, after = small
    if digits[0] == "0" or after >= len(words) or words[after] not in {"hundred", "thousand"}:
        return Spoken(digits, after, cardinal=False)
    value = int(digits)
    if words[after] == "hundred":
        value *= 100
        value, after = _added(words, after + 1, value)
    if after < len(words) and words[after] == "thousand":
        value *= 1000
        rest = _below_hundred(words, after + 1)
        if rest and rest[1] < len(words) and words[rest[1]] == "hundred":
            value, after = _added(words, rest[1] + 1, value + int(rest[0]) * 100)
        else:
            value, after = _added(words, after + 1, value)
    return Spoken(str(value), after, cardinal=True)


def letter_at(words: list[str], index: int) -> tuple[str, int] | None:
    """The letter that the words at `index` spell, and the token after it: "b", "b as in bravo", "d for delta"."""
    letter = words[index]
    if len(letter) != 1 or not letter.isalpha():
        return None
    after = index + 1
    if after < len(words) and words[after] == ",":  # "B, as in boy"
        after += 1
    link = after
    while link < len(words) and link - after < 2 and words[link] in {"as", "in", "is", "for", "like"}:
        link += 1
    if link > after and link < len(words) and len(words[link]) > 1 and words[link][0] == letter:
        return letter, link + 1
    return letter, index + 1


def _single(words: list[str], index: int) -> str | None:
    """The one digit, word or numeral, at `index`."""
    if index >= len(words):
        return None
    word = words[index]
    return word if len(word) == 1 and word.isdigit() else UNITS.get(word)


def _below_hundred(words: list[str], index: int) -> tuple[str, int] | None:
    if index >= len(words):
        return None
    word = words[index]
    if word in UNITS:
        return UNITS[word], index + 1
    if word in TEENS:
        return TEENS[word], index + 1
    if word not in TENS:
        return None
    after = index + 1
    unit = after + (after < len(words) and words[after] == "-")
    if unit < len(words) and UNITS.get(words[unit], "0") != "0":
        return TENS[word] + UNITS[words[unit]], unit + 1
    return TENS[word] + "0", after


def _added(words: list[str], index: int, value: int) -> tuple[int, int]:
    """`value` and what follows it below a hundred, after "and" or without it."""
    at = index + (index < len(words) and words[index] == "and")
    rest = _below_hundred(words, at)
    # "three hundred oh one" and "one hundred two three" are said digit by digit: only "and" or two digits are added.
    if rest is None or rest[0] == "0" or (at == index and len(rest[0]) == 1 and _below_hundred(words, rest[1])):
        return value, index
    return value + int(rest[0]), rest[1]
