"""The language of a text, where the text says enough to tell."""

from contextlib import suppress
from functools import cache
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final

from models.languages import words
from schemas.errors import EdgewiseError

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# Those of contact centres. Each more is one more that a short English text may be mistaken for.
LANGUAGES: Final = (
    *("en", "es", "fr", "de", "it", "pt", "nl", "ca", "sv", "no", "da", "fi", "pl", "cs", "sk", "hu", "ro", "bg"),
    *("hr", "sr", "sl", "lt", "lv", "et", "el", "tr", "ru", "uk", "ar", "he", "fa", "ur", "hi", "bn", "ta", "te"),
    *("mr", "gu", "pa", "th", "vi", "id", "ms", "tl", "ja", "ko", "zh"),
)

LEAST_BYTES: Final = 10
"""Fewer bytes of letters (UTF-8: one each in English, three in Chinese) are of no language that could be told."""

# A language other than English is believed where it is so many times as likely, by the bytes of the text's letters.
# These are the least of 2, 5, 10, 20, ... at which one English text in five hundred, or fewer, is taken for another
# language: benchmarks/language.py.
SURE: Final = ((50, 2.0), (30, 10.0), (20, 20.0), (LEAST_BYTES, 200.0))

# Two of the first, or twice as many of the second, in no more than ten words, and a text is English without a look at
# its letters, which takes ten times as long. The first are frequent in no other language in Latin letters.
_ENGLISH: Final = frozenset({
    "about", "and", "are", "been", "but", "can", "could", "did", "didn", "do", "does", "doesn", "don", "for", "from",
    "get", "had", "have", "how", "isn", "just", "my", "never", "not", "our", "please", "should", "still", "thank",
    "thanks", "that", "the", "their", "there", "they", "this", "wasn", "what", "when", "which", "why", "will", "with",
    "would", "you", "your",
})  # fmt: skip
_LIKE_ENGLISH: Final = frozenset({
    "a", "all", "as", "at", "be", "by", "he", "him", "i", "if", "im", "in", "is", "it", "me", "more", "now", "of",
    "on", "one", "or", "out", "she", "so", "to", "u", "up", "ur", "us", "was", "we",
})  # fmt: skip
_WEIGHTS: Final = dict.fromkeys(_LIKE_ENGLISH, 0.5) | dict.fromkeys(_ENGLISH, 1.0)
_ENOUGH: Final = 2.0
_ENOUGH_SHARE: Final = 0.2  # of the words
_READ_CHARS: Final = 1_000  # what follows says nothing new

_LOADING: Final = Lock()  # else two that need it at once would both load it


def detect(text: str) -> str | None:
    """The language of `text`, one of `LANGUAGES` (ISO 639); None where it says too little.

    By py3langid: naive Bayes over sequences of bytes (Lui and Baldwin, 2012, "langid.py"). Raises EdgewiseError: no
    temporary file can be made, by way of which the library unpacks what it knows.
    """
    found = [word.lower() for word in words(text[:_READ_CHARS])]
    size = sum(len(word) if word.isascii() else len(word.encode("utf-8", "replace")) for word in found)
    if size < LEAST_BYTES:
        return None
    known = sum([_WEIGHTS.get(word, 0.0) for word in found])
    if known >= _ENOUGH and known >= _ENOUGH_SHARE * len(found):
        return "en"
    language, times = likeliest(" ".join(found))
    least = next(least for long, least in SURE if size >= long)
    return language if language == "en" or times >= least else None


def likeliest(text: str) -> tuple[str, float]:
    """The likeliest language of `text`, and how many times as likely as English it is."""
    ranked = _identifier().rank(text)
    language, best = ranked[0]
    return language, best / max(dict(ranked)["en"], 1e-9)


def load_meanwhile() -> None:
    """Begins, in a thread, to load what `detect` looks at letters by: half a second, in which a worker joins its group.

    A text that needs it before waits. Where it cannot be loaded, the first text that needs it tries again and is told.
    """

    def load() -> None:
        with suppress(EdgewiseError):
            _identifier()

    Thread(target=load, name="languages", daemon=True).start()


def _identifier() -> "LanguageIdentifier":
    """Raises EdgewiseError: the library unpacks it by way of a temporary file, and none can be made."""
    with _LOADING:
        return _loaded()


@cache
def _loaded() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    try:
        identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    except OSError as error:
        raise EdgewiseError(
            f"no temporary file can be made ({error.strerror}): is the disk full? Make room, or set TMPDIR to a folder "
            "that can be written to"
        ) from None
    identifier.set_languages(LANGUAGES)
    return identifier
