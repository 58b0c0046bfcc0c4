import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text import normalise
from models.text_validation import _has_visible, is_readable, validate_text
from schemas.codec import DecodeError


def reason(text: str, max_chars: int = 100) -> str | None:
    try:
        validate_text(text, max_chars=max_chars)
    except DecodeError as error:
        return error.reason
    return None


@pytest.mark.parametrize(
    "text",
    ["ok", " ok ", "x" * 100, "👩‍👩‍👧" * 20, "?", "好", "0", "e\u0301", "\u200bok\x00", "&", "@someone", "😀",
     "🩷", "🫨", "🪿", "\U0001faee"],
)  # fmt: skip
def test_texts_that_a_model_is_asked_about(text: str) -> None:
    assert reason(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "", " \t\n\u3000", "\u200b", "\u200b\u200c\u200d\u2060\ufeff", "\x00", "\x00 \x01", "\ufe0f", "\U000e0100",
        "\u00ad", "\u0301", "\u3164", "\u2800\u2800", "&nbsp;", "&amp;nbsp; &nbsp;", "\U0001f3fb", "\U000e0041",
        "<style>p{}</style>", "\ue000", "\ufffc", "\ufffd\ufffd", "\U000e0fff",
        "🇩🇪",  # of a flag normalising leaves nothing
    ],
)  # fmt: skip
def test_texts_in_which_nothing_is_to_be_read(text: str) -> None:
    assert reason(text) == "empty_text"


@given(st.text(st.sampled_from("aZ0&;<>/@#.: \u200bé😀🇩🇪") | st.characters(), max_size=12))
def test_the_quick_way_agrees_with_normalising(text: str) -> None:
    assert is_readable(text) == (_has_visible(text) and _has_visible(normalise(text)))


@pytest.mark.parametrize("text", ["x" * 101, " " * 101])
def test_texts_that_are_too_long(text: str) -> None:
    assert reason(text) == "text_too_long"


def test_the_message_has_no_customer_text() -> None:
    with pytest.raises(DecodeError) as caught:
        validate_text("my card is 4111 " * 100, max_chars=100)
    assert "4111" not in str(caught.value)
