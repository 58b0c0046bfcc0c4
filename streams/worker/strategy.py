"""How a worker takes part in its group: by which protocol, and who decides which partitions are whose."""

import time
from collections.abc import Mapping

from confluent_kafka import ConsumerGroupState, KafkaException

from streams.kafka.client import Cluster

# A dead worker's partitions stand still until its session ends. 6 s is Kafka's own lower bound
# (group.min.session.timeout.ms); three heartbeats fit into it. On the embedded broker it also brings the group's first
# join from 23 s down to 3 s.
SESSION_TIMEOUT_MS = 6_000
HEARTBEAT_MS = 2_000

# A worker that joins stops only what moves to it.
COOPERATIVE = "cooperative-sticky"

# By these a group stops altogether to share its partitions anew. Members of one group must agree on one of the two
# kinds, and librdkafka refuses to offer both: a worker does as the group does that it finds. Edgewise 0.1 has
# "roundrobin" alone.
EAGER = ("roundrobin", "range")

# A group is asked again while it shares its partitions, for it does not say by what. That takes as long as its slowest
# member: a session.
_PATIENCE_S = 8.0
_LOOK_S = 0.2
_REQUEST_TIMEOUT_S = 10.0
_SHARING = (ConsumerGroupState.PREPARING_REBALANCING, ConsumerGroupState.COMPLETING_REBALANCING)


def group_options(cluster: Cluster, group: str) -> Mapping[str, object]:
    """The options for a member of `group` (its full name). Asks the brokers."""
    if cluster.settings.group_protocol == "consumer":
        return {"group.protocol": "consumer"}
    return {
        "session.timeout.ms": SESSION_TIMEOUT_MS,
        "heartbeat.interval.ms": HEARTBEAT_MS,
        "partition.assignment.strategy": found if (found := _strategy(cluster, group)) in EAGER else COOPERATIVE,
    }


def is_incremental(options: Mapping[str, object]) -> bool:
    """Whether a member with these options is told only what changes of its partitions."""
    return options.get("partition.assignment.strategy") not in EAGER


def _strategy(cluster: Cluster, group: str) -> str:
    """By what the members of `group` share its partitions; empty where there are none, or they don't say."""
    admin = cluster.admin()
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            asked = admin.describe_consumer_groups([group], request_timeout=_REQUEST_TIMEOUT_S)[group]
            described = asked.result()
        except KafkaException:  # there is no such group yet; that brokers are away was found before
            return ""
        if described.state not in _SHARING or time.monotonic() > deadline:
            return str(described.partition_assignor)
        time.sleep(_LOOK_S)
