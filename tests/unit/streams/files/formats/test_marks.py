import pytest

from models.artifact import load_artifact
from models.classifier import Classifier
from streams.files.formats.marks import MARK, neutral, only_marks


@pytest.mark.parametrize(
    "mark",
    ["[PII]", "[NAME]", "[NAME_1]", "[CREDIT_DEBIT_NUMBER]", "[REDACTED]", "[redacted]", "<PERSON>", "<PHONE_NUMBER>",
     "{{NAME}}", "{{ US_STATE }}", "****", "****1234", "**** **** **** 1234", "####", "##"],
)  # fmt: skip
def test_a_vendors_mark_becomes_one_neutral_token(mark: str) -> None:
    assert neutral(f"I am {mark}, hello") == (f"I am {MARK}, hello", 1)


def test_marks_in_a_row_are_one_token_and_all_are_counted() -> None:
    assert neutral("it is {{INTEGER}} {{SSN}}, [PII] ok [PII]") == (f"it is {MARK} ok {MARK}", 4)
    assert neutral("#### ###### said") == (f"{MARK} said", 2)


@pytest.mark.parametrize(
    "text",
    ["[OK] done", "[URGENT] my order", "f***ing late", "## Heading\ntext", "a ** b", "x < y > z", "#1 choice",
     "[laughs]", "<3 you", "{name}", "C## and a*b"],
)  # fmt: skip
def test_peoples_own_signs_stay(text: str) -> None:
    assert neutral(text) == (text, 0)


@pytest.mark.timeout(20)
def test_a_long_run_of_stars_before_a_word_takes_no_time() -> None:
    """A rule between two parts of a mail. Seen not to end with runs that can be parted in more than one way: a line of
    a hundred stars held up the HTTP door."""
    for text in ("*" * 5_000 + "NOTE", "*** " * 1_000 + "x", "**-" * 2_000 + "a"):
        assert neutral(text) is not None
    assert neutral("**** 1234 and *** *** ***, so") == (f"{MARK} and {MARK}, so", 2)


def test_only_marks() -> None:
    assert only_marks(f"{MARK}. {MARK}!")
    assert not only_marks(f"I am {MARK}")


def test_the_token_says_nothing_to_the_edge_model() -> None:
    classifier = Classifier(load_artifact("edge"), threads=1, token_budget=256)
    negative, neutral_, positive = classifier.score([f"My name is {MARK}."])[0].tolist()
    assert neutral_ > max(negative, positive)
