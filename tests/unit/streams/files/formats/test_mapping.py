from pathlib import Path
from typing import Any

import pytest

from schemas.errors import UsageError
from streams.files.formats.description import Description, read_described
from streams.files.formats.error import FormatError
from streams.files.formats.field import Field
from streams.files.formats.mapping import parse_mapping
from streams.files.formats.turn import Hints

FULL = """
source = "acme"
[conversation]
each = "calls"
id = "call.id"
start = "call.at"
channel = "call.medium"
language = "call.locale"
[turn]
each = "parts.segments"
text = "content.text"
id = "no"
number = "seq"
offset = "begin"
offset_unit = "ms"
role = "party"
speaker = "name"
channel_id = "track"
language = "lang"
final = "done"
private = "internal"
html = true
[roles]
"Line 1" = "customer"
[attributes]
vendor_sentiment = "mood.label"
[all]
channel = "voice"
language = "de"
"""

SEGMENT = {
    "content": {"text": "<b>Hi</b>"}, "no": 1, "seq": 3, "begin": 250, "party": "line 1", "name": "Jo", "done": True,
    "mood": {"label": -1},
}  # fmt: skip


def test_a_mapping_reads_a_format_that_is_not_built_in() -> None:
    call = {"id": 9, "at": "2026-01-05T09:55:14Z", "medium": "chat", "locale": "en-gb"}
    segments = [SEGMENT, SEGMENT | {"done": False}, SEGMENT | {"internal": True}]
    segments.append(SEGMENT | {"seq": 4, "no": 2, "lang": "fr", "track": 0})
    value = {"calls": [{"call": call, "parts": {"segments": segments}}]}
    reading = read_described(parse_mapping(FULL, "acme.toml"), Field(value), Hints())
    turn, other = reading.turns
    assert (other.event_id, other.language, other.attributes["channel_id"]) == ("9/2", "fr", "0")
    assert (turn.event_id, turn.conversation_id, turn.turn, turn.text) == ("9/1", "9", 3, "Hi")
    assert (turn.occurred_at, turn.role, turn.channel, turn.language) == (
        1_767_606_914_250,
        "customer",
        "chat",
        "en-GB",
    )
    assert (turn.source, turn.attributes) == (
        "acme",
        {"speaker": "Jo", "speaker_id": "line 1", "vendor_sentiment": "-1"},
    )
    assert reading.left_out == {"partial": 1, "private": 1}


def test_what_the_object_does_not_say_is_said_of_all() -> None:
    value = {"calls": [{"call": {"id": 9}, "parts": {"segments": [SEGMENT]}}]}
    [turn] = read_described(parse_mapping(FULL, "x"), Field(value), Hints()).turns
    assert (turn.channel, turn.language, turn.attributes["offset_ms"]) == ("voice", "de", "250")


def test_an_object_may_be_one_message() -> None:
    text = 'source = "acme"\n[conversation]\nid = "chat"\n[turn]\neach = "."\ntext = "body"\ntime = "at"\n'
    value = {"chat": "c", "body": "Hi", "at": 1_767_606_914}
    [turn] = read_described(parse_mapping(text, "x"), Field(value), Hints()).turns
    assert (turn.conversation_id, turn.turn, turn.event_id) == ("c", 1_767_606_914_000, "c/@1767606914000")


def test_the_smallest_mapping() -> None:
    text = '\ufeffsource = "acme"\n[turn]\neach = "turns"\ntext = "t"\n'
    assert parse_mapping(text, "x") == Description(source="acme", turns="turns", text="t")


def test_an_object_without_what_the_mapping_says_is_told_where() -> None:
    mapping = parse_mapping('source = "a"\n[turn]\neach = "x.turns"\ntext = "t.u"\n', "x")
    places: list[tuple[Any, str]] = [({}, r"x\.turns"), ({"x": {"turns": [{}]}}, r"x\.turns\[0\]\.t\.u")]
    for value, place in places:
        with pytest.raises(FormatError, match=rf"^{place}: is missing$"):
            read_described(mapping, Field(value), Hints(conversation_id="c"))


GOOD = 'source = "a"\n[turn]\neach = "t"\ntext = "x"\n'


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("source", "not TOML"),
        ('[turn]\neach = "t"\ntext = "x"', "source is the vendor's name"),
        ('source = "a"\n[turn]\ntext = "x"', "turn.each is missing"),
        ('source = "a"\n[turn]\neach = "t"', "turn.text is missing"),
        ('source = "a"\nturn = 1', r"write \[turn\]"),
        (GOOD + "ID = 1", "there is no turn.ID; there are .*channel_id"),
        (GOOD + "id = 1", "turn.id is a path"),
        (GOOD + 'id = "a..b"', "turn.id is a path"),
        (GOOD + 'text2 = "a"', "there is no turn.text2"),
        (GOOD + 'offset_unit = "h"', "turn.offset_unit is one of s, ms, us, ns, ticks"),
        (GOOD + 'html = "yes"', "turn.html is true or false"),
        (GOOD + '[roles]\na = "boss"', "roles.a is one of unknown, customer"),
        (GOOD + '[all]\nchannel = "fax"', "all.channel is one of"),
        (GOOD + '[all]\nlanguage = "!"', "all.language is a language"),
        (GOOD + "[more]", "there is no more; there are"),
        (GOOD + "[attributes]\nx = 1", "attributes.x is a path"),
    ],
)
def test_what_is_wrong_in_a_mapping_is_told(text: str, what: str) -> None:
    with pytest.raises(UsageError, match=f"^acme.toml: .*{what}"):
        parse_mapping(text, "acme.toml")


def test_the_mapping_in_the_docs_is_one(repository: Path) -> None:
    text = (repository / "docs" / "ingest.md").read_text(encoding="utf-8")
    described = parse_mapping(text.partition("```toml\n")[2].partition("```")[0], "docs")
    assert described.source == "acme"
    assert None not in [getattr(described, name) for name in Description.__dataclass_fields__]
