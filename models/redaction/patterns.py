"""What has a format of its own as it is written: e-mail addresses, links, IP addresses, IBANs."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from models.redaction.kinds import SHAPE, SURE, Finding
from models.redaction.shapes import passes_iban
from models.redaction.tokens import Tokens
from models.redaction.vocabulary import word_list

# The look-behind lets a match start only where a run of address characters starts, so that each run is read once. 64 is
# the longest local part (RFC 5321, 4.5.3.1.1); of a longer one its end is found, and what is before it taken along.
_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]*[\w+-]\s?@\s?(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,63}\b")
# "jane (at) example (dot) com", "jane[at]example.org". The bounds keep it linear.
_AT = r" ?[(\[{<] ?at ?[)\]}>] ?"
_DOT = r"(?: ?[(\[{<] ?dot ?[)\]}>] ?| dot )"
_VEILED = re.compile(rf"(?<![\w.+-])[\w.+-]{{1,64}}{_AT}[\w-]{{1,63}}(?: ?(?:\.|{_DOT}) ?[\w-]{{1,63}}){{1,8}}")
_ENDS = "|".join(word_list("emails.tlds"))
# "jane.doe at gmail.com", as recognisers write it; of a name that is one word nobody knows: "shop at amazon.com".
_SAID_AT = re.compile(
    r"(?<![\w.+-])(?=[\w.+-]*[._+\d])(?=[\w.+-]*[^\W\d_])[\w.+-]{1,64} at "
    rf"(?:[\w-]{{1,63}}\.){{1,4}}(?:{_ENDS})\b(?!\.\w)"
)
# "jane@gmail. com"
_SPACED = re.compile(r"(?<![\w.+-])[\w.+-]{1,64} ?@ ?[\w-]{1,63} ?\. ?(?:com|net|org)\b(?!\.\w)")
_LINK = re.compile(
    r"(?:\bhttps?:|\bftp:|\bwww\.)[^\s<>\"]+|(?<![\w@.-])(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,10}/[^\s<>\"]+"
)
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])")
# Two letters, two check digits, then up to 30 more, in any groups (ISO 13616).
_IBAN = re.compile(r"(?<![a-z0-9])([a-z]{2}[ -]?\d[ -]?\d)((?:[ -]?[a-z0-9]){11,30})(?![a-z0-9])")

# The length of an IBAN by country, for those that people use most: it tells where one ends that runs into a word.
IBAN_LENGTHS: Final = {
    "ad": 24, "ae": 23, "al": 28, "at": 20, "az": 28, "ba": 20, "be": 16, "bg": 22, "bh": 22, "br": 29, "ch": 21,
    "cr": 22, "cy": 28, "cz": 24, "de": 22, "dk": 18, "do": 28, "ee": 20, "eg": 29, "es": 24, "fi": 18, "fo": 18,
    "fr": 27, "gb": 22, "ge": 22, "gi": 23, "gl": 18, "gr": 27, "gt": 28, "hr": 21, "hu": 28, "ie": 22, "il": 23,
    "iq": 23, "is": 26, "it": 27, "jo": 30, "kw": 30, "kz": 20, "lb": 28, "li": 21, "lt": 20, "lu": 20, "lv": 21,
    "mc": 27, "md": 24, "me": 22, "mk": 19, "mr": 27, "mt": 31, "mu": 30, "nl": 18, "no": 15, "pk": 24, "pl": 28,
    "ps": 29, "pt": 25, "qa": 29, "ro": 24, "rs": 22, "sa": 24, "se": 24, "si": 19, "sk": 24, "sm": 27, "tn": 24,
    "tr": 26, "ua": 29, "vg": 24, "xk": 20,
}  # fmt: skip


def emails(tokens: Tokens) -> Iterator[Finding]:
    """Written e-mail addresses, those with a word in brackets for their @ among them."""
    # From one @ to the next: a run of address characters without one is not read again at each of them.
    end = 0
    lower = tokens.lower
    at = lower.find("@")
    while at >= 0:
        start = at
        if start > end and lower[start - 1].isspace():
            start -= 1
        while start > end and not lower[start - 1].isspace() and lower[start - 1] not in '<>()[]",;:@':
            start -= 1
        match = _EMAIL.match(lower, _first_of_address(lower, start, at))
        if match and match.end() > at:
            yield Finding(match.start(), match.end(), "EMAIL", "".join(match[0].split()))
            end = match.end()
        at = lower.find("@", max(at + 1, end))
    if any(bracket in lower for bracket in "([{<"):
        yield from _veiled_emails(tokens)
    for sign, pattern in ((" at ", _SAID_AT), ("@", _SPACED)):
        if sign in lower:
            for match in pattern.finditer(lower):
                yield Finding(match.start(), match.end(), "EMAIL", "".join(match[0].replace(" at ", "@").split()))


def _veiled_emails(tokens: Tokens) -> Iterator[Finding]:
    for match in _VEILED.finditer(tokens.lower):
        value = re.sub(_DOT, ".", re.sub(_AT, "@", match[0]))
        yield Finding(match.start(), match.end(), "EMAIL", value)


def _first_of_address(lower: str, start: int, at: int) -> int:
    while start < at and lower[start] in "'`{|}~*!?=/#$%&^.-":
        start += 1
    return start


def links(tokens: Tokens) -> Iterator[Finding]:
    """Links with a scheme, "www." or a path. A bare name such as "amazon.com" is a company's and stays."""
    for match in _LINK.finditer(tokens.lower):
        end = match.end()
        while end > match.start() + 1 and tokens.lower[end - 1] in ".,;:!?)'":
            end -= 1
        yield Finding(match.start(), end, "URL", tokens.lower[match.start() : end])


def ip_addresses(tokens: Tokens) -> Iterator[Finding]:
    """IPv4 and IPv6 addresses. Four numbers with dots that are none are numbers still, and found as such."""
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(tokens.lower):
            try:
                ipaddress.ip_address(match[0])
            except ValueError:
                continue
            if any(char.isalnum() for char in match[0]):
                yield Finding(match.start(), match.end(), "IP", match[0])


def ibans(tokens: Tokens) -> Iterator[Finding]:
    """IBANs in any groups; without the right check digits, whatever has a country's code and its length."""
    announced = "iban" in tokens.lower
    for match in _IBAN.finditer(tokens.lower):
        compact = "".join([char for char in match[0] if char.isalnum()])
        length = IBAN_LENGTHS.get(compact[:2])
        if length is None or len(compact) < length:
            continue
        value = compact[:length]
        # Words behind a code may amount to a country's length: "XK-1421 was closed by Ann".
        alike = len(compact) == length and 2 * sum(map(str.isdigit, compact)) >= length
        if not (passes_iban(value) or alike or announced):
            continue
        start = match.start()
        end = start
        for _ in range(length):
            while not tokens.lower[end].isalnum():
                end += 1
            end += 1
        if end < len(tokens.lower) and tokens.lower[end].isalnum() and not passes_iban(value):
            end = match.end()
        yield Finding(start, end, "IBAN", value, SURE if passes_iban(value) or announced else SHAPE)
