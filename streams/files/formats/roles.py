"""Whose a turn is: the words that vendors use, and the map that a user gives."""

import re
from collections.abc import Iterable, Mapping
from typing import Final, get_args

from schemas.errors import UsageError
from schemas.records import Role

ROLES: Final[tuple[Role, ...]] = get_args(Role)

_WORDS: Final[Mapping[Role, str]] = {
    "customer": (
        "buyer caller client consumer contact customer end_customer end_user enduser external guest lead member "
        "patient requester subscriber user visitor"
    ),
    "agent": (
        "admin advisor adviser agent associate business csr employee human_agent internal operator rep representative "
        "staff supervisor support support_agent team teammate"
    ),
    "bot": "agent_bot ai_agent assistant automated_agent bot chatbot custom_bot ivr virtual_agent virtual_assistant",
    "system": "acd automation queue system workflow",
}
_ROLE_OF: Final[Mapping[str, Role]] = {word: role for role, words in _WORDS.items() for word in words.split()}

# "Agent Ann" and "Customer 2" tell a role; "Customer Support" tells the other one.
_NUMBERED: Final = re.compile(r"(customer|caller|client)_(\d{1,4}|[a-z])")
_NAMED_AGENT: Final = re.compile(r"(agent|advisor|adviser|representative)_\w.*")


def role_word(word: str, own: Mapping[str, Role] | None = None) -> Role:
    """The role that `word` means, `unknown` if none; `own` is what words mean at one vendor, in lower case."""
    name = re.sub(r"[\s\-]+", "_", word[:200].strip().lower())
    if own is not None and name in own:
        return own[name]
    if name in _ROLE_OF:
        return _ROLE_OF[name]
    if _NUMBERED.fullmatch(name):
        return "customer"
    return "agent" if _NAMED_AGENT.fullmatch(name) else "unknown"


def parse_roles(given: Iterable[str]) -> dict[str, Role]:
    """`["spk_0=agent", "channel:1=customer"]` as a map of who speaks to roles, the former in lower case.

    Who speaks is a speaker's label or name as the vendor writes it, or `speaker:` or `channel:` and a number.

    Raises UsageError: an item is no `WHO=ROLE`, or there is no such role.
    """
    roles: dict[str, Role] = {}
    for item in given:
        who, _, word = item.rpartition("=")
        role = next((role for role in ROLES if role == word), None)
        if not who.strip() or role is None:
            raise UsageError(f"--role-map {item}: give WHO=ROLE, where ROLE is one of {', '.join(ROLES)}")
        roles[who.strip().lower()] = role
    return roles


def mapped_role(labels: Iterable[str], roles: Mapping[str, Role]) -> Role | None:
    """The role that the user's map `roles` gives to the first of `labels` that it names, else None."""
    return next((roles[label.lower()] for label in labels if label.lower() in roles), None)
