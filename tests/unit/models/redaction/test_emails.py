"""Addresses and links that are said in words."""

import pytest

from models.redaction.redactor import Redactor


@pytest.mark.timeout(30)
def test_a_text_of_nothing_but_paths_takes_no_time() -> None:
    """Seen to take the square of its length: each link's path was looked through again from each of its dots."""
    text = "slash a dot com " * 6_000
    assert "[URL" in Redactor(numbered=False).redact(text).text


def test_a_link_ends_behind_its_path_and_the_next_address_is_another() -> None:
    text = "go to example dot com slash help and write to jane dot doe at gmail dot com"
    assert Redactor(numbered=False).redact(text).text == "go to [URL] and write to [EMAIL]"
