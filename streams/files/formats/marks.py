"""The marks that a vendor's own redaction leaves in a text: `[PII]`, `{{NAME}}`, `<PHONE_NUMBER>`, `****`, `####`."""

import re
from typing import Final

MARK: Final = "[ID]"
"""What stands for a mark, or for several in a row: one token for all vendors, which says nothing of sentiment.

`[redacted]` would: the edge model leans to negative where it stands.
"""

# Single words that vendors use as kinds of what they found; kinds of several words, joined by `_`, are known by that.
_KINDS: Final = (
    "ACCOUNT ACCOUNTNUM ADDRESS AGE CITY COUNTRY CVV DATE DOB EMAIL EVENT FILENAME GENDER GIVENNAME GPE "
    "IBAN ID INTEGER ITIN LANGUAGE LOCATION LOC MONEY NAME NATIONALITY NRP NUMBER NUMERICAL OCCUPATION "
    "ORG ORGANIZATION PASSPORT PASSWORD PCI PER PERSON PHONE PHONENUMBER PII PIN QUANTITY RELIGION SSN "
    "STREET SURNAME TIME URL USERNAME ZIP ZIPCODE"
)
_KIND: Final = (
    rf"(?:(?:{'|'.join(_KINDS.split())})(?:[_-]?\d{{1,3}})?|[A-Z]{{2,20}}(?:_[A-Z0-9]{{1,20}}){{1,4}}|(?i:redacted))"
)

# No run of stars is parted in more than one way: a long one before a word would be tried in all of them.
# Stars and hashes inside a word, as in f***ing, are somebody's own; two or three hashes at the head of a line are a
# heading.
_VENDORS: Final = (
    rf"(?:\[{_KIND}\]|<{_KIND}>|\{{\{{\s?[\w .-]{{1,40}}\s?\}}\}}"
    r"|(?<![\w*])\*{3,}+(?:[\s-]\*{2,}+){0,4}(?:[\s-]?\d{2,4})?(?![\w*])"
    r"|(?<![\w#])#{2,}(?![\w#-])(?<!^##)(?<!^###))"
)
_RUN: Final = re.compile(rf"{_VENDORS}(?:[ ,]{{0,2}}{_VENDORS})*", re.MULTILINE)
_ONE: Final = re.compile(_VENDORS, re.MULTILINE)
_LIKELY: Final = re.compile(r"[\[<]|\{\{|\*\*\*|##")


def neutral(text: str) -> tuple[str, int]:
    """`text` with its marks replaced by `MARK`, and how many there were."""
    if not _LIKELY.search(text):
        return text, 0
    return _RUN.sub(MARK, text), len(_ONE.findall(text))


def only_marks(text: str) -> bool:
    """Whether `text`, in which marks are replaced, has no word beside them."""
    return not re.search(r"\w", text.replace(MARK, ""))
