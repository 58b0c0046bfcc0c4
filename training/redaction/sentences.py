"""Made-up written sentences with people and addresses in them, from written_banks.toml."""

import random
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from models.redaction import KINDS, Kind, Span
from training.redaction import written
from training.redaction.figures import Labelled
from training.redaction.people import People

_SLOT: Final = re.compile(r"\{(\w+)\}")
_KIND_OF_SLOT: Final[dict[str, Kind]] = {
    "FIRST": "NAME",
    "LAST": "NAME",
    "TITLED": "NAME",
    "STREET": "ADDRESS",
    "CORNER": "ADDRESS",
}
_MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "October", "December")
_COUNTRIES: Final = ("Germany", "United States", "India", "Norway", "Czech Republic", "Brazil", "Ireland", "Estonia")
_COMPANIES: Final = (
    "Brightwater", "Northgate Energy", "Tesco", "Delta", "Lumen Systems", "Bluebird Air", "Oakfield Bank", "Verizon",
    "Quantelo", "Fresh & Fast", "MetroLink", "Halcyon Media", "Samsung", "Kestrel Insurance", "Global Parcel Services",
)  # fmt: skip
_PHONES: Final = ("###-###-####", "(###) ###-####", "+## # ### ## ##", "0#### ######")
_CARDS: Final = ("4### #### #### ####", "5###############")
_REFERENCES: Final = ("AB######", "#######", "XK-####", "Q#R#T#")
_POSTALS: Final = ("#####", "#####", "## ###", "####", "AB# #CD", "K#A #B#")
_STATES: Final = ("TX", "IL", "NSW", "ON", "MI", "CA", "Bavaria", "Kent")
_UNITS: Final = ("Apt. {}", "Suite {}", "Apt {}", "Unit {}", "Flat {}", "#{}", "2nd floor")


def bank(*, learned: bool) -> dict[str, Any]:
    """The templates that are learned from, or those that are held out."""
    text = Path(__file__).with_name("written_banks.toml").read_text(encoding="utf-8")
    (found,) = [table for table in tomllib.loads(text)["banks"] if table["learned"] == learned]
    return found


def sentences(count: int, seed: int, *, learned: bool) -> Iterator[Labelled]:
    """`count` sentences, the same for the same `seed`; a quarter of them have no people and no addresses."""
    rng = random.Random(seed)
    writer = _Writer(rng, learned=learned)
    for number in range(count):
        kind = rng.choices(("people", "places", "calm"), (55, 20, 25))[0]
        yield writer.write(f"sentence-{number}", kind)


def as_typed(texts: Iterator[Labelled], seed: int) -> Iterator[Labelled]:
    """`texts` as people type them: a quarter without punctuation and capitals, a tenth in small letters."""
    rng = random.Random(seed)
    for item in texts:
        draw = rng.random()
        if draw < 0.25:
            yield from written.without_punctuation([item])
        elif draw < 0.35 and len(item.text.lower()) == len(item.text):
            yield item._replace(text=item.text.lower())
        else:
            yield item


class _Writer:
    def __init__(self, rng: random.Random, *, learned: bool) -> None:
        self._rng = rng
        self._people = People(rng, learned=learned)
        self._bank = bank(learned=learned)
        self._lists: dict[str, list[str]] = self._bank["lists"]

    def write(self, name: str, kind: str) -> Labelled:
        template = self._rng.choice(self._bank[kind])
        text, end, spans = "", 0, []
        for match in _SLOT.finditer(template):
            text += template[end : match.start()]
            slot, end = match[1], match.end()
            value = self._rng.choice(self._lists[slot]) if slot in self._lists else self._value(slot)
            slot_kind = _KIND_OF_SLOT.get(slot, slot)
            if slot_kind in KINDS:
                spans.append(Span(len(text), len(text) + len(value), slot_kind))
            text += value
        return Labelled(name, text + template[end:], tuple(spans))

    def _value(self, slot: str) -> str:
        rng, people = self._rng, self._people
        values = {
            "NAME": people.name,
            "FIRST": people.first,
            "LAST": people.last,
            "TITLED": people.titled,
            "TOWN": people.town,
            "COMPANY": self._company,
            "ADDRESS": self._address,
            "STREET": self._street,
            "CORNER": self._corner,
            "PHONE": lambda: self._digits(rng.choice(_PHONES)),
            "CARD": lambda: self._digits(rng.choice(_CARDS)),
            "REFERENCE": lambda: self._digits(rng.choice(_REFERENCES)),
            "EMAIL": lambda: f"{people.first().lower().replace(' ', '')}{rng.randint(1, 99)}@example.com",
            "MONTH": lambda: rng.choice(_MONTHS),
            "YEAR": lambda: str(rng.randint(1920, 2026)),
            "N": lambda: str(rng.randint(1, 99)),
        }
        return values[slot]()

    def _digits(self, pattern: str) -> str:
        return "".join(self._rng.choice("0123456789") if char == "#" else char for char in pattern)

    def _company(self) -> str:
        rng, last = self._rng, self._people.last
        if rng.random() < 0.75:
            return rng.choice(_COMPANIES)
        return rng.choice((f"{last()} Inc.", f"{last()} & Sons", f"{last()}, {last()} and {last()}", f"{last()} Ltd"))

    def _street(self) -> str:
        rng, street, number = self._rng, self._people.street(), self._rng.randint(1, 400)
        draw = rng.random()
        if draw < 0.5:
            return f"{rng.randint(1, 9999)} {street}"
        return f"{street} {number}" if draw < 0.95 else f"{street} {number}{rng.choice('abc')}"

    def _corner(self) -> str:
        before = self._rng.choice(("the corner of ", "the corner of ", ""))
        return f"{before}{self._rng.choice((self._street, self._people.street))()} and {self._people.street()}"

    def _address(self) -> str:
        rng = self._rng
        draw = rng.random()
        if draw < 0.08:
            return self._military()
        if draw < 0.14:
            return self._corner()
        parts = [self._street() if draw > 0.2 else f"{rng.choice(('P.O. Box', 'PO Box'))} {rng.randint(1, 9999)}"]
        if rng.random() < 0.1:
            parts[0] = f"{rng.randint(1, 99999)} {parts[0]}"
        if rng.random() < 0.35:
            parts.append(rng.choice(_UNITS).format(rng.randint(1, 999)))
        if rng.random() < 0.8:
            parts.append(self._town())
            if rng.random() < 0.25:
                parts.append(rng.choice(_COUNTRIES))
                if rng.random() < 0.4:
                    parts[-1] += f" {self._digits('#####')}"
        return rng.choice((", ", "\n", " ", ", ", ",\n")).join(parts)

    def _town(self) -> str:
        town, postal = self._people.town(), self._digits(self._rng.choice(_POSTALS))
        state = self._rng.choice(_STATES)
        return self._rng.choice(
            (f"{town} {postal}", f"{postal} {town}", f"{town}, {state} {postal}", town, f"{town}, {state}")
        )

    def _military(self) -> str:
        rng = self._rng
        ship = f"{rng.choice(('USS', 'USNS', 'USCGC'))} {self._people.last()}"
        where = rng.choice((ship, self._digits("PSC ####, Box ###"), self._digits("Unit #### Box ##")))
        return f"{where}\n{rng.choice(('APO', 'FPO', 'DPO'))} {rng.choice(('AE', 'AP', 'AA'))} {self._digits('#####')}"
