"""Names of people, streets and towns to fill made-up sentences with, from names.toml; a quarter of them held out."""

import random
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zlib import crc32

_HELD_OUT_OF = 4
_LONGEST_NAME = 14
_TITLES: Final = ("Mr.", "Mrs.", "Ms.", "Mr", "Mrs", "Ms", "Miss", "Dr.", "Dr", "Prof.", "Sir", "Herr", "Señora", "Mx.")


def held_out(name: str) -> bool:
    """Whether `name`, in any case, is measured on and not learned from."""
    return crc32(name.casefold().encode()) % _HELD_OUT_OF == 0


@dataclass(frozen=True)
class Origin:
    """Names that are at home in one place."""

    first: list[str]
    last: list[str]
    streets: list[str]
    towns: list[str]


def origins(*, learned: bool) -> list[Origin]:
    """The origins with the names that are learned from, or with those that are held out."""
    text = Path(__file__).with_name("names.toml").read_text(encoding="utf-8")

    def names(table: dict[str, str], key: str) -> list[str]:
        found = [" ".join(name.split()) for name in table.get(key, "").split("|")]
        return [name for name in found if name and held_out(name) != learned]

    return [
        Origin(*(names(table, key) for key in ("first", "last", "streets", "towns")))
        for table in tomllib.loads(text)["origins"]
    ]


class Chain:
    """Words made of others' letters by a chain of the third order (Markov 1913)."""

    def __init__(self, words: Iterable[str], rng: random.Random) -> None:
        self._rng = rng
        self._next: dict[str, list[str]] = defaultdict(list)
        for word in words:
            padded = f"^^^{word.lower()}$"
            for place in range(3, len(padded)):
                self._next[padded[place - 3 : place]].append(padded[place])

    def draw(self) -> str:
        """A word in small letters, of at least two."""
        word = "^^^"
        while not word.endswith("$") and len(word) < _LONGEST_NAME:
            word += self._rng.choice(self._next[word[-3:]])
        made = word.strip("^$")
        return made if len(made) > 1 else self.draw()


class People:
    """Draws people, streets and towns; first and last name are of one origin in most draws.

    Where names are learned, a third of them are made of the letters of others, so that it is their place in the
    sentence that is learned as well.
    """

    def __init__(self, rng: random.Random, *, learned: bool) -> None:
        self._rng = rng
        self._origins = origins(learned=learned)
        self._streets = [street for origin in self._origins for street in origin.streets]
        self._towns = [town for origin in self._origins for town in origin.towns]
        words = [name for origin in self._origins for name in (*origin.first, *origin.last) if name.isalpha()]
        self._chain = Chain(words, rng) if learned else None

    def first(self) -> str:
        """A first name."""
        return self._name(self._rng.choice(self._origins).first)

    def last(self) -> str:
        """A last name."""
        return self._name(self._rng.choice(self._origins).last)

    def street(self) -> str:
        """A street, without a number."""
        return self._rng.choice(self._streets)

    def town(self) -> str:
        """A town."""
        return self._rng.choice(self._towns)

    def name(self) -> str:
        """A person, in one of the ways that people are named."""
        rng = self._rng
        origin = rng.choice(self._origins)
        other = rng.choice(self._origins) if rng.random() < 0.15 else origin
        first, last = self._name(origin.first), self._name(other.last)
        ways = (
            (50, lambda: f"{first} {last}"),
            (12, lambda: first),
            (6, lambda: last),
            (7, lambda: f"{first} {rng.choice('ABCDEFGHJKLMNPRSTVW')}. {last}"),
            (4, lambda: f"{first} {rng.choice('ABCDEFGHJKLMNPRSTVW')} {last}"),
            (5, lambda: f"{first} {self._name(origin.first)} {last}"),
            (4, lambda: f"{first} {last}-{self._name(origin.last)}"),
            (4, lambda: f"{first} {last} {self._name(origin.last)}"),
            (5, self.titled),
            (3, lambda: f"{first} {last} {rng.choice(('Jr.', 'Sr.', 'PhD', 'MD', 'III'))}"),
        )
        return rng.choices([way for _, way in ways], [weight for weight, _ in ways])[0]()

    def titled(self) -> str:
        """A person with a title."""
        last = self.last()
        return f"{self._rng.choice(_TITLES)} {f'{self.first()} {last}' if self._rng.random() < 0.4 else last}"

    def _name(self, names: list[str]) -> str:
        if self._chain and self._rng.random() < 1 / 3:
            return self._chain.draw().capitalize()
        return self._rng.choice(names)
