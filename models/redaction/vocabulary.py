"""The words that the rules go by, from words.toml."""

import tomllib
from pathlib import Path
from typing import Final

_TABLES: Final[dict[str, dict[str, str]]] = tomllib.loads(
    Path(__file__).with_name("words.toml").read_text(encoding="utf-8")
)


def word_list(name: str) -> list[str]:
    """The words of the set `name`, "module.set", in the file's order."""
    table, key = name.split(".")
    return _TABLES[table][key].split()


def phrases(name: str) -> list[str]:
    """The phrases of the set `name`, which have bars between them in the file."""
    table, key = name.split(".")
    return [" ".join(phrase.split()) for phrase in _TABLES[table][key].split("|")]


def has(name: str) -> bool:
    """Whether there is a set `name`."""
    table, key = name.split(".")
    return key in _TABLES[table]
