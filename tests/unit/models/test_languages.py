"""What a tag says, what has a language, and which language a text is in."""

import errno
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from py3langid.langid import LanguageIdentifier

from models import language_detection
from models.language_detection import LANGUAGES, detect, load_meanwhile
from models.languages import has_language, primary
from schemas.errors import EdgewiseError


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


GERMAN = "Mein Paket ist nie angekommen und niemand antwortet"


@pytest.fixture
def _not_loaded() -> Iterator[None]:
    language_detection._loaded.cache_clear()
    yield
    language_detection._loaded.cache_clear()


@pytest.mark.usefixtures("_not_loaded")
def test_it_is_loaded_meanwhile_and_once_however_many_texts_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    loading, may_end, loads = threading.Event(), threading.Event(), []
    load = LanguageIdentifier.from_model_file

    def slow(*args: object, **kwargs: object) -> LanguageIdentifier:
        loads.append(args)
        loading.set()
        assert may_end.wait(60)
        return load(*args, **kwargs)

    monkeypatch.setattr(LanguageIdentifier, "from_model_file", slow)
    load_meanwhile()  # it returns though nothing is loaded
    assert loading.wait(60)
    assert detect("Why is my flight late and what can you do for me") == "en"  # for which it is not needed
    with ThreadPoolExecutor() as threads:
        waiting = [threads.submit(detect, GERMAN) for _ in range(3)]
        assert not any(each.done() for each in waiting)
        may_end.set()
        assert [each.result() for each in waiting] == ["de"] * 3
    assert len(loads) == 1


@pytest.mark.usefixtures("_not_loaded")
def test_where_it_cannot_be_loaded_the_first_text_that_needs_it_is_told_and_it_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = threading.Event()

    def refused(*_: object, **__: object) -> LanguageIdentifier:
        tried.set()
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(LanguageIdentifier, "from_model_file", refused)
        load_meanwhile()
        assert tried.wait(60)
        with pytest.raises(EdgewiseError, match=r"temporary file can be made \(No space left on device\): is the disk"):
            detect(GERMAN)
    assert detect(GERMAN) == "de"
