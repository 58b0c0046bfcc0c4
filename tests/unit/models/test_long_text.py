"""Texts that are longer than the model's input: what is read of them, and how its parts are put together."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.artifact import ArtifactError, load_artifact
from models.classifier import Classifier
from models.long_text import PIECE, WHOLE, How, Weighing, fit, pool, weigh, what_is_read
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


@pytest.mark.parametrize("how", HOWS)
def test_what_is_weighed_is_read_in_pieces_beyond_the_limit_and_as_ever_up_to_it(how: How) -> None:
    for length in (8, 80, 98):
        assert fit(text_of(length), 100, how, weighed=True) == fit(text_of(length), 100, how)
    assert fit(text_of(99), 100, how, weighed=True) == fit(text_of(99), 100, "chunks")


PLAIN = Weighing(1.0, (0.0, 0.0, 0.0))


def test_what_is_neutral_counts_least() -> None:
    # At temperature 2 the rows are neutral by 0 and by 0.5; the other half of the second is negative.
    neutral, half = [-1000.0, 1000.0, -1000.0], [0.0, 0.0, -1000.0]
    logits = np.array([neutral, neutral, half, neutral, half, [30.0, 0.0, 0.0]], np.float32)
    weighed = weigh(logits, [9, 9, 9, 9, 9, 27], [0, 0, 0, 1, 2, 2], 2.0, PLAIN)
    # Centred are [1000 / 3, 1000 / 3, -2000 / 3] and [20, -10, -10]; the latter's weight is 27, the former's 9 / 4.
    share = 27 / (27 + 9 / 4)
    weighed /= 2  # which the caller does with the temperature
    assert weighed[0] == pytest.approx([1000 / 3, 1000 / 3, -2000 / 3], rel=1e-4)
    assert weighed[1] == pytest.approx([-2000 / 3, 4000 / 3, -2000 / 3], rel=1e-4), "neutral beyond doubt has a mean"
    mean = share * np.array([20, -10, -10]) + (1 - share) * np.array([1000 / 3, 1000 / 3, -2000 / 3])
    # The last row's doubt is not quite 1.
    assert weighed[2] == pytest.approx(mean, rel=1e-3)


def test_the_temperature_and_the_offsets_are_of_the_answer() -> None:
    logits = np.array([[3, 0, 0], [3, 0, 0]], np.float32)
    weighed = weigh(logits, [5, 6], [0, 0], 0.5, Weighing(4.0, (1.0, 0.0, -1.0)))
    assert weighed / 0.5 == pytest.approx(np.array([[2 / 4 + 1, -1 / 4, -1 / 4 - 1]]))
    assert weighed.dtype == np.float32


def test_the_worker_weighs_what_is_longer_than_the_model_reads(tmp_path: Path) -> None:
    folder = tiny_artifact(tmp_path, max_tokens=80)
    short, long = "awful " * 20 + "a " * 40, "a " * 200 + "awful " * 20 + "a " * 200
    before = Classifier(load_artifact(str(folder))).score([short, long])
    write_manifest(folder, max_tokens=80, weighing={"temperature": 1.0, "offsets": [0, 0, 0]})
    weighed = Classifier(load_artifact(str(folder))).score([short, long])
    assert weighed[0].tolist() == before[0].tolist()
    assert (before[1].argmax(), weighed[1].argmax()) == (1, 0), "one piece of many says what the text says"
    write_manifest(folder, max_tokens=80, weighing={"temperature": 1.0, "offsets": [0, 0, 100]})
    assert Classifier(load_artifact(str(folder))).score([long, short]).argmax(axis=1).tolist() == [
        2,
        before[0].argmax(),
    ]


@pytest.mark.parametrize(
    ("weighing", "says"),
    [
        ({"temperature": 0, "offsets": [0, 0, 0]}, "weighing.temperature: Input should be greater than 0"),
        ({"temperature": 1, "offsets": [0, 0]}, "weighing.offsets.2: Field required"),
        ({"temperature": 1, "offsets": [0, 0, float("inf")]}, "weighing.offsets: Value error, an offset is a finite"),
        ({"offsets": [0, 0, 0]}, "weighing.temperature: Field required"),
    ],
)
def test_a_weighing_that_is_none_is_refused(tmp_path: Path, weighing: dict[str, object], says: str) -> None:
    folder = tiny_artifact(tmp_path)
    write_manifest(folder, weighing=weighing)
    with pytest.raises(ArtifactError, match=says):
        load_artifact(str(folder))


@pytest.mark.parametrize(
    ("how", "says"),
    [
        (
            "head",
            "It reads a text of more than 1,000 tokens in pieces of at most 32, and takes the mean, in which what ",
        ),
        (
            "chunks",
            "more than 64 tokens in pieces of at most 32, and takes the mean, beyond 1,000 tokens one in which ",
        ),
    ],
)
def test_people_are_told_of_a_weighing(how: How, says: str) -> None:
    assert says in what_is_read(how, 1000, weighed=True)


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
