"""The maker of every Kafka client of Edgewise: its options, each explicit and with its reason, are here alone."""

import logging
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicCollection
from confluent_kafka.admin import AdminClient

from schemas.errors import EdgewiseError
from streams.config.settings import Settings
from streams.kafka.oauth import token_source
from streams.kafka.refusals import (
    AUTHORIZATION,
    AccessError,
    broker_message,
    connection_refused,
    explain_refusal,
    is_listening,
)
from streams.kafka.security import librdkafka_security

if TYPE_CHECKING:
    from confluent_kafka.admin._metadata import ClusterMetadata

logger = logging.getLogger(__name__)

# Between a transaction's first record and its commit lie milliseconds. When a broker dies, others lead in its place and
# need not wait for its replicas after its session (9 s). It takes as long again when that broker was the active
# controller, for its successor begins to count after its election. 20 s outlast both. The time-out also bounds how long
# a producer that died keeps others from reading past its open transaction.
TRANSACTION_TIMEOUT_MS = 20_000

# A record that the broker has not taken within this time is given up: leader elections and restarts take seconds.
DELIVERY_TIMEOUT_MS = 60_000

# librdkafka goes on trying when a broker refuses it; after a try it is asked what went wrong. A refusal comes within
# milliseconds, so that the first try may be short. Each try is twice as long as the last, for a broker that is slow.
_FIRST_TRY_S = 0.5

# What a request to a partition's leader or a group's coordinator fails with while that is found or moves, is behind its
# predecessor or loses a disk, and when a connection breaks. librdkafka leaves some of them to its caller.
_TRANSIENT = (
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.KAFKA_STORAGE_ERROR,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.OFFSET_NOT_AVAILABLE,
    KafkaError.REPLICA_NOT_AVAILABLE,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    # librdkafka's own codes are public all the same. While connections break and are made anew, it reports existing
    # partitions as unknown for up to a second or two (confluent-kafka-python issue 1043).
    KafkaError._DESTROY_BROKER,  # noqa: SLF001
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
)


# Another producer has taken over this one's transactional id, or the broker has ended its transaction.
FENCED = (KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED)  # noqa: SLF001


class BrokerUnreachableError(EdgewiseError):
    """No broker answered."""


