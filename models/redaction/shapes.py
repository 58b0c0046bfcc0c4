"""What a number is taken for by its length, its groups and its check digits, where no words tell."""

from stdnum import iban, luhn

from models.redaction.kinds import Kind
from models.redaction.runs import Run

CARD_LENGTHS = range(13, 20)  # ISO/IEC 7812-1 allows up to 19; the shortest in use have 13
LIMITS: dict[Kind, range] = {
    "CVV": range(1, 5),
    "PIN": range(1, 13),
    "EXPIRY": range(1, 9),
    "ZIP": range(1, 11),
    "SSN": range(1, 13),
    "PHONE": range(1, 16),
}
"""How many digits a number of a kind can have: one with more is something else, whatever words are beside it."""


def passes_luhn(digits: str) -> bool:
    """Whether the last digit checks the others, as every payment card's does (ISO/IEC 7812-1, annex B)."""
    return len(digits) in CARD_LENGTHS and bool(luhn.is_valid(digits))


def passes_iban(value: str) -> bool:
    """Whether the check digits of an IBAN are right (ISO 13616, ISO 7064 mod 97-10); the country's own are not seen."""
    return bool(iban.is_valid(value, check_country=False))


def shape(run: Run, *, written: str) -> Kind:
    """The kind that a number without a cue has most often; `written` is its text, with what comes just before it.

    A checksum decides between kinds here, and never whether a number is redacted: a card number with its expiry date
    behind it, or with a digit misheard, fails every check.
    """
    digits = "".join([element.value for element in run.elements if element.digits])
    groups = [len(element.value) for element in run.elements]
    count = len(digits)
    kind: Kind = "REFERENCE"
    if run.letters:
        kind = "REFERENCE"
    elif "+" in written or "(" in written:
        kind = "PHONE"
    elif count > 19:
        kind = "CARD" if any(passes_luhn(digits[:length]) for length in (15, 16, 19)) else "ACCOUNT"
    elif count in CARD_LENGTHS:
        in_fours = groups[:3] == [4, 4, 4] or groups == [4, 6, 5]
        kind = "CARD" if passes_luhn(digits) or in_fours else "ACCOUNT"
    elif count == 9 and (groups == [3, 2, 4] or (len(groups) == 1 and digits[0] != "0")):
        kind = "SSN"
    elif count in {10, 11} or (len(groups) > 1 and count in {7, 8, 9, 12}) or (digits[0] == "0" and count > 8):
        kind = "PHONE"
    elif count == 5 or groups == [5, 4]:
        kind = "ZIP"
    elif count > 6:
        kind = "ACCOUNT"
    return kind
