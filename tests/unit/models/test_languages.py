"""What a tag says, what has a language, and which language a text is in."""

import pytest

from models.language_detection import LANGUAGES, detect
from models.languages import has_language, primary


@pytest.mark.parametrize(
    ("tag", "subtag"),
    [
        ("en", "en"), ("en-GB", "en"), ("DE_at", "de"), (" fr ", "fr"), ("zh-Hant-TW", "zh"), ("fil", "fil"),
        ("und", None), ("zxx", None), ("", None), (None, None), ("English", None), ("e", None), ("12", None),
    ],
)  # fmt: skip
def test_the_first_subtag_is_the_language(tag: str | None, subtag: str | None) -> None:
    assert primary(tag) == subtag


@pytest.mark.parametrize(
    ("tag", "subtag"),
    [("eng", "en"), ("ENG-us", "en"), ("deu", "de"), ("ger_AT", "de"), ("fre", "fr"), ("zho", "zh"), ("yue", "yue")],
)
def test_a_code_of_three_letters_is_the_language_of_two(tag: str, subtag: str) -> None:
    """Seen to fail, so that an English text was one in a language that no model reads."""
    assert primary(tag) == subtag


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("👍", False), ("😂😂 😡", False), ("12 345", False), ("ok", False), ("5/5!!!", False), ("@user", False),
        ("[url] https://example.org/hallo-welt", False), ("a.b@example.org", False), ("#Verspätung", False),
        ("oké", True), ("Danke", True), ("谢谢你", True), ("कहाँ", True), ("@user why", True),
    ],
)  # fmt: skip
def test_what_has_no_words_has_no_language(text: str, has: bool) -> None:
    assert has_language(text) == has


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("My bag is lost and nobody answers", "en"),
        ("YOU GUYS ARE HORRIBLE", "en"),
        ("still waiting on hold... 2 hours", "en"),
        ("Mein Paket ist nie angekommen und niemand antwortet", "de"),
        ("ICH HABE KEINE LUST MEHR AUF DIESEN SERVICE", "de"),
        ("Llevo tres semanas esperando y nadie me responde, es una vergüenza", "es"),
        ("C'est nul, je veux être remboursé", "fr"),
        ("Ужасный сервис, верните деньги", "ru"),
        ("这个服务太差了", "zh"),
        ("これはひどいサービスです", "ja"),
        ("मेरा सामान खो गया है", "hi"),
    ],
)  # fmt: skip
def test_a_text_that_says_enough_has_its_language(text: str, language: str) -> None:
    assert detect(text) == language


@pytest.mark.parametrize("text", ["", "👍", "ok", "12345", "Gerne", "lol haha", "yasika khan", "@user [url] thx!"])
def test_a_text_that_says_too_little_has_none(text: str) -> None:
    assert detect(text) is None


def test_a_long_text_is_read_in_part() -> None:
    assert detect("Mein Gepäck ist weg. " + "x" * 500_000) == "de"


def test_what_can_be_told_apart_is_known_to_the_library() -> None:
    assert detect("Il mio volo è stato cancellato") in LANGUAGES
