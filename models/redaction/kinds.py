"""What is looked for in a text, and what is said of what was found."""

from typing import Final, Literal, NamedTuple, get_args

Kind = Literal[
    "NAME",
    "ADDRESS",
    "ZIP",
    "EMAIL",
    "PHONE",
    "CARD",
    "CVV",
    "EXPIRY",
    "ACCOUNT",
    "IBAN",
    "SSN",
    "PIN",
    "PASSWORD",
    "USERNAME",
    "DATE_OF_BIRTH",
    "REFERENCE",
    "IP",
    "URL",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""REFERENCE is a booking, claim, policy or order number, and any number of which nothing tells what it is."""


class Span(NamedTuple):
    """Where something was found: characters `start` to `end` (exclusive) of the text that was given."""

    start: int
    end: int
    kind: Kind


# How sure a finder is of the kind. A rule that saw a cue, a checksum or a format of its own outdoes the tagger, and the
# tagger a rule that saw only how long a number is.
SHAPE: Final = 1
TAGGED: Final = 2
SURE: Final = 3


class Finding(NamedTuple):
    """A span before overlaps are merged, with what decides about them.

    `value` is what the span says, brought to one form: "four one one one" and "4111" have the same. It is compared
    within a conversation, and never leaves this package.
    """

    start: int
    end: int
    kind: Kind
    value: str
    sureness: int = SURE
