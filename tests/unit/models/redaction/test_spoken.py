import pytest

from models.redaction.spoken import letter_at, number_at


@pytest.mark.parametrize(
    ("words", "digits", "taken"),
    [
        ("four", "4", 1),
        ("oh", "0", 1),
        ("double four", "44", 2),
        ("triple oh", "000", 2),
        ("double 4", "44", 2),
        ("forty one eleven", "41", 2),
        ("forty-one", "41", 3),
        ("twenty oh five", "20", 1),
        ("five hundred and twelve", "512", 4),
        ("five hundred", "500", 2),
        ("nine hundred one two", "900", 2),
        ("two thousand five hundred", "2500", 4),
        ("two thousand nineteen", "2019", 3),
    ],
)
def test_a_number_is_read_as_it_is_said(words: str, digits: str, taken: int) -> None:
    number = number_at(words.replace("-", " - ").split(), 0)
    assert number is not None
    assert (number.digits, number.after) == (digits, taken)


@pytest.mark.parametrize("words", ["hundred", "double", "double trouble", "pizza"])
def test_other_words_are_no_number(words: str) -> None:
    assert number_at(words.split(), 0) is None


@pytest.mark.parametrize(
    ("words", "letter", "taken"),
    [
        ("b", "b", 1),
        ("b as in bravo", "b", 4),
        ("b , as in boy", "b", 5),
        ("d for delta", "d", 3),
        ("d is for dog", "d", 4),
        ("d for example", "d", 1),
    ],
)
def test_a_letter_is_read_as_it_is_spelled(words: str, letter: str, taken: int) -> None:
    assert letter_at(words.split(), 0) == (letter, taken)
