"""Every format is recognised by its content alone, and bad input is an error that says where, never a traceback."""

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.validation import EARLIEST_MS, MAX_ID_CHARS
from streams.files.formats.error import FormatError
from streams.files.formats.registry import FORMATS, read, recognise
from streams.files.formats.turn import Hints, Reading
from tests.vendor_objects import NAMES, vendor_object

HINTS = Hints(conversation_id="given")


def test_there_is_an_object_of_every_format() -> None:
    assert set(NAMES) == set(FORMATS)


def test_the_docs_have_a_row_a_format(repository: Path) -> None:
    lines = (repository / "docs" / "ingest.md").read_text(encoding="utf-8").splitlines()
    rows = [line.split("`")[1] for line in lines if line.startswith("| `") and not line.startswith("| `--format`")]
    assert sorted(rows) == sorted(FORMATS)


@pytest.mark.parametrize("name", NAMES)
def test_an_object_is_recognised_as_its_own_format_and_as_no_other(name: str) -> None:
    assert [each for each in FORMATS if FORMATS[each].looks_like(vendor_object(name))] == [name]
    assert read(vendor_object(name), HINTS) == read(vendor_object(name), HINTS, name) != Reading()


@pytest.mark.parametrize(
    "value", [None, True, 1, 1.5, "", "text", [], {}, [{}], {"turns": []}, {"id": 1, "words": "x"}]
)
def test_what_is_no_vendors_is_recognised_as_nothing(value: Any) -> None:
    assert recognise(value) is None
    with pytest.raises(FormatError, match="no format that is known"):
        read(value, HINTS)
    for name in FORMATS:
        with pytest.raises(FormatError):
            read(value, HINTS, name)


def test_an_object_of_another_format_is_told_what_it_looks_like() -> None:
    with pytest.raises(
        FormatError, match=r"^not genesys: it looks like deepgram \(Deepgram, a recorded file's results\)$"
    ):
        read(vendor_object("deepgram"), HINTS, "genesys")


def test_an_error_names_the_format_and_the_place() -> None:
    value = vendor_object("genesys")
    value["transcripts"][0]["phrases"][0]["startTimeMs"] = "soon"
    wanted = r"^genesys: transcripts\[0\]\.phrases\[0\]\.startTimeMs: a text, where a number is expected$"
    with pytest.raises(FormatError, match=wanted):
        read(value, HINTS)


@pytest.mark.parametrize("name", NAMES)
def test_reading_leaves_the_object_as_it_was(name: str) -> None:
    value = vendor_object(name)
    read(value, HINTS)
    assert value == vendor_object(name)


STRANGE: list[Any] = [
    None, True, False, 0, -1, 7, 2.5, 1e308, -1e308, float("nan"), float("inf"), 10**400, "", " ", "secret-words",
    "9" * 5000,
    "2026-01-05T09:55:14Z", "PT1S", "\ud83d", "\x00", "[PII]", [], {}, [[]], [None], [{}], {"a": {}}, ["secret-words"],
    {"secret": "secret-words"},
]  # fmt: skip
STRINGS = [each for each in STRANGE if isinstance(each, str)] + ["x" * 300, "<p>", "> a", "-->", "\u200b"]


def nodes(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each container in `value` with each of its keys."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield value, key
        yield from nodes(member)


def mutated(value: Any, data: st.DataObject) -> Any:
    if isinstance(value, str):
        place = data.draw(st.integers(0, len(value)))
        return value[:place] + data.draw(st.sampled_from(STRINGS)) + value[place + data.draw(st.integers(0, 9)) :]
    for _ in range(data.draw(st.integers(1, 3))):
        places = list(nodes(value))
        if not places:
            break
        holder, key = places[data.draw(st.integers(0, len(places) - 1))]
        if data.draw(st.booleans()):
            holder[key] = copy.deepcopy(data.draw(st.sampled_from(STRANGE)))
        elif isinstance(holder, list) and data.draw(st.booleans()):
            holder.append(copy.deepcopy(holder[key]))
        else:
            del holder[key]
    return value


def readable(call: Callable[[], Reading]) -> Reading:
    """What `call` reads; nothing where it raises the error that it may, whose message is one line without a text."""
    try:
        return call()
    except FormatError as error:
        message = str(error)
    assert "secret" not in message
    assert re.fullmatch(r"[^\n]{1,300}", message)
    return Reading()


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_a_damaged_object_gives_whole_turns_or_an_error_without_its_words(name: str, data: st.DataObject) -> None:
    value = mutated(vendor_object(name), data)
    recognise(value)
    for reading in (readable(lambda: read(value, HINTS, name)), readable(lambda: FORMATS[name].read(value, HINTS))):
        assert len({turn.event_id for turn in reading.turns}) == len(reading.turns)
        for turn in reading.turns:
            assert 0 < len(turn.event_id) <= MAX_ID_CHARS
            assert 0 < len(turn.conversation_id) <= MAX_ID_CHARS
            assert 0 <= turn.turn < 2**63
            assert turn.text.strip()
            assert turn.occurred_at is None or turn.occurred_at >= EARLIEST_MS
            assert all(turn.attributes.values())
            for text in (turn.text, turn.event_id, turn.conversation_id, *turn.attributes.values()):
                text.encode()
