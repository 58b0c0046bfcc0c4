"""A context-free grammar of labelled texts: templates by kind, role and label, and the lists that they draw on.

A file of `training/grammar` has `[[start]]` tables and `[rules]`. In a template `{name}` stands for a random entry of
that list, `{name?}` for that or nothing, `{#3}` for a number of three digits.
"""

import hashlib
import random
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import UsageError
from schemas.records import Role
from training.data.suite import Expected

GRAMMAR: Final = Path(__file__).parents[1] / "grammar"
"""The folder of the grammar's files."""

_REFERENCE: Final = re.compile(r"\{(?:#(?P<digits>[1-9])|(?P<name>[a-z_]+)(?P<maybe>\?)?)\}")
USED_BY_STYLES: Final = ("handle", "hashtag", "mail_end", "mail_foot", "mail_hello", "mail_quote", "name")
"""The lists that ways of writing draw on, such as a mail's greeting: every grammar must have them."""


KEPT_ASIDE: Final = 20
"""Of so many turns that were written one by one, one is not learned from: it is there to be measured on."""

LEARNED_BEFORE: Final = GRAMMAR / "learned_before.txt"
"""The SHA-256 of those of them that `cloud@3.0.0` learned from, by whose weights later models begin.

The texts that the generator of commit 536455f drew for it, before any turn was kept aside, say which; the list is made
by `training/data/learned_before.py`.
"""


class GrammarError(UsageError):
    """The grammar is not TOML, names a list that is not there, or makes too few different texts."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Start(_Part):
    """Templates of one kind and label, as somebody of that role has them."""

    kind: str = Field(pattern=r"^[a-z_]+$")
    label: Expected
    """`unsure`: no label is right, and the model is to say so by its confidence."""
    role: Role = "customer"
    style: Literal["any", "none"] = "any"
    """`any`: written or spoken in one of many ways; `none`: as it is."""
    texts: tuple[str, ...] = Field(min_length=1)


class _File(_Part):
    start: tuple[Start, ...] = ()
    rules: dict[str, tuple[str, ...]] = {}


@dataclass(frozen=True, slots=True)
class Grammar:
    """Templates to start with and the lists that they draw on. `kinds` has each kind's starts."""

    starts: tuple[Start, ...]
    rules: Mapping[str, tuple[str, ...]]

    @property
    def kinds(self) -> dict[str, list[Start]]:
        """The starts by kind."""
        found: dict[str, list[Start]] = {}
        for start in self.starts:
            found.setdefault(start.kind, []).append(start)
        return found

    @property
    def learned(self) -> "Grammar":
        """What is learned from: all but what is kept aside."""
        return self._of(lambda text: not _is_kept_aside(text))

    @property
    def aside(self) -> "Grammar":
        """What is measured on: every `KEPT_ASIDE`th turn that is whole as it stands, by its SHA-256.

        Those of `LEARNED_BEFORE` are left out: they are neither learned from nor measured on.
        """
        before = set(LEARNED_BEFORE.read_text("utf-8").split())
        return self._of(lambda text: _is_kept_aside(text) and _digest(text).hex() not in before)

    def _of(self, wanted: Callable[[str], bool]) -> "Grammar":
        parts = [
            start.model_copy(update={"texts": kept})
            for start in self.starts
            if (kept := tuple(text for text in start.texts if wanted(text)))
        ]
        return Grammar(tuple(parts), self.rules)

    def expand(self, template: str, rng: random.Random) -> str:
        """`template` with a random entry for each `{name}`, that or nothing for `{name?}`, digits for `{#3}`."""

        def filled(match: re.Match[str]) -> str:
            if digits := match["digits"]:
                return str(rng.randrange(10 ** (int(digits) - 1), 10 ** int(digits)))
            if match["maybe"] and rng.random() < 0.5:
                return ""
            return self.expand(rng.choice(self.rules[match["name"]]), rng)

        return _REFERENCE.sub(filled, template)


def load(folder: Path = GRAMMAR) -> Grammar:
    """The grammar in `folder`, whose files may use each other's lists.

    Raises GrammarError: a file is not TOML or has an unknown field; a list is empty, is in two files, is never used,
    leads back to itself, or is named and not there.
    """
    starts: list[Start] = []
    rules: dict[str, tuple[str, ...]] = {}
    for path in sorted(folder.rglob("*.toml")):
        file = _read(path)
        starts += file.start
        for name, texts in file.rules.items():
            if name in rules:
                raise GrammarError(f"{path}: the list {name!r} is in another file as well")
            if not texts:
                raise GrammarError(f"{path}: the list {name!r} is empty")
            rules[name] = texts
    if not starts:
        raise GrammarError(f"{folder}: no [[start]] in any .toml file")
    used: set[str] = set()
    for start in starts:
        for text in start.texts:
            used |= _names(text, rules, (f"the kind {start.kind!r}",))
    for name in USED_BY_STYLES:
        used |= _names("{" + name + "}", rules, ("a way of writing",))
    if unused := sorted(rules.keys() - used):
        raise GrammarError(f"{folder}: nothing uses the list {unused[0]!r}")
    return Grammar(tuple(starts), rules)


def _is_kept_aside(text: str) -> bool:
    return "{" not in text and int.from_bytes(_digest(text)[:8], "big") % KEPT_ASIDE == 0


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _names(text: str, rules: Mapping[str, tuple[str, ...]], path: tuple[str, ...]) -> set[str]:
    """The lists that `text` draws on, and those that these do."""
    found: set[str] = set()
    for match in _REFERENCE.finditer(text):
        if (name := match["name"]) is None or name in found:
            continue
        if name in path:
            raise GrammarError(
                f"the list {name!r} leads back to itself: {' > '.join([*path[path.index(name) :], name])}"
            )
        if name not in rules:
            raise GrammarError(f"{path[-1]} names the list {name!r}, which is not there")
        found.add(name)
        for entry in rules[name]:
            found |= _names(entry, rules, (*path, name))
    if "{" in (rest := _REFERENCE.sub("", text)) or "}" in rest:
        raise GrammarError(f"{path[-1]}: {text!r} has a brace that is no {{name}}, {{name?}} or {{#digits}}")
    return found


def _read(path: Path) -> _File:
    try:
        return _File.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise GrammarError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GrammarError(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise GrammarError(f"{path}: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from error
