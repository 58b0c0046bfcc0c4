"""Typing errors and speech: what they change in a text and what they leave."""

import random

from hypothesis import given
from hypothesis import strategies as st

from training.data.surface import FILLERS, as_speech, swap_letters


@given(st.text(alphabet="abcdef gh", max_size=40), st.integers(1, 3), st.integers(0, 100))
def test_a_typo_swaps_two_inner_letters_of_as_many_words_as_asked(text: str, times: int, seed: int) -> None:
    changed = swap_letters(text, random.Random(seed), times)
    if changed is None:
        return
    pairs = [(a, b) for a, b in zip(text.split(" "), changed.split(" "), strict=True) if a != b]
    assert len(pairs) == times
    for before, after in pairs:
        assert len(before) >= 4
        assert (sorted(after), after[0]) == (sorted(before), before[0])
        assert sum(a != b for a, b in zip(before, after, strict=True)) == 2


def test_handles_links_and_short_words_get_no_typo() -> None:
    assert swap_letters("@someone [url] is so bad", random.Random(1)) is None
    assert swap_letters("@someone is late", random.Random(1)) in ("@someone is ltae", "@someone is laet")


def test_speech_has_no_punctuation_case_or_links() -> None:
    assert as_speech("@user Why isn't my check-in working?! See https://x.example/1") == (
        "why isn't my check in working see"
    )
    assert as_speech("Thanks :)") is None
    assert as_speech("Thanks 😊") is None
    assert as_speech("@user https://x.example") is None


def test_fillers_stand_between_the_words() -> None:
    text = " ".join(["please send the invoice again"] * 20)
    spoken = as_speech(text, random.Random(1))
    assert spoken is not None
    assert spoken != text
    for filler in sorted(FILLERS, key=len, reverse=True):
        spoken = spoken.replace(f"{filler} ", "")
    assert spoken == text
