"""What a letter, a mark and a redriven record look like, and what is read from them."""

import dataclasses
from itertools import pairwise

import pytest

from schemas.dead_letter import (
    ORIGIN_HEADERS,
    Header,
    Letter,
    LetterId,
    Mark,
    attempts,
    original_headers,
    parse_place,
    read_letter,
    redriven_from,
    redriven_headers,
)
from schemas.errors import UsageError
from streams.agents.dead_letter import dead_letter, first_failures
from streams.config.settings import Settings
from streams.operate.dead_letter_box import Selection
from tests.events import consumer_record

SETTINGS = Settings(topic_prefix="eu.")
ORIGINAL: tuple[Header, ...] = (("trace", b"\xff\x01"), ("trace", b"again"), ("edgewise-run", b"r"), ("null", None))
PLACE = LetterId(0, 17)


def failed(headers: tuple[Header, ...], offset: int = 41) -> tuple[Header, ...]:
    """The headers of the letter that a record with `headers` becomes."""
    record = consumer_record(b"\xff\x00", topic="eu.transcripts", partition=3, offset=offset)
    letter = dead_letter(SETTINGS, "edge", dataclasses.replace(record, headers=headers), "undecodable", "damaged")
    return letter.headers


def read(headers: tuple[Header, ...], place: LetterId = PLACE) -> Letter:
    letter = read_letter(place, 1_700_000_000_500, 2, headers, "eu.")
    assert isinstance(letter, Letter)
    return letter


def test_a_letter_says_where_from_and_why() -> None:
    assert read(failed(ORIGINAL)) == Letter(
        id=PLACE,
        at_ms=1_700_000_000_500,
        reason="undecodable",
        detail="damaged",
        topic="transcripts",
        partition=3,
        offset=41,
        timestamp_ms=1_700_000_000_000,
        agent="edge",
        attempts=1,
        size=2,
        before=None,
    )


def test_a_redriven_record_has_the_original_headers_the_attempts_and_the_letter() -> None:
    headers = failed(ORIGINAL)
    assert redriven_headers(headers, read(headers)) == (
        *ORIGINAL,
        ("edgewise-attempts", b"1"),
        ("edgewise-letter", b"0:17"),
    )


def test_redriven_again_and_again_attempts_are_counted_and_nothing_else_grows() -> None:
    headers = failed(ORIGINAL)
    letters = [read(headers)]
    for offset in range(18, 22):
        headers = failed(redriven_headers(headers, letters[-1]), offset)
        letters.append(read(headers, LetterId(0, offset)))
    assert [letter.attempts for letter in letters] == [1, 2, 3, 4, 5]
    assert letters[0].before is None
    assert all(later.before == earlier.id for earlier, later in pairwise(letters))
    assert original_headers(headers) == ORIGINAL
    assert len(headers) == len(ORIGINAL) + 2 + 8


def test_letters_from_before_attempts_were_counted_are_read() -> None:
    old = failed(ORIGINAL)[:-1]
    assert [name for name, _ in old[-7:]] == list(ORIGIN_HEADERS)
    assert read(old).attempts == 1
    assert original_headers(old) == ORIGINAL


def test_an_older_worker_passes_the_attempts_on() -> None:
    headers = failed(ORIGINAL)
    again = failed(redriven_headers(headers, read(headers)))[:-1]
    assert read(again).attempts == 2
    assert read(again).before == PLACE
    assert original_headers(again) == ORIGINAL


def test_a_letter_that_was_put_back_by_hand_counts_on() -> None:
    headers = failed(ORIGINAL)
    again = failed(headers)
    assert read(again).attempts == 2
    assert original_headers(again) == headers


@pytest.mark.parametrize("value", [b"", b"x", b"-4", b"1_0", "²".encode(), b"9" * 5000, None])
def test_attempts_that_are_none_count_as_none(value: bytes | None) -> None:
    assert read(failed((("edgewise-attempts", value),))).attempts == 1


