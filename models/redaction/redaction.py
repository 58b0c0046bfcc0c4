"""What the edge agent asks before a text may leave the worker."""

from typing import Protocol

from models.redaction.redactor import Redacted


class Redaction(Protocol):
    """Takes personal data out of a text."""

    def redact(self, text: str) -> Redacted:
        """`text` as it may leave the worker, and the kinds of what was found in it."""


class NoRedaction:
    """Lets every text through as it is."""

    def redact(self, text: str) -> Redacted:
        """`text` itself, in which nothing was looked for."""
        return Redacted(text, (), ())
