"""What this user may do on the cluster, asked before a command relies on it."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from types import MappingProxyType
from typing import Any

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation  # type: ignore[attr-defined]

from streams.kafka.client import Cluster
from streams.kafka.refusals import AUTHORIZATION, AccessError, client_identity

_REQUEST_TIMEOUT_S = 15.0


def require_rights(
    cluster: Cluster,
    who: str,
    topics: Mapping[str, Sequence[str]] = MappingProxyType({}),
    groups: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> None:
    """Raises `AccessError` unless the user may do these operations on `topics` and `groups`, by their full names.

    Where a broker does not say what a user may do, all of it counts as allowed.
    """
    admin = cluster.admin()
    options: Any = {"include_authorized_operations": True, "request_timeout": _REQUEST_TIMEOUT_S}
    asked = [
        ("topic", topics, admin.describe_topics(TopicCollection(list(topics)), **options) if topics else {}),
        ("group", groups, admin.describe_consumer_groups(list(groups), **options) if groups else {}),
    ]
    missing = [
        f"{operation} on {kind} {name}"
        for kind, wanted, described in asked
        for name, operations in wanted.items()
        for operation in _denied(described[name], operations)
    ]
    if missing:
        identity = client_identity(cluster.settings)
        raise AccessError(f"{who}: the broker refuses {identity}, who needs {', '.join(missing)}")


def _denied(described: Future[Any], operations: Sequence[str]) -> Sequence[str]:
    try:
        allowed = described.result().authorized_operations
    except KafkaException as exception:
        # A missing topic, or a broker that gives no answer now, is found and reported elsewhere.
        return operations if exception.args[0].code() in AUTHORIZATION else []
    return [operation for operation in operations if allowed and AclOperation[operation] not in allowed]