def test_only_first_failures_speak_against_a_worker() -> None:
    record = consumer_record(b"x", topic="eu.transcripts")
    again = dataclasses.replace(record, headers=(("edgewise-attempts", b"1"), ("edgewise-letter", b"0:3")))
    letters = [dead_letter(SETTINGS, "edge", each, "undecodable", "damaged") for each in (record, again, record)]
    assert first_failures(letters) == 2


def test_a_mark_is_read_as_it_was_written() -> None:
    mark = Mark(PLACE, "dropped", 5, "ann", "naïve \ud83d")
    assert read_letter(LetterId(0, 40), 5, None, mark.headers, "") == mark._replace(why="naïve ?")


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("edgewise-topic", None),),
        (("edgewise-mark", b"redriven"), ("edgewise-letter", b"0:x"), ("edgewise-by", b""), ("edgewise-why", b"")),
        (("edgewise-mark", b"kept"), ("edgewise-letter", b"0:1"), ("edgewise-by", b""), ("edgewise-why", b"")),
    ],
)
def test_what_is_neither_is_left_out(headers: tuple[Header, ...]) -> None:
    assert read_letter(PLACE, 0, None, headers, "") is None


def test_poison_with_the_headers_of_a_mark_is_a_letter() -> None:
    forged = Mark(LetterId(0, 3), "dropped", 0, "eve", "").headers
    assert read(failed(forged)).marks == ()


@pytest.mark.parametrize("topic", ["transcripts", "us.transcripts", "eu.invoices"])
def test_a_letter_of_another_installation_is_not_ours(topic: str) -> None:
    letter = dead_letter(Settings(), "edge", consumer_record(b"x", topic=topic), "undecodable", "damaged")
    assert read_letter(PLACE, 0, 1, letter.headers, "eu.") is None


@pytest.mark.parametrize(
    ("selection", "fits"),
    [
        (Selection(), True),
        (Selection(reasons={"undecodable", "null_value"}), True),
        (Selection(reasons={"null_value"}), False),
        (Selection(topics={"transcripts"}), True),
        (Selection(topics={"cloud-inference"}), False),
        (Selection(since_ms=1_700_000_000_500), True),
        (Selection(since_ms=1_700_000_000_501), False),
        (Selection(until_ms=1_700_000_000_501), True),
        (Selection(until_ms=1_700_000_000_500), False),
        (Selection(places={LetterId(0, 17)}), True),
        (Selection(places={LetterId(0, 41)}), False),
        (Selection(places={("transcripts", 3, 41)}), True),
        (Selection(places={("transcripts", 3, 17)}), False),
        (Selection(reasons={"undecodable"}, topics={"sentiment"}), False),
    ],
)
def test_what_a_selection_means(selection: Selection, fits: bool) -> None:
    assert selection.fits(read(failed(ORIGINAL))) is fits


def test_places_are_understood() -> None:
    assert parse_place("0:17") == LetterId(0, 17)
    assert parse_place("cloud-inference[3]@41") == ("cloud-inference", 3, 41)


@pytest.mark.parametrize(
    "text", ["", "17", "0:", "0:1 ", "-1:3", "transcripts", "transcripts[3]", "a[1]@-1", "\u0660:\u0661"]
)
def test_other_places_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="names no dead letter"):
        parse_place(text)


@pytest.mark.parametrize(
    "headers",
    [
        (("edgewise-attempts", b"7"),),
        (("edgewise-attempts", b"7"), ("trace", b"1")),
        (("edgewise-attempts", b"7"), ("edgewise-letter", b"not a letter")),
        (("edgewise-letter", b"0:3"), ("edgewise-attempts", b"7")),
    ],
)
def test_headers_of_that_name_which_redriving_did_not_write_count_nothing(headers: tuple[Header, ...]) -> None:
    """A producer that set the header was not counted by the limit of dead letters: 1,000 such letters counted 0."""
    assert attempts(headers) == 0
    assert redriven_from(headers) is None
