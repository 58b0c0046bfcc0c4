"""What takes personal data out of a text before it leaves the worker."""

from typing import NamedTuple, Protocol


class Redacted(NamedTuple):
    """A text without what was found in it, and the kinds of what was found, each once, sorted."""

    text: str
    kinds: tuple[str, ...] = ()


class Redactor(Protocol):
    """Finds personal data."""

    def redact(self, text: str) -> Redacted:
        """`text` as it may leave the worker."""


class NoRedaction:
    """Lets every text through as it is."""

    def redact(self, text: str) -> Redacted:
        """`text` itself, in which nothing was looked for."""
        return Redacted(text)
