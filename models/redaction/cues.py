"""Cues: the words that say what a number or a name beside them is."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from models.redaction.kinds import Kind

_PHRASES: Final[dict[Kind | None, str]] = {
    "CARD": (
        "card number|card no|card num|card numbers|credit card|debit card|cc number|cc no|cc|card ending in|"
        "card ending with|card ends in|card ends with|card ending|card details|my card|the card|this card|visa|"
        "mastercard|amex|american express|card|sixteen digits|16 digits|long number|number on the front|card is"
    ),
    "CVV": (
        "cvv|cvc|cvv2|cvc2|cvv number|cvv code|c v v|c v c|security code|card verification|three digits on the back|"
        "3 digits on the back|three digit code|3 digit code|number on the back|digits on the back|verification value|"
        "back of the card|back of your card|back of my card|code on the back|number on the back|on the back"
    ),
    "EXPIRY": (
        "expiry|expiry date|expiration|expiration date|expires|expires on|expires in|expire|exp|exp date|expiring|"
        "valid until|valid thru|valid through|good through|good until|valid till|date on it|date on the card|date on the front"
    ),
    "ACCOUNT": (
        "account number|account no|account num|account numbers|account id|account ending in|account ending with|"
        "account ends in|acct number|acct no|acct|acc no|acc number|ac no|ac number|account|accounts|acc|a c no|"
        "routing number|routing|sort code|bank account|checking account|savings account|account number's"
    ),
    "SSN": (
        "ssn|ssn number|ssn no|ssn num|s s n|social security number|social security|social|social number|"
        "social security no|tax id|national insurance|ssn ends with|ssn ending"
    ),
    "PIN": "verification code|pin|pin number|pin no|pin code is|passcode|pass code|p i n|secret code|access code|one time code|otp",
    "ZIP": "zip|zip code|zipcode|zip codes|postal code|postcode|post code|pincode|postal|zip is",
    "PHONE": (
        "phone number|phone no|phone num|phone|mobile number|mobile no|mobile|cell number|cell no|cell phone|cell|"
        "telephone|telephone number|tel|fax|ph|ph no|ph number|contact number|contact no|contact|con no|conno|call me on|"
        "call me at|call me back at|call me back on|reach me at|reach me on|text me at|text me on|call back number|callback number|call|"
        "whatsapp|landline|desk|office|reach us at|answering at|phone number's|number to call|number to reach|"
        "best number|home number|work number|messages to|message to|dial"
    ),
    "IBAN": "iban|iban number|i b a n",
    "DATE_OF_BIRTH": (
        "date of birth|dob|d o b|birth date|birthdate|birthday|born on|was born|born in|born|date of birth's|birth"
    ),
    "REFERENCE": (
        "reference number|reference no|reference|ref number|ref no|ref|confirmation number|confirmation no|"
        "confirmation num|conformation number|conformation numbe|conformation|confirmation code|confirmation numbe|confirmation|booking number|booking reference|"
        "booking confirmation number|booking confirmation|booking id|booking code|booking|claim number|claim no|"
        "claim id|claim|policy number|policy no|policy id|policy|order number|order no|order id|order|ticket number|"
        "ticket no|case number|case no|case id|case|tracking number|tracking id|tracking no|tracking code|"
        "member number|membership number|member id|membership id|customer number|customer id|customer no|"
        "employee id|employee number|invoice number|invoice no|invoice|serial number|serial no|pnr|pnr number|"
        "record locator|locator|passport number|passport|licence number|license number|driver's license|"
        "drivers license|application number|shipment number|transaction id|transaction number|contract number|"
        "id number|user id is number|reservation number|reservation code|reservation|loyalty number|"
        "frequent flyer number|request number|work order|meter number|imei|imei number|vin|"
        "patient number|subscriber number|subscription number|subscription id|agreement number"
    ),
    "NAME": (
        "name|full name|first name|last name|surname|middle name|maiden name|your name|my name|name please|"
        "name on the account|name on the card|good name|who am i speaking|who is this|whom am i speaking"
    ),
    "EMAIL": "email|e mail|email address|email id|e mail address|mail id|mail address|emails|mail",
    "ADDRESS": (
        "address|billing address|home address|mailing address|shipping address|new address|street address|"
        "delivery address|where do you live|located at|residence"
    ),
    "PASSWORD": "password|pass word|passwrd|passowrd|pasword|passphrase|passwort|paessword|passord|pwd|password's|pw",
    "USERNAME": "username|user name|userid|user id|login|login id|login name|log in name|screen name|handle",
    # What says only that a number follows; how long it is decides what it is taken for.
    None: (
        "number|no|num|numbers|number's|code|id|ending in|ending with|ends in|ends with|last four|last 4|"
        "last four digits|last 4 digits|digits|digits are|last five digits|last six digits|last digits"
    ),
}


class Cue(NamedTuple):
    """A cue at tokens `first` to `after` (exclusive). `kind` is None where it says only that a number follows."""

    first: int
    after: int
    kind: Kind | None


_BY_FIRST_WORD: Final[dict[str, list[tuple[tuple[str, ...], Kind | None]]]] = {}
for _kind, _phrases in _PHRASES.items():
    for _phrase in _phrases.split("|"):
        _head, *_tail = _phrase.split()
        _BY_FIRST_WORD.setdefault(_head, []).append((tuple(_tail), _kind))
for _entries in _BY_FIRST_WORD.values():
    _entries.sort(key=lambda entry: -len(entry[0]))

CUE_WORDS: Final = frozenset(_BY_FIRST_WORD)
"""The first words of all cues."""

_PHRASE_LISTS = [phrase.split() for phrases in _PHRASES.values() for phrase in phrases.split("|")]
CUE_GATE: Final = frozenset(max(reversed(phrase), key=len) for phrase in _PHRASE_LISTS)
"""The longest word of each cue: a text without any of them has no cue."""


def cues(words: Sequence[str]) -> list[Cue]:
    """The cues among `words`, in order, the longest phrase at each place."""
    found: list[Cue] = []
    index = 0
    while index < len(words):
        after = index + 1
        word = words[index]
        entries = _BY_FIRST_WORD.get(word)
        if entries is None and word[-2:] == "'s":
            entries = _BY_FIRST_WORD.get(word[:-2])
        for tail, kind in entries or ():
            end = index + 1 + len(tail)
            if not tail or tuple(words[index + 1 : end]) == tail:
                found.append(Cue(index, end, kind))
                after = end
                break
        index = after
    return found


def joined(found: list[Cue], words: Sequence[str]) -> list[Cue]:
    """`found` with neighbours made one: "account" and "ending in" are a cue of an account, "pin on the card" of a PIN."""
    result: list[Cue] = []
    for cue in found:
        if result and result[-1].kind and cue.kind and _belongs(words[result[-1].after : cue.first]):
            result[-1] = result[-1]._replace(after=cue.after)
            continue
        if result and result[-1].after == cue.first and (cue.kind is None or result[-1].kind is None):
            last = result.pop()
            cue = Cue(last.first, cue.after, last.kind or cue.kind)  # noqa: PLW2901 - one of the two
        result.append(cue)
    return result


def _belongs(gap: Sequence[str]) -> bool:
    """Whether "on the", "for my" or the like is between two cues: the first is what is told of."""
    return (
        1 < len(gap) < 3
        and gap[0] in {"on", "for", "of", "to"}
        and gap[1] in {"the", "my", "your", "this", "that", "our"}
    )
