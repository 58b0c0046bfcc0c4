"""A value inside a vendor's object, and the path that leads to it, so that an error can say where."""

import math
from collections.abc import Iterable
from typing import Final

from streams.files.formats.error import FormatError

_NAMES: Final = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}

# An identifier is a key on every topic. A number of more digits than this is none.
_LONGEST_INTEGER: Final = 10**30

_MOST: Final = 2**63  # where Avro's long ends


class Field:
    """A value that may be of any type, and its path.

    What is missing and what is null are the same here: vendors write either. Each way of reading refuses what is there
    and of another type, with a `FormatError`, since guessing would score what nobody said.
    """

    __slots__ = ("path", "value")

    def __init__(self, value: object, path: str = "") -> None:
        self.value = value
        self.path = path

    @property
    def there(self) -> bool:
        """Whether there is something, be it empty."""
        return self.value is not None

    def at(self, *names: str) -> "Field":
        """The field under the first of `names` that is there; it is called by the first name where none is.

        Raises FormatError: this is no object.
        """
        if self.value is None:
            return Field(None, self._under(names[0]))
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        name = next((name for name in names if self.value.get(name) is not None), names[0])
        return Field(self.value.get(name), self._under(name))

    def follow(self, dotted: str) -> "Field":
        """The field that a dotted path such as `call.segments` leads to. Raises FormatError: a step is no object."""
        field = self
        for name in dotted.split("."):
            field = field.at(name)
        return field

    def items(self) -> "list[Field]":
        """The list's members; none where it is missing. Raises FormatError: it is no list."""
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        return [Field(value, f"{self.path}[{place}]") for place, value in enumerate(self.value)]

    def first(self) -> "Field":
        """The list's first member, which is missing where the list is missing or empty. Raises FormatError: no list."""
        return next(iter(self.items()), Field(None, f"{self.path}[0]"))

    def object(self) -> "Field":
        """This field. Raises FormatError: it is missing, or no object."""
        if self.value is None:
            raise self.missing()
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        return self

    def required(self) -> "Field":
        """This field. Raises FormatError: it is missing."""
        if self.value is None:
            raise self.missing()
        return self

    def text(self) -> str:
        """The text; "" where it is missing. Half a surrogate pair, which JSON can name, is U+FFFD.

        Raises FormatError: it is no text.
        """
        if self.value is None:
            return ""
        if not isinstance(self.value, str):
            raise self.wrong("a text")
        return whole_characters(self.value)

    def id(self) -> str:
        """An identifier, text or whole number, as text; "" where it is missing. Raises FormatError: it is neither."""
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            if abs(self.value) >= _LONGEST_INTEGER:
                raise FormatError("a number too long for an identifier", self.path)
            return str(self.value)
        if self.value is None:
            return ""
        if not isinstance(self.value, str):
            raise self.wrong("an identifier")
        return whole_characters(self.value).strip()

    def number(self) -> float | int | None:
        """The number, also where it is written as text. Raises FormatError: it is no finite number."""
        value = self.value
        if isinstance(value, str):
            if not value.strip():
                return None
            try:
                value = float(value)
            except ValueError:
                raise self.wrong("a number") from None
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong("a number")
        if isinstance(value, int) and abs(value) >= _LONGEST_INTEGER:
            raise FormatError("a number too large", self.path)
        if isinstance(value, float) and not math.isfinite(value):
            raise FormatError("not a finite number", self.path)
        return value

    def whole(self) -> int | None:
        """The whole number. Raises FormatError: it is none, negative, or no long."""
        number = self.number()
        if number is None:
            return None
        if number != int(number) or not 0 <= number < _MOST:
            raise FormatError("not a whole number from 0 to 2^63", self.path)
        return int(number)

    def flag(self) -> bool:
        """Whether it is true, also where it is written as text; false where it is missing.

        Raises FormatError: it is neither true nor false.
        """
        value = self.value
        if isinstance(value, str):
            value = {"true": True, "false": False, "": False}.get(value.strip().lower(), value)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise self.wrong("true or false")
        return value

    def plain(self) -> str | None:
        """What is there as a text for an attribute: texts, numbers, true and false; None for anything else."""
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if isinstance(self.value, str):
            return whole_characters(self.value) or None
        if isinstance(self.value, int) and abs(self.value) < _LONGEST_INTEGER:
            return str(self.value)
        if isinstance(self.value, float) and math.isfinite(self.value):
            return str(self.value)
        return None

    def missing(self) -> FormatError:
        """The error that says that this field is missing."""
        return FormatError("is missing", self.path)

    def wrong(self, wanted: str) -> FormatError:
        """The error that says that `wanted` is expected here."""
        return FormatError(f"{_NAMES.get(type(self.value), 'a number')}, where {wanted} is expected", self.path)

    def _under(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def has(value: object, names: Iterable[str]) -> bool:
    """Whether `value` is an object with all of `names`."""
    return isinstance(value, dict) and all(name in value for name in names)


def lists(value: object, name: str) -> list[object]:
    """The list under `name`; an empty one where `value` is no object or has no list there."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def whole_characters(text: str) -> str:
    """`text`, in which half a surrogate pair, which JSON can name and UTF-8 cannot hold, is U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
