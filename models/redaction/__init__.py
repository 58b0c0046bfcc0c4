"""Redaction: personal data is found in a text and replaced by its kind, before the text goes anywhere."""

from models.redaction.conversation import ConversationRedactor
from models.redaction.kinds import KINDS, Kind, Span
from models.redaction.redaction import NoRedaction, Redaction
from models.redaction.redactor import Redacted, RedactionError, Redactor
from models.redaction.tagger import Tagger

__all__ = [
    "KINDS",
    "ConversationRedactor",
    "Kind",
    "NoRedaction",
    "Redacted",
    "Redaction",
    "RedactionError",
    "Redactor",
    "Span",
    "Tagger",
]
