"""What each agent must be allowed to on the cluster, and whether it is: asked before it joins its group."""

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, NamedTuple

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient  # type: ignore[attr-defined]

from schemas import topics
from streams.kafka import client_config
from streams.security import AUTHORIZATION, AccessError, user
from streams.settings import Settings

_REQUEST_TIMEOUT_S = 15.0


class Access(NamedTuple):
    """The topics (without prefix) that an agent reads and writes."""

    reads: tuple[str, ...]
    writes: tuple[str, ...]


# Beside these each agent needs READ on its consumer group and WRITE on the transactional ids that begin with its own.
# READ and WRITE imply DESCRIBE; a transactional producer needs no IDEMPOTENT_WRITE on the cluster.
AGENTS: Mapping[str, Access] = {
    "edge": Access(
        (topics.TRANSCRIPTS,), (topics.SENTIMENT, topics.CLOUD_INFERENCE, topics.ROUTING_EVENTS, topics.DEAD_LETTERS)
    ),
    "cloud": Access((topics.CLOUD_INFERENCE,), (topics.SENTIMENT, topics.ROUTING_EVENTS, topics.DEAD_LETTERS)),
    # It reads its own windows back after a restart.
    "monitor": Access((topics.ROUTING_EVENTS, topics.MONITORING), (topics.MONITORING, topics.DEAD_LETTERS)),
}


def require_access(settings: Settings, agent: str) -> None:
    """Raises `AccessError` that names every right to topics and group that the agent called `agent` lacks.

    A broker that does not tell what a user may do is believed to allow it; so is one for an agent not in `AGENTS`.
    """
    if agent not in AGENTS:
        return
    admin = AdminClient(client_config(settings))
    access = AGENTS[agent]
    wanted = {settings.topic(name): ["READ"] for name in access.reads}
    for name in access.writes:
        wanted.setdefault(settings.topic(name), []).append("WRITE")
    futures = admin.describe_topics(
        TopicCollection(list(wanted)), include_authorized_operations=True, request_timeout=_REQUEST_TIMEOUT_S
    )
    missing = [
        f"{operation} on topic {name}"
        for name, operations in wanted.items()
        for operation in _denied(futures[name], operations)
    ]
    group = admin.describe_consumer_groups(
        [settings.group(agent)], include_authorized_operations=True, request_timeout=_REQUEST_TIMEOUT_S
    )
    if _denied(group[settings.group(agent)], ["READ"]):
        missing.append(f"READ on group {settings.group(agent)}")
    if missing:
        raise AccessError(f"{agent}: the broker refuses {user(settings)}, who needs {', '.join(missing)}")


def _denied(described: Future[Any], operations: list[str]) -> list[str]:
    try:
        allowed = described.result().authorized_operations
    except KafkaException as exception:
        # That there is no such topic, or that it cannot be told now, is for others to find.
        return operations if exception.args[0].code() in AUTHORIZATION else []
    return [operation for operation in operations if allowed and AclOperation[operation] not in allowed]
