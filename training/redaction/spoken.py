"""Made-up turns as speech recognition writes them, with where what is to be redacted is.

They show whether a form is found, not how often people use it: no share of them is a share of real calls.
"""

import random
import re
from collections.abc import Iterator

from models.redaction import Kind, Span
from training.redaction.figures import Labelled
from training.redaction.spoken_banks import Bank

_SLOT = re.compile(r"\{(\w+)\}")
_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
    "twentieth",
)  # fmt: skip
_KIND_OF_SLOT: dict[str, Kind] = {"CARD4": "CARD", "SSN4": "SSN", "ACCOUNT4": "ACCOUNT", "SPELLED": "NAME"}
_LENGTHS = {
    "CARD": (16,),
    "CARD4": (4,),
    "CVV": (3, 3, 4),
    "ACCOUNT": (8, 9, 10, 12),
    "ACCOUNT4": (4,),
    "SSN": (9,),
} | {
    "SSN4": (4,),
    "PIN": (4, 4, 6),
    "PHONE": (10,),
    "ZIP": (5,),
}
_GROUPS = {"CARD": (4, 4, 4, 4), "SSN": (3, 2, 4), "PHONE": (3, 3, 4)}


def turns(bank: Bank, count: int, seed: int) -> Iterator[Labelled]:
    """`count` turns from `bank`, the same for the same `seed`; a fifth of them hold nothing to be redacted."""
    rng = random.Random(seed)
    kinds = list(bank.templates)
    for number in range(count):
        if rng.random() < 0.2:
            yield Labelled(f"spoken-{number}", rng.choice(bank.calm), ())
            continue
        yield _filled(f"spoken-{number}", rng.choice(bank.templates[rng.choice(kinds)]), bank, rng)


def conversations(bank: Bank, count: int, seed: int) -> Iterator[Labelled]:
    """The turns of `count` conversations: a question, a number in two parts, and its repetition."""
    rng = random.Random(seed)
    questions: dict[str, tuple[str, ...]] = {
        "CARD": ("can i have the card number please", "what's the card number"),
        "ACCOUNT": ("could you read me your account number", "what is the account number on the bill"),
        "PHONE": ("what's a good phone number for you", "may i have your phone number please"),
        "SSN": ("please confirm your social security number",),
    }
    for number in range(count):
        talk = f"spoken-conversation-{number}"
        slot = rng.choice(list(questions))
        digits = _digits(slot, rng)
        cut = rng.randint(3, len(digits) - 2)
        yield Labelled(talk, rng.choice(questions[slot]), ())
        for part in (digits[:cut], digits[cut:]):
            said = _said(part, (), bank, rng)
            before = rng.choice(("", "it's ", "okay ", "and "))
            yield Labelled(talk, before + said, (Span(len(before), len(before + said), _kind(slot)),))
            yield Labelled(talk, rng.choice(("mm-hm", "uh huh", "go on", "okay")), ())
        before, after = rng.choice((("so that's ", " correct"), ("i have ", ""), ("let me repeat ", " is that right")))
        said = _said(digits, _GROUPS.get(slot, ()), bank, rng)
        yield Labelled(talk, before + said + after, (Span(len(before), len(before + said), _kind(slot)),))


def _filled(name: str, template: str, bank: Bank, rng: random.Random) -> Labelled:
    text = ""
    spans = []
    end = 0
    for match in _SLOT.finditer(template):
        text += template[end : match.start()]
        value = _value(match[1], bank, rng)
        spans.append(Span(len(text), len(text + value), _kind(match[1])))
        text += value
        end = match.end()
    return Labelled(name, text + template[end:], tuple(spans))


def _kind(slot: str) -> Kind:
    return _KIND_OF_SLOT.get(slot, slot)  # type: ignore[arg-type, return-value]


def _value(slot: str, bank: Bank, rng: random.Random) -> str:
    if slot in _LENGTHS:
        return _said(_digits(slot, rng), _GROUPS.get(slot, ()), bank, rng)
    first, last = rng.choice(bank.first_names), rng.choice(bank.last_names)
    year = rng.randint(1940, 2004)
    values = {
        "NAME": lambda: rng.choice((f"{first} {last}", first)),
        "SPELLED": lambda: " ".join(last),
        "EMAIL": lambda: _email(first, last, bank, rng),
        "EXPIRY": lambda: rng.choice(
            (
                f"{rng.choice(_MONTHS)} {_year(rng.randint(2026, 2031), rng)}",
                f"{_single(f'{rng.randint(1, 9):02}', rng)} {_pair(rng.randint(26, 31))}",
            )
        ),
        "DATE_OF_BIRTH": lambda: rng.choice(
            (
                f"{rng.choice(_MONTHS)} {_ordinal(rng)} {_year(year, rng)}",
                f"{_ordinal(rng)} of {rng.choice(_MONTHS)} {_year(year, rng)}",
                f"{_pair(rng.randint(1, 12))} {_pair(rng.randint(13, 28))} {_year(year, rng)}",
                f"{rng.choice(_MONTHS)} {rng.choice(_UNITS[1:])} {_single(str(year), rng)}",
            )
        ),
        "REFERENCE": lambda: _code(bank, rng),
        "PASSWORD": lambda: rng.choice(
            (last + str(rng.randint(10, 999)), f"{last} {_single(str(rng.randint(100, 999)), rng)}")
        ),
        "USERNAME": lambda: first + last[:3] + str(rng.randint(1, 99)),
        "IP": lambda: " dot ".join(_octet(rng.randint(1, 254), rng) for _ in range(4)),
        "ADDRESS": lambda: _address(bank, rng),
    }
    return values[slot]()


