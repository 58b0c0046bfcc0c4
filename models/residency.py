"""What may leave the worker: a turn's text without personal data, and which turns stay on the edge altogether."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, get_args

from models.languages import shortest
from models.redaction import KINDS, Kind, Redaction
from models.router import Decision
from schemas.records import Channel, Role

_ALLOWED: Final[Mapping[str, Sequence[str]]] = {
    "kinds": KINDS,
    "roles": get_args(Role),
    "channels": get_args(Channel),
}
CONDITIONS: Final = ("kinds", "roles", "channels", "languages", "sources", "attributes")


class Turn(Protocol):
    """What rules go by; a TranscriptEvent is one."""

    @property
    def conversation_id(self) -> str:
        """Whose turns are read with each other in mind."""

    @property
    def text(self) -> str:
        """What was said."""

    @property
    def role(self) -> Role:
        """Who said it."""

    @property
    def channel(self) -> Channel:
        """Where."""

    @property
    def language(self) -> str | None:
        """In which language, where that is known."""

    @property
    def source(self) -> str:
        """Which system recorded it."""

    @property
    def attributes(self) -> Mapping[str, str]:
        """What else that system says of it."""


class Found(NamedTuple):
    """What is known of a turn before it is routed."""

    text: str  # as it may leave the worker; empty where that is not known
    kinds: tuple[Kind, ...]  # of what was taken out of it
    is_local: bool  # it stays on the edge
    failure: str | None = None  # the kind of error that its redaction failed with

    def decided(self, decision: Decision) -> Decision:
        """The router's decision, or that the turn stays."""
        return Decision("edge", "sensitive_local", decision.complexity) if self.is_local else decision


def look(turn: Turn, redaction: Redaction, rules: Sequence["LocalRule"]) -> Found:
    """What may leave of `turn`, the next of its conversation: nothing where one of `rules` holds or redaction fails."""
    try:
        redacted = redaction.redact(turn.conversation_id, turn.text)
    except Exception as error:  # noqa: BLE001 - whatever it is, the text must not leave
        # The name of the error alone: its message may hold the text.
        return Found("", (), is_local=True, failure=type(error).__name__)
    is_local = any(rule.holds(turn, redacted.kinds) for rule in rules)
    return Found(redacted.text, redacted.kinds, is_local)


@dataclass(frozen=True, slots=True, repr=False)
class LocalRule:
    """Holds for a turn that meets every condition; a condition is met by any of its values, an empty one by all.

    `languages` are BCP 47 prefixes, in small letters: `de` is met by `de-AT`. `attributes` are the turn's own, by
    name.
    """

    kinds: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    languages: tuple[str, ...] = ()
    sources: frozenset[str] = frozenset()
    attributes: tuple[tuple[str, frozenset[str]], ...] = ()

    def __repr__(self) -> str:
        """The conditions that there are, as `edgewise config` shows them."""
        named = {name: getattr(self, name) for name in CONDITIONS[:-1]}
        named |= {f"attributes.{name}": values for name, values in self.attributes}
        return " and ".join(f"{name} {'|'.join(sorted(values))}" for name, values in named.items() if values)

    def table(self) -> dict[str, Any]:
        """What `local_rule` makes this rule of."""
        made: dict[str, Any] = {name: sorted(values) for name in CONDITIONS[:-1] if (values := getattr(self, name))}
        if self.attributes:
            made["attributes"] = {name: sorted(values) for name, values in self.attributes}
        return made

    def holds(self, turn: Turn, kinds: Collection[str]) -> bool:
        """Whether the rule holds for `turn`, in whose text `kinds` were found."""
        return (
            (not self.kinds or not self.kinds.isdisjoint(kinds))
            and (not self.roles or turn.role in self.roles)
            and (not self.channels or turn.channel in self.channels)
            and (not self.languages or _speaks(turn.language, self.languages))
            and (not self.sources or turn.source in self.sources)
            and all(turn.attributes.get(name) in values for name, values in self.attributes)
        )


def local_rule(table: Any) -> LocalRule:
    """The rule that `table` says, as it is read from TOML or JSON: conditions, each with its values.

    Raises ValueError, which says what is wrong and what is allowed.
    """
    if not isinstance(table, Mapping) or not table:
        raise ValueError(f"a rule is a table with one or more of {', '.join(CONDITIONS)}")
    for name in table:
        if name not in CONDITIONS:
            raise ValueError(f"{name!r} is no condition: allowed is {', '.join(CONDITIONS)}")
    found = {name: _values(name, values) for name, values in table.items() if name != "attributes"}
    for name, values in found.items():
        for value in values:
            if name in _ALLOWED and value not in _ALLOWED[name]:
                raise ValueError(f"{value!r} in {name}: allowed is {', '.join(_ALLOWED[name])}")
    attributes = table.get("attributes", {})
    if not isinstance(attributes, Mapping) or ("attributes" in table and not attributes):
        raise ValueError("attributes is a table of an attribute's name and its values")
    return LocalRule(
        kinds=frozenset(found.get("kinds", ())),
        roles=frozenset(found.get("roles", ())),
        channels=frozenset(found.get("channels", ())),
        languages=tuple(map(_tag, found.get("languages", ()))),
        sources=frozenset(found.get("sources", ())),
        attributes=tuple((name, frozenset(_values(f"attributes.{name}", each))) for name, each in attributes.items()),
    )


def _values(name: str, values: Any) -> tuple[str, ...]:
    given = (values,) if isinstance(values, str) else values
    if not isinstance(given, list | tuple) or not given or not all(isinstance(each, str) and each for each in given):
        raise ValueError(f"{name} is a text or a list of texts, none of them empty")
    return tuple(given)


def _tag(language: str) -> str:
    """A language's tag in one way of writing: `de_AT`, as Java has it, and `deu-AT` are `de-at`."""
    first, dash, rest = language.strip().lower().replace("_", "-").partition("-")
    return shortest(first) + dash + rest


def _speaks(language: str | None, prefixes: Sequence[str]) -> bool:
    spoken = _tag(language or "")
    return any(spoken == prefix or spoken.startswith(f"{prefix}-") for prefix in prefixes)
