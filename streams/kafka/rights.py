"""What this user may do on the cluster, asked before a command relies on it."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from types import MappingProxyType
from typing import Any

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient  # type: ignore[attr-defined]

from streams.config.settings import Settings
from streams.kafka.client import client_config
from streams.kafka.security import AUTHORIZATION, AccessError, user

_REQUEST_TIMEOUT_S = 15.0


def require_rights(
    settings: Settings,
    who: str,
    topics: Mapping[str, Sequence[str]] = MappingProxyType({}),
    groups: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> None:
    """Raises `AccessError` unless the user may do these operations on `topics` and `groups`, by their full names.

    A broker that does not tell what a user may do is believed to allow it.
    """
    admin = AdminClient(client_config(settings))
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
        raise AccessError(f"{who}: the broker refuses {user(settings)}, who needs {', '.join(missing)}")


def _denied(described: Future[Any], operations: Sequence[str]) -> Sequence[str]:
    try:
        allowed = described.result().authorized_operations
    except KafkaException as exception:
        # That there is no such topic, or that it cannot be told now, is for others to find.
        return operations if exception.args[0].code() in AUTHORIZATION else []
    return [operation for operation in operations if allowed and AclOperation[operation] not in allowed]
