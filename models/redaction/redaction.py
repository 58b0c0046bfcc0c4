"""What the edge agent asks before a text may leave the worker."""

from collections.abc import Iterable
from typing import Protocol

from models.redaction.redactor import Redacted


class Redaction(Protocol):
    """Takes personal data out of the turns of conversations; `ConversationRedactor` does."""

    def redact(self, conversation_id: str, text: str) -> Redacted:
        """`text`, the next turn of the conversation, as it may leave the worker, and the kinds of what was in it."""

    def checkpoint(self) -> None:
        """Notes that what was redacted so far will not be redacted again."""

    def restore(self, conversations: Iterable[str]) -> None:
        """Takes back the turns of `conversations` since the checkpoint."""


class NoRedaction:
    """Lets every text through as it is."""

    def redact(self, conversation_id: str, text: str) -> Redacted:
        """`text` itself, in which nothing was looked for."""
        return Redacted(text, (), ())

    def checkpoint(self) -> None:
        """Does nothing: it keeps nothing."""

    def restore(self, conversations: Iterable[str]) -> None:
        """Does nothing: it keeps nothing."""
