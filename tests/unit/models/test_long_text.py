"""Texts that are longer than the model's input: what is read of them, and how its parts are put together."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.artifact import ArtifactError, load_artifact
from models.long_text import PIECE, WHOLE, How, fit, pool, what_is_read
from tests.tiny_artifact import tiny_artifact, write_manifest

CLS, SEP = 101, 102
HOWS: tuple[How, ...] = get_args(How)


def text_of(length: int) -> list[int]:
    return [CLS, *range(1000, 1000 + length), SEP]


@pytest.mark.parametrize("how", HOWS)
def test_a_text_that_fits_is_left_as_it_is(how: How) -> None:
    assert fit(text_of(8), 10, how) == [text_of(8)]


def test_head_keeps_the_beginning() -> None:
    assert fit(text_of(9), 6, "head") == [[CLS, 1000, 1001, 1002, 1003, SEP]]


def test_head_and_tail_keep_a_quarter_and_the_end() -> None:
    assert fit(text_of(20), 10, "head_tail") == [[CLS, 1000, 1001, *range(1014, 1020), SEP]]


def test_chunks_are_of_the_length_of_a_message_whatever_would_fit() -> None:
    assert fit(text_of(WHOLE - 2), 256, "chunks") == [text_of(WHOLE - 2)]
    rows = fit(text_of(WHOLE - 1), 256, "chunks")
    assert [len(row) - 2 for row in rows] == [21, 21, 21]
    assert max(len(row) for row in fit(text_of(600), 256, "chunks")) == PIECE


def test_chunks_are_few_and_alike() -> None:
    assert fit(text_of(9), 6, "chunks") == [
        [CLS, 1000, 1001, 1002, SEP],
        [CLS, 1003, 1004, 1005, SEP],
        [CLS, 1006, 1007, 1008, SEP],
    ]


@given(st.integers(0, 300), st.integers(3, 100), st.sampled_from(HOWS))
def test_every_row_is_whole_and_within_the_limit(length: int, limit: int, how: How) -> None:
    ids = text_of(length)
    rows = fit(ids, limit, how)
    for row in rows:
        assert 2 <= len(row) <= limit
        assert (row[0], row[-1]) == (CLS, SEP)
    read = [token for row in rows for token in row[1:-1]]
    assert read == sorted(set(read))  # in the text's order, nothing twice
    assert read[-1:] == ids[-2:-1] or how == "head" or length == 0
    if how == "chunks":
        assert read == ids[1:-1]
        long = len(ids) > min(WHOLE, limit)
        assert len(rows) == (-(-length // (min(PIECE, limit) - 2)) if long else 1)
        assert max(map(len, rows)) - min(map(len, rows)) <= 1
    else:
        assert len(rows) == 1
        assert len(read) == min(length, limit - 2)


def test_pooled_logits_are_weighted_by_tokens() -> None:
    logits = np.array([[1, 0, 0], [0, 3, 0], [4, 0, 8], [9, 9, 9]], np.float32)
    pooled = pool(logits, [5, 30, 10, 7], [0, 1, 1, 2])
    assert pooled.tolist() == [[1, 0, 0], [1, 2.25, 2], [9, 9, 9]]
    assert pooled.dtype == np.float32


def test_texts_of_one_row_keep_their_logits_to_the_bit() -> None:
    logits = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], np.float32)
    assert pool(logits, [5, 7], [0, 1]).tobytes() == logits.tobytes()


@given(st.lists(st.lists(st.integers(1, 256), min_size=1, max_size=5), min_size=1, max_size=20), st.integers(0, 9))
def test_pooling_lies_between_its_rows(tokens: list[list[int]], seed: int) -> None:
    flat = [count for counts in tokens for count in counts]
    owners = [index for index, counts in enumerate(tokens) for _ in counts]
    logits = np.random.default_rng(seed).normal(size=(len(flat), 3)).astype(np.float32)
    pooled = pool(logits, flat, owners)
    assert pooled.shape == (len(tokens), 3)
    for index, row in enumerate(pooled):
        own = logits[np.array(owners) == index]
        expected = np.average(own, axis=0, weights=tokens[index])
        assert np.allclose(row, expected, atol=1e-6)


def test_the_manifest_says_what_is_read(tmp_path: Path) -> None:
    folder = tiny_artifact(tmp_path)
    assert load_artifact(str(folder)).long_text == "head"
    write_manifest(folder, long_text="chunks")
    assert load_artifact(str(folder)).long_text == "chunks"
    write_manifest(folder, long_text="tail")
    with pytest.raises(ArtifactError, match="long_text: Input should be 'head', 'head_tail' or 'chunks'"):
        load_artifact(str(folder))


@pytest.mark.parametrize(
    ("how", "max_tokens", "says"),
    [
        (
            "chunks",
            256,
            f"It reads a text of more than {WHOLE} tokens in pieces of at most {PIECE}, and takes the mean.",
        ),
        ("chunks", 20, "It reads a text of more than 20 tokens in pieces of at most 20, and takes the mean."),
        ("head", 1024, "Of a text of more than 1,024 tokens it reads the beginning."),
        ("head_tail", 256, "Of a text of more than 256 tokens it reads the first quarter of what fits, and the end."),
    ],
)
def test_people_are_told_what_is_read(how: How, max_tokens: int, says: str) -> None:
    assert what_is_read(how, max_tokens) == says
    long = int(says.partition("more than ")[2].split()[0].replace(",", ""))
    assert fit(text_of(long - 2), max_tokens, how) == [text_of(long - 2)], "what is not longer is left whole"
    assert fit(text_of(long - 1), max_tokens, how) != [text_of(long - 1)]
