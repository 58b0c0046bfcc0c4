"""Texts that people have labelled, as they are asked about."""

import pytest

from models.cloud import Question
from schemas.errors import UsageError
from streams.files.labelled import labelled
from streams.files.recording import Row


def row(text: str, **fields: object) -> Row:
    return Row(1, 7, {"text": text} | fields, text)


def test_a_row_tells_who_speaks_and_in_which_language() -> None:
    """Seen to fail with the text alone."""
    rows = [
        row("One moment.", stars="neutral", role="agent", language="de"),
        row("  ", stars="neutral"),
        row("Danke", stars="positive"),
    ]
    assert list(labelled(rows, "stars")) == [(Question("One moment.", "de", "agent"), 1), (Question("Danke"), 2)]


@pytest.mark.parametrize(("fields", "wrong"), [({}, "is missing"), ({"stars": "bad"}, "is not one of them")])
def test_a_row_without_a_label_is_named_by_its_line(fields: dict[str, object], wrong: str) -> None:
    with pytest.raises(UsageError, match=f"line 7: the label in column 'stars' {wrong}: allowed are negative"):
        list(labelled([row("x", **fields)], "stars"))
