"""What is answered without a model: ratings, and texts that say nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules import ID, MOST_CHARS, answer, answered_by, rating, says_nothing
from schemas.records import Label, Role


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("4/5", "positive"),
        ("3/5", "neutral"),
        ("2/5", "negative"),
        ("4.5/5!", "positive"),
        ("3,5/5", "neutral"),
        ("8/10", "neutral"),
        ("10/10", "positive"),
        ("6 out of 10", "neutral"),
        ("4 out of 10.", "negative"),
        ("nine out of ten", "positive"),
        ("90/100", "positive"),
        ("Just 1 out of 5", "negative"),
        ("I'd give it a 5/10", "neutral"),
        ("it's a 10/10", "positive"),
        ("overall: 2/5", "negative"),
        ("4 stars", "positive"),
        ("Three stars", "neutral"),
        ("ZERO STARS!!!", "negative"),
        ("no stars", "negative"),
        ("2-star", "negative"),
        ("4 out of 5 stars", "positive"),
        ("\u2605\u2605\u2605\u2605\u2606", "positive"),
        ("\u2605\u2605\u2605", "neutral"),
        ("\u2605\u2605\u00bd", "negative"),
        ("\u2605\u2605\u2605\u00bd", "neutral"),
        ("\u2605\u2605\u2606\u2606", "neutral"),
        ("2.5/5", "negative"),
        ("4.5/10", "negative"),
        ("5/10", "neutral"),
        ("45/100", "negative"),
        ("0/10", "negative"),
        ("CSAT 2.5", "negative"),
        ("5 \u2b50", "positive"),
        ("1\u2b50\ufe0f", "negative"),
        ("3*", "neutral"),
        ("4/5 \u2605", "positive"),
        ("nps 6/10", "negative"),
        ("\u2605\u2606\u2606\u2606\u2606", "negative"),
        ("\u2b50\ufe0f\u2b50\ufe0f", "negative"),
        ("\u2b50\u2b50\u2b50\u2b50", "positive"),
        ("5\ufe0f\u20e3/5\ufe0f\u20e3", "positive"),
        ("\U0001f51f/\U0001f51f", "positive"),
        ("\uff14\uff0f\uff15", "positive"),
        ("rating: 2", "negative"),
        ("Rating 10", "positive"),
        ("score = 6", "neutral"),
        ("rating: 3/5", "neutral"),
        ("stars: 5", "positive"),
        ("CSAT 4", "positive"),
        ("NPS 10", "positive"),
        ("nps: 8", "neutral"),
        ("NPS=6", "negative"),
    ],
)
def test_a_text_that_is_a_rating_has_its_label(text: str, label: Label) -> None:
    assert rating(text) == label


@pytest.mark.parametrize(
    "text",
    [
        "5",
        "5\ufe0f\u20e3",
        "five",
        "a 5",
        "10/12/2026",
        "12/10",
        "02/10",
        "09/10",
        "01/5",
        "rating: 02",
        "7*",
        "1/4",
        "6/5",
        "10 stars",
        "rating: 4",  # of five, or of ten?
        "rating: 5",
        "rating",
        "NPS 11",
        "\u2b50",
        "\u2605\u2605\u2605\u2605\u2605\u2605",
        "\u2606\u2606\u2606\u2606\u2606",
        "5 stars? I pressed that by accident",
        "is it 4 stars or 5",
        "4 star hotel",
        "2/5 parcels came",
        "5/5 and 1/5",
    ],
)
def test_what_is_no_rating_or_more_than_one_has_none(text: str) -> None:
    assert rating(text) is None


@pytest.mark.parametrize(
    "text",
    ["..", "?!", "8813", "j", "N", "b.", "31.01.2027", "18:45", "@somebody", "https://example.org/a ?", "a@example.org",
     "$12.50", "02/10", "24/7", "12/25", "#882", "+49 30 901820", "*", "====", "1, 2, 3", "---"],
)  # fmt: skip
def test_a_text_without_words_says_nothing(text: str) -> None:
    assert says_nothing(text)
    assert answer(text) == (0.2, 0.6, 0.2)


@pytest.mark.parametrize(
    "text",
    [":)", ":-(", "<3", "^^", ":/", "8)", ")))", "=D", "T_T", "+1", "100%", "A+", "ok", "no", "\U0001f44d", "\u2764",
     "\u597d", "7 days", "I want 2", "a b ok", "11/10", "100/10!", "7 / 5", "110/100"],
)  # fmt: skip
def test_words_emoji_and_emoticons_say_something(text: str) -> None:
    assert not says_nothing(text)
    assert answer(text) is None
    assert answered_by(text, "customer", "edge@1") == "edge@1"


def test_a_rating_is_sure_and_named_as_the_rules_answer() -> None:
    assert answer("1/5") == pytest.approx((0.95, 0.025, 0.025))
    assert answer("3/5") == pytest.approx((0.025, 0.95, 0.025))
    assert answer("5/5") == pytest.approx((0.025, 0.025, 0.95))
    assert answered_by("5/5", "unknown", "edge@1") == ID == "rules@2"


@pytest.mark.parametrize("text", ["CSAT 1", "1 out of 5", "two out of five", "1/5"])
@pytest.mark.parametrize("role", ["agent", "bot", "system"])
def test_only_who_was_served_rates(role: Role, text: str) -> None:
    assert answer(text, "customer") == answer(text, "unknown") == pytest.approx((0.95, 0.025, 0.025))
    assert answer(text, role) is None
    assert answered_by(text, role, "edge@1") == "edge@1"
    assert answer("4471", role) == (0.2, 0.6, 0.2)


@given(st.text(alphabet="5/10 .!?:-(a\u2605\u2b50\ufe0f stars", max_size=2 * MOST_CHARS))
def test_any_text_is_answered_by_probabilities_or_left_to_a_model(text: str) -> None:
    given_ = answer(text)
    assert given_ is None or (sum(given_) == pytest.approx(1) and len(text) <= MOST_CHARS)
