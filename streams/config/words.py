"""The words about settings: what one may be, and how its value is shown."""

import re
from typing import Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import SecretStr

from streams.config.settings import Settings

MASK = "********"


def allowed(name: str) -> str:
    """What setting `name` may be, in words."""
    field = Settings.model_fields[name]
    if isinstance(field.json_schema_extra, dict) and "allowed" in field.json_schema_extra:
        return str(field.json_schema_extra["allowed"])
    if get_origin(field.annotation) is Literal:
        return "one of " + ", ".join(get_args(field.annotation))
    kind, constraints = field.annotation, list(field.metadata)
    for option in get_args(field.annotation):  # of `int | None`, or `Annotated[int, Field(…)] | None`
        if option is not type(None):
            kind = getattr(option, "__origin__", option)
            constraints += [part for info in getattr(option, "__metadata__", ()) for part in info.metadata]
    low = next((constraint.ge for constraint in constraints if isinstance(constraint, Ge)), None)
    high = next((constraint.le for constraint in constraints if isinstance(constraint, Le)), None)
    noun = "a whole number" if kind is int else "a number" if kind is float else "text"
    if low is None:
        return noun
    return f"{noun} of {low:,} or more" if high is None else f"{noun} from {low:,} to {high:,}"


def is_secret(name: str) -> bool:
    """Whether the value of setting `name` is shown to nobody."""
    return SecretStr in {Settings.model_fields[name].annotation, *get_args(Settings.model_fields[name].annotation)}


def shown(name: str, value: object) -> str:
    """`value` of setting `name` as it may be shown: secrets are masked, and in an address a login and a query."""
    if value is None:
        return ""
    if is_secret(name):
        return MASK
    text = str(value)
    if not (name.endswith(("_url", "_endpoint")) or name == "bootstrap_servers"):
        return text
    scheme, separator, rest = text.partition("://")
    address = re.split("[?#]", rest, maxsplit=1)[0]
    behind = rest[len(address) :]
    if not separator:
        return MASK if re.search("[@?#]", text) else text
    if "@" in behind:  # which of both it ends, the login or the query, cannot be told
        return f"{scheme}://{MASK}"
    login, at, place = address.rpartition("@")
    return f"{scheme}://{MASK if login else ''}{at}{place}{behind[:1]}{MASK if behind else ''}"
