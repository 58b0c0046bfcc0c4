"""A little of the fuzzing in every run of the tests; `make fuzz` does more of it, led by what code it reaches.

Broken on purpose, each was seen to fail: a codec that does not catch all of fastavro's errors, an agent that leaves a
record out, a letter whose inner headers are taken off twice, a settings file that need not be UTF-8, a recording that
skips rows without text.
"""

import pytest
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from tests.fuzz.targets import SEEDS, TARGETS, joined, split


@st.composite
def damaged(draw: st.DrawFn, target: str) -> bytes:
    """An input that comes far, with a few pieces replaced, left out, repeated or put in."""
    data = draw(st.sampled_from(SEEDS[target]))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 8)))
        piece = draw(st.one_of(st.binary(max_size=8), st.just(data[start:end] * 2)))
        data = data[:start] + piece + data[end:]
    return data


@pytest.mark.parametrize("target", TARGETS)
@given_settings(max_examples=150)
@given(st.data())
def test_what_must_hold_for_any_bytes_holds(target: str, data: st.DataObject) -> None:
    TARGETS[target](data.draw(st.one_of(st.binary(), damaged(target), st.lists(st.binary()).map(lambda p: joined(*p)))))


@pytest.mark.parametrize("target", TARGETS)
def test_seeds_hold(target: str) -> None:
    for seed in SEEDS[target]:
        TARGETS[target](seed)


@given(st.lists(st.binary(max_size=50), max_size=8))
def test_parts_are_taken_apart_as_they_were_joined(parts: list[bytes]) -> None:
    assert split(joined(*parts), 8) == parts
