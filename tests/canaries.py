"""Personal data that is planted in turns, to be looked for in all that a line gives out."""

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from stdnum import iban, luhn

from models.redaction import Kind
from training.redaction.spoken import conversations, turns
from training.redaction.spoken_banks import TUNING

_WINDOW = 4  # words: so many in a row of a longer value are a leak
_SHORT_NUMBER = 6  # digits; a log line or a metric may hold a shorter one that counts something

_SPLIT: Final = frozenset({"CARD", "ACCOUNT", "PHONE", "SSN"})

_WRITTEN: Final[dict[Kind, tuple[str, ...]]] = {
    "NAME": ("My name is {}.", "Hi, this is {} calling about the bill.", "Regards,\n{}"),
    "ADDRESS": ("My address is {}.", "I live at {}, and nobody came.", "Please send it to {}."),
    "ZIP": ("My zip code is {}.", "ZIP: {}"),
    "EMAIL": ("Write to {}, please.", "my email is {}", "{}"),
    "PHONE": ("Call me at {}.", "My phone number is {}.", "Mobile: {}"),
    "CARD": ("My card is {}.", "You charged {} twice!", "card number {} has expired"),
    "CVV": ("The CVV is {}.", "security code {}"),
    "EXPIRY": ("It expires {}.", "expiry date: {}"),
    "ACCOUNT": ("My account number is {}.", "acct no. {}"),
    "IBAN": ("Refund me to {}.", "IBAN {}"),
    "SSN": ("My SSN is {}.", "social security number: {}"),
    "PIN": ("My PIN is {}.", "the pin {} does not work"),
    "PASSWORD": ("My password is {}.", "password: {}"),
    "USERNAME": ("My username is {}.", "user name: {}"),
    "DATE_OF_BIRTH": ("I was born on {}.", "DOB {}"),
    "REFERENCE": ("Booking reference {}.", "my claim number is {}"),
    "IP": ("The router is at {}.", "my IP address is {}"),
    "URL": ("See {} for the picture.", "I uploaded it to {}"),
}


@dataclass(frozen=True)
class Turn:
    """A turn of a conversation, and what is planted in it, by kind."""

    conversation: str
    text: str
    values: tuple[tuple[Kind, str], ...]


def planted(count: int, seed: int) -> list[Turn]:
    """`count` turns, the same for the same `seed`: written, spoken, and numbers split over turns and read back."""
    rng = random.Random(seed)
    kinds = list(_WRITTEN)
    made = [_written(f"written{number}", kinds[number % len(kinds)], rng) for number in range(count * 2 // 5)]
    rest = count - len(made)
    spoken = []
    for at, bank in enumerate(TUNING):
        alone = turns(bank, rest // 2 // len(TUNING), seed + at)
        talks = conversations(bank, rest // 2 // len(TUNING) // 6 + 1, seed + at)
        spoken += [item._replace(conversation=f"{item.conversation}x{at}") for item in (*alone, *talks)]
    for item in spoken[:rest]:
        values = [(span.kind, item.text[span.start : span.end]) for span in item.spans]
        # Two digits, the rest of a number that was split, are in many texts.
        found = tuple((kind, value) for kind, value in values if len(_words(value)) > 2 or kind not in _SPLIT)
        made.append(Turn(item.conversation.replace("-", ""), item.text, found))
    return made


def _written(conversation: str, kind: Kind, rng: random.Random) -> Turn:
    value = _value(kind, rng)
    return Turn(conversation, rng.choice(_WRITTEN[kind]).format(value), ((kind, value),))


def _value(kind: Kind, rng: random.Random) -> str:
    def digits(pattern: str) -> str:
        return "".join(rng.choice("23456789") if char == "#" else char for char in pattern)

    def word(length: int) -> str:
        return "".join(rng.choice("bdfgklmnprtvz") + rng.choice("aeiou") for _ in range(length))

    if kind == "CARD":
        number = digits("4##############")
        number += luhn.calc_check_digit(number)
        return rng.choice((number, " ".join(re.findall("....", number)), "-".join(re.findall("....", number))))
    if kind == "IBAN":
        account = digits("##################")
        return f"DE{iban.calc_check_digits(f'DE00{account}')}{account}"
    made = {
        "NAME": f"{word(3).capitalize()} {word(2).capitalize()}son",
        "ADDRESS": f"{digits('####')} {word(3).capitalize()} Street, Springfield, IL {digits('#####')}",
        "ZIP": digits("#####"),
        "EMAIL": f"{word(3)}.{word(2)}{digits('##')}@{word(3)}.com",
        "PHONE": digits(rng.choice(("(###) ###-####", "###-###-####", "+44 2# #### ####"))),
        "CVV": digits("###"),
        "EXPIRY": f"0{rng.randint(1, 9)}/{rng.randint(27, 35)}",
        "ACCOUNT": digits("#########"),
        "SSN": digits("###-##-####"),
        "PIN": digits("####"),
        "PASSWORD": word(3).capitalize() + digits("###") + "!",
        "USERNAME": word(3) + digits("##"),
        "DATE_OF_BIRTH": f"{rng.randint(1, 12)}/{rng.randint(13, 28)}/19{digits('##')}",
        "REFERENCE": digits("XK####Q"),
        "IP": digits("1##.##.#.1##"),
        "URL": f"https://{word(3)}.com/{word(2)}?id={digits('######')}",
    }  # fmt: skip
    return made[kind]


@dataclass
class Sink:
    """The texts that a line gave out, by place; says which planted values are in them."""

    _places: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)

    def put(self, place: str, found: Any) -> None:
        """Takes every text within `found`, which may be a record's fields, JSON, or a text."""
        runs = self._places.setdefault(place, set())
        for text in _texts(found):
            words = _words(text)
            for length in range(1, _WINDOW + 1):
                runs.update(zip(*(words[start:] for start in range(length)), strict=False))

    def places(self) -> set[str]:
        """Where texts were found."""
        return {place for place, runs in self._places.items() if runs}

    def leaks(self, planted: Iterable[Turn], *, spare: Sequence[str] = ()) -> list[tuple[str, Kind, str]]:
        """Place, kind and value of each value that is in a place; of short numbers, not in the places `spare`."""
        return [
            (place, kind, value)
            for turn in planted
            for kind, value in turn.values
            for place, runs in self._places.items()
            if not (place in spare and len(value) < _SHORT_NUMBER and value.isdigit())
            and any(run in runs for run in _runs(value))
        ]


def _runs(value: str) -> Iterator[tuple[str, ...]]:
    words = _words(value)
    length = min(_WINDOW, len(words))
    return zip(*(words[start:] for start in range(length)), strict=False)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _texts(found: Any) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict):
        for key, value in found.items():
            yield from _texts(key)
            yield from _texts(value)
    elif isinstance(found, list | tuple | set | frozenset):
        for value in found:
            yield from _texts(value)
