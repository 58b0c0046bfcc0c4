import pytest

from models.redaction.runs import runs
from models.redaction.tokens import Tokens


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("4111 1111-1111.1111", ["4111111111111111"]),
        ("four one, um, one one", ["4111"]),
        ("four one so then one one", ["4111"]),
        ("four one where was i one one", ["4111"]),
        ("four one two for two too one", ["41221"]),
        ("b 7 n 9", ["b7n9"]),
        ("x ray oscar two", ["xo2"]),
        ("j o e five", ["joe5"]),
        ("oh five", ["05"]),
        ("nine to five", ["9", "5"]),
        ("4111\n1111", ["4111", "1111"]),
        ("4512. 30 were left", ["4512", "30"]),
        ("4512 was wrong it is 3312", ["4512", "3312"]),
        ("last four digits", []),
        ("30 minutes", []),
        ("a day", []),
        ("1,500", ["1500"]),
    ],
)
def test_a_run_is_what_belongs_to_one_number(text: str, values: list[str]) -> None:
    assert [run.value for run in runs(Tokens(text))] == values


@pytest.mark.parametrize(
    ("text", "corrected"),
    [("four eight no wait five one", "451"), ("41 sorry 51 12", "5112"), ("four eight no five", "485")],
)
def test_a_correction_takes_the_place_of_the_group_before(text: str, corrected: str) -> None:
    tokens = Tokens(text)
    (run,) = runs(tokens)
    assert run.corrected(tokens) == corrected


def test_an_amount_is_told_from_digits() -> None:
    (run,) = runs(Tokens("1,500"))
    assert run.elements[0].cardinal
    (run,) = runs(Tokens("five hundred and twelve"))
    assert run.elements[0].cardinal
