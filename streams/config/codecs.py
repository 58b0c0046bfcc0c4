"""The codec of a topic, as the settings want it: with a schema registry or without."""

from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from schemas.codec import Codec
from schemas.records import Record
from schemas.registry import registry_client
from schemas.topics import Topic
from streams.config.settings import Settings

if TYPE_CHECKING:  # it brings an HTTP client along, which a worker without a registry need not import
    from confluent_kafka.schema_registry import SchemaRegistryClient

R = TypeVar("R", bound=Record)


def codec(settings: Settings, topic: Topic[R]) -> Codec[R]:
    """The codec for `topic`."""
    return Codec(
        topic,
        registry=registry(settings),
        prefix=settings.topic_prefix,
        write_version=settings.schema_version,
    )


@lru_cache(maxsize=8)
def registry(settings: Settings) -> "SchemaRegistryClient | None":
    """The one client that all codecs of `settings` in this process share; None where no registry is set."""
    password = settings.schema_registry_password
    return registry_client(
        settings.schema_registry_url, settings.schema_registry_user, password.get_secret_value() if password else None
    )
