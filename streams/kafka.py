"""What every Kafka client of Edgewise shares: its connection settings, and a plain word when no broker answers."""

import logging
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from schemas.errors import EdgewiseError
from streams.settings import Settings

if TYPE_CHECKING:
    from confluent_kafka.admin._metadata import ClusterMetadata

logger = logging.getLogger(__name__)


class BrokerUnreachableError(EdgewiseError):
    """No broker answered."""


def client_config(settings: Settings) -> dict[str, Any]:
    """The part of a confluent-kafka configuration that all clients share; what librdkafka logs goes to `logging`."""
    return {"bootstrap.servers": settings.bootstrap_servers, "client.id": "edgewise", "logger": logger}


def cluster_metadata(settings: Settings, timeout_s: float = 10.0) -> "ClusterMetadata":
    """The cluster's brokers and topics.

    Raises `BrokerUnreachableError` when no broker answers within `timeout_s`.
    """
    try:
        return AdminClient(client_config(settings)).list_topics(timeout=timeout_s)
    except KafkaException as error:
        raise BrokerUnreachableError(
            f"no Kafka broker answers at {settings.bootstrap_servers} within {timeout_s:g} s ({error.args[0].str()}): "
            "start one (`edgewise broker` runs an embedded one) or set EDGEWISE_BOOTSTRAP_SERVERS"
        ) from None
