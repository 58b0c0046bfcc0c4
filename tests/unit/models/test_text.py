"""The rules that training and the worker share."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.text import normalise


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("thanks, that was quick!", "thanks, that was quick!"),
        ("@SouthwestAir @united2 why?", "@user @user why?"),
        ("@user", "@user"),
        ("see https://t.co/aB1?x=1&y=2 now", "see [url] now"),
        ("HTTP://EXAMPLE.COM and www.example.com/a", "[url] and [url]"),
        ("write to jane.doe+x@mail.example.co.uk, please", "write to [email], please"),
        ("half a mail a@b stays", "half a mail a@b stays"),
        ("you &amp; me &lt;3", "you & me <3"),
        ("twice &amp;amp;lt; escaped &amp;amp; text", "twice < escaped & text"),
        ("R&D, &copy; and AT&T;", "R&D, &copy; and AT&T;"),
        ("fine 😂", "fine face with tears of joy"),
        ("👍🏽👍", "thumbs up sign thumbs up sign"),
        ("love ❤️ it", "love heavy black heart it"),
        ("fly 🇬🇧", "fly"),
        ("“it’s late…”", '"it\'s late..."'),
        ("zero\u200bwidth and\u00a0fixed", "zerowidth and fixed"),
        ("  two\n lines\t and  gaps ", "two lines and gaps"),
        ("café, naïve, 日本", "café, naïve, 日本"),
        ("", ""),
    ],
)
def test_normalise(raw: str, expected: str) -> None:
    assert normalise(raw) == expected


# Pieces that the rules react to, so that random texts hit them and their neighbours.
FRAGMENTS = st.sampled_from(
    [
        *"&;@.#/: \n😂🇬‘…\u200b\ufe0f",
        *("&amp;", "amp;", "&lt", "lt;", "&nbsp;", "http", "://", "www.", "@user", "[url]", "a@b.co"),
    ]
)


@given(st.one_of(st.text(), st.lists(st.one_of(FRAGMENTS, st.text(max_size=3))).map("".join)))
@example("&\u200bamp;lt;")
@example("www…x")
@example("&am&amp;p;lt;")
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@given(st.lists(FRAGMENTS).map("".join))
def test_no_address_survives(noise: str) -> None:
    text = normalise(f"{noise} mail jane.doe@example.com or https://example.com/jane as @jane_doe {noise}")
    assert "jane" not in text


@pytest.mark.parametrize("run", ["a" * 200_000, "a." * 100_000, "@" * 200_000, "&amp;" * 40_000, "a@b." * 50_000])
def test_a_long_run_of_address_characters_is_read(run: str) -> None:
    """A quadratic pattern would take minutes on these; the suite's time limit is the judge."""
    assert normalise(f"{run} @")
