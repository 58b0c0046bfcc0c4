"""Templates and values of made-up spoken turns, from spoken_banks.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final


@dataclass(frozen=True)
class Bank:
    """What turns are made of, as the file says."""

    templates: Mapping[str, list[str]]  # by kind
    calm: list[str]
    first_names: list[str]
    last_names: list[str]
    domains: list[str]
    streets: list[str]
    towns: list[str]
    fillers: list[str]
    corrections: list[str]
    letter_words: Mapping[str, str]  # "b as in boy"
    letter_link: list[str]


def _banks() -> tuple[list[Bank], list[Bank]]:
    """The banks that the rules were tuned on, and the others."""
    text = Path(__file__).with_name("spoken_banks.toml").read_text(encoding="utf-8")
    tables: list[dict[str, Any]] = tomllib.loads(text)["banks"]
    banks = [(table.pop("tuned"), Bank(**table)) for table in tables]
    return [bank for tuned, bank in banks if tuned], [bank for tuned, bank in banks if not tuned]


_ALL: Final = _banks()
TUNING: Final = _ALL[0]
HELD_OUT: Final = _ALL[1][0]
