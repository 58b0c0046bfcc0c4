"""Whether two names are of the same model."""

import re

# What a service adds to a model's name that is no other model: a date, or a tag.
_VERSION = re.compile(r"([-@:](\d{4}-?\d{2}-?\d{2}|\d{3,6}|latest|v\d+))?")


def is_same_model(asked: str, served: str) -> bool:
    """Whether `served` is `asked`: the same name, without folders, or with a date or version behind it."""
    asked, served = (name.replace("\\", "/").rpartition("/")[2].casefold() for name in (asked, served))
    asked = asked.removesuffix("-latest")
    return served.startswith(asked) and _VERSION.fullmatch(served[len(asked) :]) is not None