def _digits(slot: str, rng: random.Random) -> str:
    digits = "".join(rng.choice("0123456789") for _ in range(rng.choice(_LENGTHS[slot])))
    return rng.choice("3456") + digits[1:] if slot == "CARD" else digits


def _said(digits: str, groups: tuple[int, ...], bank: Bank, rng: random.Random) -> str:
    """Digits in one of the ways that they are said and written down: words, pairs, figures, with a filler or a slip."""
    style = rng.choice(("single", "single", "double", "pairs", "figures", "grouped"))
    if style == "figures":
        return digits if rng.random() < 0.5 else " ".join(digits)
    parts = _cut(digits, groups)
    if style == "grouped":
        return " ".join(parts)
    if style == "pairs":
        words = [word for part in parts for word in _pairs(part, rng)]
    elif style == "double":
        words = [word for part in parts for word in _doubled(part, rng)]
    else:
        words = [word for part in parts for word in _single(part, rng).split()]
    middle = rng.randint(1, max(1, len(words) - 1))
    if rng.random() < 0.25 and len(words) > 2:
        words.insert(middle, rng.choice(bank.fillers))
    elif rng.random() < 0.15 and len(words) > 3:
        words[middle:middle] = [rng.choice(_UNITS[1:]), rng.choice(bank.corrections)]
    return " ".join(words)


def _cut(digits: str, groups: tuple[int, ...]) -> list[str]:
    parts = []
    for length in groups or (4,) * len(digits):
        if digits:
            parts.append(digits[:length])
            digits = digits[length:]
    return parts + ([digits] if digits else [])


def _single(digits: str, rng: random.Random) -> str:
    zero = rng.choice(("zero", "oh"))
    return " ".join(zero if digit == "0" else _UNITS[int(digit)] for digit in digits)


def _doubled(digits: str, rng: random.Random) -> list[str]:
    words = []
    for match in re.finditer(r"(\d)\1{0,2}", digits):
        word = _single(match[1], rng)
        words.append({1: word, 2: f"double {word}", 3: f"triple {word}"}[len(match[0])])
    return words


def _pairs(digits: str, rng: random.Random) -> list[str]:
    if len(digits) == 3 and digits.endswith("00") and digits[0] != "0":
        return [f"{_UNITS[int(digits[0])]} hundred"]
    words = [_single(digits[0], rng)] if len(digits) % 2 else []
    for place in range(len(digits) % 2, len(digits), 2):
        pair = digits[place : place + 2]
        words.append(_pair(int(pair)) if pair[0] != "0" else _single(pair, rng))
    return words


def _pair(number: int) -> str:
    """A number below a hundred in words."""
    if number < 10:
        return _UNITS[number]
    if number < 20:
        return _TEENS[number - 10]
    return _TENS[number // 10] + (f" {_UNITS[number % 10]}" if number % 10 else "")


def _octet(number: int, rng: random.Random) -> str:
    if number < 100:
        return _pair(number)
    low = number % 100
    return rng.choice(
        (_single(str(number), rng), f"{_UNITS[number // 100]} {_pair(low) if low > 9 else _single(f'{low:02}', rng)}")
    )


def _year(year: int, rng: random.Random) -> str:
    low = year % 100
    if year >= 2000:
        return rng.choice(
            (
                f"two thousand {_pair(low)}" if low else "two thousand",
                f"twenty {_pair(low)}" if low > 9 else f"two thousand {_pair(low)}",
            )
        )
    return f"nineteen {_pair(low) if low > 9 else _single(f'{low:02}', rng)}"


def _ordinal(rng: random.Random) -> str:
    return rng.choice(_ORDINALS)


def _email(first: str, last: str, bank: Bank, rng: random.Random) -> str:
    local = rng.choice(
        (
            f"{first} dot {last}",
            f"{first} underscore {last}",
            f"{first[0]} dot {last}",
            f"{' '.join(first)} {_pair(rng.randint(10, 99))}",
            f"{first} {last} {_single(str(rng.randint(10, 99)), rng)}",
            f"{first}{last}",
        )
    )
    return f"{local} at {rng.choice(bank.domains)}"


def _code(bank: Bank, rng: random.Random) -> str:
    parts = []
    for _ in range(rng.randint(2, 3)):
        letter = rng.choice(list(bank.letter_words))
        link = rng.choice((*bank.letter_link, ""))
        parts.append(f"{letter} {link} {bank.letter_words[letter]}" if link else letter)
    digits = str(rng.randint(1000, 99999))
    said = rng.choice((_single(digits, rng), digits, " ".join(digits)))
    return " ".join([*parts, said] if rng.random() < 0.7 else [said, *parts])


def _address(bank: Bank, rng: random.Random) -> str:
    number = str(rng.randint(1, 9999))
    said = rng.choice((number, _single(number, rng), " ".join(_pairs(number, rng))))
    town = rng.choice(bank.towns)
    postal = "".join(rng.choice("123456789") for _ in range(5))
    tail = f" {town} {rng.choice((postal, _single(postal, rng)))}" if town and rng.random() < 0.7 else ""
    return f"{said} {rng.choice(bank.streets)}{tail}"
