"""What every Kafka client of Edgewise shares: its connection settings, and a plain word when no broker answers."""

import logging
import time
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from schemas.errors import EdgewiseError
from streams.config.settings import Settings
from streams.kafka.oauth import token_source
from streams.kafka.security import (
    AUTHORIZATION,
    AccessError,
    connection_refused,
    librdkafka_security,
    reason,
    said,
    somebody_listens,
)

if TYPE_CHECKING:
    from confluent_kafka.admin._metadata import ClusterMetadata

logger = logging.getLogger(__name__)

# librdkafka goes on trying when a broker refuses it; after a try it is asked what went wrong. A refusal comes within
# milliseconds, so that the first try may be short; each is twice as long as the last, for a broker that is slow.
_FIRST_TRY_S = 0.5

# What a request to a partition's leader or a group's coordinator fails with while that is found or moves, and when a
# connection breaks.
_PASSING = (
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    # librdkafka's own codes are public all the same. While connections are cut and made anew it says of partitions that
    # are there that they are unknown (confluent-kafka-python issue 1043), for up to a second or two.
    KafkaError._DESTROY_BROKER,  # noqa: SLF001
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
)


class BrokerUnreachableError(EdgewiseError):
    """No broker answered."""


def client_config(settings: Settings) -> dict[str, Any]:
    """The part of a confluent-kafka configuration that all clients share; what librdkafka logs goes to `logging`.

    Raises UsageError: a certificate or key is missing or not what it should be.
    """
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "client.id": "edgewise",
        "logger": logger,
        **librdkafka_security(settings),
    }


def cluster_metadata(settings: Settings, timeout_s: float = 10.0) -> "ClusterMetadata":
    """The cluster's brokers and topics.

    Raises `BrokerUnreachableError` when no broker answers within `timeout_s`, `ConnectionRefusedByBrokerError` as soon
    as one does not accept the login, or shows a certificate that is not accepted, `TokenError` or `TokenRefusedError`
    when there is no token to log in with.
    """
    if settings.kafka_sasl_mechanism == "OAUTHBEARER":
        token_source(settings).token()
    errors: list[KafkaError] = []
    # What it would log is told in the error.
    admin = AdminClient(client_config(settings) | {"error_cb": errors.append, "log_level": 0})
    deadline, try_s = time.monotonic() + timeout_s, _FIRST_TRY_S
    while True:
        left_s = deadline - time.monotonic()
        try:
            return admin.list_topics(timeout=max(0.0, min(left_s, try_s)))
        except KafkaException as exception:
            admin.poll(0)
            for error in errors:
                if refusal := connection_refused(settings, error):
                    raise refusal from None
            if left_s > try_s:
                try_s *= 2
                continue
            causes = [said(error) for error in errors if error.code() != KafkaError._ALL_BROKERS_DOWN]  # noqa: SLF001
            cause = causes[-1] if causes else exception.args[0].str()
            if somebody_listens(settings):
                advice = (
                    "something listens there: is it Kafka, not too busy, and does it speak "
                    f"EDGEWISE_KAFKA_SECURITY_PROTOCOL {settings.kafka_security_protocol}?"
                )
            else:
                advice = "start one (`edgewise broker` runs an embedded one) or set EDGEWISE_BOOTSTRAP_SERVERS"
            raise BrokerUnreachableError(
                f"no Kafka broker answers at {settings.bootstrap_servers} within {timeout_s:g} s ({cause}): {advice}"
            ) from None


def passing(error: Exception) -> bool:
    """Whether a request to a partition's leader or a group's coordinator failed for what passes by itself.

    It may be made again.
    """
    return isinstance(error, KafkaException) and error.args[0].code() in _PASSING


def require_visible(settings: Settings, topic: str) -> None:
    """Raises `AccessError` when `topic` (its full name) is not listed because this user may not see it.

    Kafka leaves such a topic out of the list; asked for by name it says whether there is none or no right to it.
    """
    admin = AdminClient(client_config(settings))
    try:
        admin.describe_topics(TopicCollection([topic]))[topic].result()
    except KafkaException as exception:
        error = exception.args[0]
        if error.code() in AUTHORIZATION:
            raise AccessError(f"topic {topic}: {reason(settings, error, 'a right to it')}") from None
