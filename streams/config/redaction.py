"""The redaction that the settings choose."""

from models.redaction import ConversationRedactor, NoRedaction, Redaction, Tagger
from streams.config.settings import Settings


def build_redaction(settings: Settings) -> Redaction:
    """What takes personal data out of conversations' turns. Raises ArtifactError: the tagger cannot be loaded."""
    if settings.redaction == "off":
        return NoRedaction()
    return ConversationRedactor(tagger=build_tagger(settings), kinds=settings.kinds_redacted)


def build_tagger(settings: Settings) -> Tagger | None:
    """The tagger, where `redaction` is `tagger`. Raises ArtifactError: it cannot be loaded."""
    if settings.redaction != "tagger":
        return None
    from models.redaction.onnx_tagger import OnnxTagger

    return OnnxTagger(settings.redaction_model)
