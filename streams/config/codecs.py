"""The codec of a topic, as the settings want it: with or without a schema registry."""

from typing import Any

from schemas.codec import Codec
from schemas.registry import registry_client
from streams.config.settings import Settings


def codec(settings: Settings, topic: str) -> Codec[Any]:
    """The codec for `topic` (its name without the prefix); a registry's subject bears the prefix."""
    password = settings.schema_registry_password
    client = registry_client(
        settings.schema_registry_url, settings.schema_registry_user, password.get_secret_value() if password else None
    )
    return Codec(topic, registry=client, prefix=settings.topic_prefix)
