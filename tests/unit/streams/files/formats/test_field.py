"""Reading of what may be of any type: what is meant is read, anything else is refused where it stands."""

from collections.abc import Callable
from typing import Any

import pytest

from streams.files.formats.error import FormatError
from streams.files.formats.field import Field, has, lists


def named(value: object) -> str:
    """What a case is called: the same in each process, so that tests can be shared out to several."""
    return str(getattr(value, "__name__", value))[:40] if callable(value) else str(value)[:40]


def test_the_first_name_that_is_there_and_not_null_is_taken() -> None:
    field = Field({"a": None, "b": {"c": [1, 2]}})
    assert field.at("a", "b").path == "b"
    assert field.at("x", "y").path == "x"
    assert field.follow("b.c").items()[1].path == "b.c[1]"
    assert field.follow("b.c").first().value == 1
    assert field.follow("x.y.z").path == "x.y.z"
    assert not field.follow("x.y.z").there
    assert field.follow("x").first().path == "x[0]"


@pytest.mark.parametrize(
    ("read", "value", "result"),
    [
        (Field.id, 7, "7"), (Field.id, " a ", "a"), (Field.id, None, ""),
        (Field.number, "1.5", 1.5), (Field.number, 2, 2), (Field.number, " ", None), (Field.number, None, None),
        (Field.whole, 3.0, 3), (Field.whole, "4", 4), (Field.whole, None, None),
        (Field.flag, "True", True), (Field.flag, False, False), (Field.flag, "", False), (Field.flag, None, False),
        (Field.plain, True, "true"), (Field.plain, False, "false"), (Field.plain, 0, "0"), (Field.plain, 0.5, "0.5"),
        (Field.plain, "x", "x"), (Field.plain, "", None), (Field.plain, [1], None), (Field.plain, float("nan"), None),
        (Field.plain, 10**400, None), (Field.text, "x", "x"), (Field.text, None, ""),
    ],
    ids=named,
)  # fmt: skip
def test_what_is_meant_is_read(read: Callable[[Field], object], value: Any, result: object) -> None:
    found = read(Field(value))
    assert (type(found), found) == (type(result), result)


@pytest.mark.parametrize(
    ("read", "value", "message"),
    [
        (Field.id, True, "true or false, where an identifier is expected"), (Field.id, 1.5, "a number, where"),
        (Field.id, 10**30, "a number too long"), (Field.id, -(10**30), "a number too long"),
        (Field.id, {}, "an object, where an identifier"),
        (Field.number, "x", "a text, where a number"), (Field.number, True, "true or false, where a number"),
        (Field.number, "nan", "not a finite number"), (Field.number, 10**30, "a number too large"),
        (Field.whole, 1.5, "not a whole number"), (Field.whole, -1, "not a whole number"),
        (Field.whole, 2**63, "not a whole number"), (Field.flag, 1, "a number, where true or false"),
        (Field.flag, "yes", "a text, where true or false"), (Field.text, 1, "a number, where a text"),
        (Field.items, {}, "an object, where a list"), (Field.object, [], "a list, where an object"),
        (Field.object, None, "is missing"), (Field.required, None, "is missing"),
    ],
    ids=named,
)  # fmt: skip
def test_what_is_not_is_refused(read: Callable[[Field], object], value: Any, message: str) -> None:
    with pytest.raises(FormatError, match=rf"^a\.b: {message}"):
        read(Field({"a": {"b": value}}).at("a").at("b"))


def test_a_step_through_what_is_no_object_is_refused() -> None:
    with pytest.raises(FormatError, match=r"^a: a list, where an object is expected$"):
        Field({"a": []}).follow("a.b")


@pytest.mark.parametrize("value", [None, [], "ab", 1])
def test_what_has_no_names_has_none(value: Any) -> None:
    assert not has(value, ["a"])
    assert lists(value, "a") == []


def test_names_and_lists() -> None:
    assert has({"a": None, "b": 1}, ["a", "b"])
    assert not has({"a": 1}, ["a", "b"])
    assert lists({"a": [1]}, "a") == [1]
    assert lists({"a": {}}, "a") == []