class Cluster:
    """The Kafka cluster that `settings` name, and every kind of client of it.

    Make it once and hand it on: it reads the PEM files once, so a file that is being replaced disturbs no running
    worker. It opens no connection by itself. Threads may share it.

    Raises UsageError: a certificate or key is missing or not what it should be.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._connection: dict[str, Any] = {
            "bootstrap.servers": settings.bootstrap_servers,
            "client.id": "edgewise",
            "logger": logger,  # else librdkafka writes to stderr
            **librdkafka_security(settings),
        }

    def admin(self) -> AdminClient:
        """A client to administer the cluster with. Its futures live as long as it does."""
        return AdminClient(self._connection)

    def assigned_consumer(
        self,
        *,
        group: str | None = None,
        isolation: Literal["read_committed", "read_uncommitted"] = "read_committed",
        reset: Literal["error", "earliest"] = "error",
        fetch_wait_ms: int = 10,
    ) -> Consumer:
        """A consumer that is given its partitions by `assign`, joins no group and commits nothing.

        `group` (its full name) is the one whose committed offsets it can be asked for. `reset` says what happens at an
        offset that the partition does not hold: an error, or a start at the oldest record. `fetch_wait_ms`: how long
        the broker holds back the answer to a fetch that found nothing.
        """
        return Consumer(
            self._connection
            | {
                "group.id": group or self.settings.group("reader"),  # the client requires one
                "enable.auto.commit": False,
                "isolation.level": isolation,
                "enable.partition.eof": True,  # the end of a partition is reported, as the error _PARTITION_EOF
                "auto.offset.reset": reset,  # librdkafka's default would go to the end, and miss all that is there
                "fetch.wait.max.ms": fetch_wait_ms,
                # What is fetched ahead is held in memory, 64 MB a partition by default. 8 MB last until more has come,
                # where the client looks again soon after they were too many: its 1 s would be a pause.
                "queued.max.messages.kbytes": 8 * 1024,
                "fetch.queue.backoff.ms": 20,
            }
        )

    def group_consumer(self, group: str, more: Mapping[str, object]) -> Consumer:
        """A consumer that joins `group` (its full name) and commits nothing; `more` are options over these.

        It starts where the group's last finished transaction left off: librdkafka waits for pending ones
        (`require_stable`, KIP-447) where only committed records are read. Where that is nowhere, or at records that are
        gone, it reports the error `_AUTO_OFFSET_RESET` and waits for a seek.
        """
        return Consumer(
            self._connection
            | {
                "group.id": group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,  # the end of a partition is reported, as the error _PARTITION_EOF
                "auto.offset.reset": "error",
            }
            | dict(more)
        )

    def producer(
        self, more: Mapping[str, object] = MappingProxyType({}), *, transactional_id: str | None = None
    ) -> Producer:
        """An idempotent producer, transactional where `transactional_id` is given; `more` are options over these."""
        transaction: dict[str, object] = {
            "transactional.id": transactional_id,
            "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
            "message.timeout.ms": TRANSACTION_TIMEOUT_MS,  # librdkafka allows no longer one
        }
        return Producer(
            self._connection
            | {
                "acks": "all",  # a record that was taken survives the death of a broker
                "enable.idempotence": True,  # none twice, and none before its predecessor, whatever is retried
                "partitioner": "murmur2_random",  # as Java's clients: a conversation is in one partition for all
                "compression.type": self.settings.compression,
                # The broker judges what is too large, after compression. The client would before: a text of 3 MB that
                # came in 30 kB could not even become a dead letter, or be put back.
                "message.max.bytes": 64 * 1024 * 1024,
                "linger.ms": 5,
                "message.timeout.ms": DELIVERY_TIMEOUT_MS,
            }
            | (transaction if transactional_id is not None else {})
            | dict(more)
        )

    def metadata(self, timeout_s: float = 10.0) -> "ClusterMetadata":
        """The cluster's brokers and topics, asked over a connection of its own.

        Raises `BrokerUnreachableError` when no broker answers within `timeout_s`, `ConnectionRefusedByBrokerError` as
        soon as one does not accept the login, or shows a certificate that is not accepted, `TokenError` or
        `TokenRefusedError` when there is no token to log in with.
        """
        settings = self.settings
        if settings.kafka_sasl_mechanism == "OAUTHBEARER":
            token_source(settings).token()
        errors: list[KafkaError] = []
        # What it would log is in the error that is raised.
        admin = AdminClient(self._connection | {"error_cb": errors.append, "log_level": 0})
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
                raise _unreachable(settings, timeout_s, errors, exception.args[0]) from None

    def require_visible(self, topic: str) -> None:
        """Raises `AccessError` when `topic` (its full name) is not listed because this user may not see it.

        Kafka leaves such a topic out of the list. Asked for by name, it says whether the topic or the right is missing.
        """
        admin = self.admin()
        try:
            admin.describe_topics(TopicCollection([topic]))[topic].result()
        except KafkaException as exception:
            error = exception.args[0]
            if error.code() in AUTHORIZATION:
                why = explain_refusal(self.settings, error, "a right to it")
                raise AccessError(f"topic {topic}: {why}") from None


def is_transient(error: Exception) -> bool:
    """Whether a request to a partition's leader or a group's coordinator failed for a reason that passes by itself.

    The request may be made again.
    """
    return isinstance(error, KafkaException) and error.args[0].code() in _TRANSIENT


def is_repeatable(error: Exception) -> bool:
    """Whether a transactional call failed for a reason that passes by itself, and is to be made again."""
    return isinstance(error, KafkaException) and error.args[0].retriable() and not error.args[0].txn_requires_abort()


def _unreachable(
    settings: Settings, timeout_s: float, errors: list[KafkaError], last: KafkaError
) -> BrokerUnreachableError:
    causes = [broker_message(error) for error in errors if error.code() != KafkaError._ALL_BROKERS_DOWN]  # noqa: SLF001
    if is_listening(settings):
        advice = (
            "something listens there: is it Kafka, not too busy, and does it speak "
            f"EDGEWISE_KAFKA_SECURITY_PROTOCOL {settings.kafka_security_protocol}?"
        )
    else:
        advice = "start one (`edgewise broker` runs an embedded one) or set EDGEWISE_BOOTSTRAP_SERVERS"
    return BrokerUnreachableError(
        f"no Kafka broker answers at {settings.bootstrap_servers} within {timeout_s:g} s "
        f"({causes[-1] if causes else last.str()}): {advice}"
    )
