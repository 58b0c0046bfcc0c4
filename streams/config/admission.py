"""The rule of who and what is scored, as the settings have it."""

from collections.abc import Collection

from models.admission import Admission
from models.language_detection import detect
from streams.config.settings import Settings


def build_admission(settings: Settings, edge_languages: Collection[str]) -> Admission:
    """The rule of `settings` for an edge model that reads `edge_languages`."""
    return Admission(
        roles=settings.roles_scored,
        edge_languages=edge_languages,
        cloud_languages=settings.languages_of_cloud,
        unread=settings.unsupported_language,
        detect=detect,
    )
