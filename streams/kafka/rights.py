"""What each agent must be allowed to on the cluster, and whether it is: asked before it joins its group."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from types import MappingProxyType
from typing import Any, NamedTuple

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient  # type: ignore[attr-defined]

from schemas.topics import CLOUD_INFERENCE, DEAD_LETTERS, MONITORING, ROUTING_EVENTS, SENTIMENT, TRANSCRIPTS
from streams.config.settings import Settings
from streams.kafka.client import client_config
from streams.kafka.security import AUTHORIZATION, AccessError, user

_REQUEST_TIMEOUT_S = 15.0


class Access(NamedTuple):
    """The topics (without prefix) that an agent reads and writes."""

    reads: tuple[str, ...]
    writes: tuple[str, ...]


# Beside these each agent needs READ on its consumer group and WRITE on the transactional ids that begin with its own.
# READ and WRITE imply DESCRIBE; a transactional producer needs no IDEMPOTENT_WRITE on the cluster.
AGENTS: Mapping[str, Access] = {
    "edge": Access((TRANSCRIPTS,), (SENTIMENT, CLOUD_INFERENCE, ROUTING_EVENTS, DEAD_LETTERS)),
    "cloud": Access((CLOUD_INFERENCE,), (SENTIMENT, ROUTING_EVENTS, DEAD_LETTERS)),
    # It reads its own windows back after a restart.
    "monitor": Access((ROUTING_EVENTS, MONITORING), (MONITORING, DEAD_LETTERS)),
}


def require_access(settings: Settings, agent: str) -> None:
    """Raises `AccessError` that names every right to topics and group that the agent called `agent` lacks.

    An agent that is not in `AGENTS` is not asked for any.
    """
    if agent not in AGENTS:
        return
    wanted = {settings.topic(name): ["READ"] for name in AGENTS[agent].reads}
    for name in AGENTS[agent].writes:
        wanted.setdefault(settings.topic(name), []).append("WRITE")
    require_rights(settings, agent, wanted, {settings.group(agent): ["READ"]})


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
