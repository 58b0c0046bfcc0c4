"""Creating the topics of the design, and telling how they stand."""

import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own list of what is public is incomplete
    ConfigResource,
    NewTopic,
    ResourceType,
    TopicMetadata,
)

from schemas import topics
from schemas.errors import EdgewiseError
from streams.agents.topology import AGENTS
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.lag import group_lag
from streams.kafka.reader import read_topic, watermarks
from streams.kafka.refusals import explain_refusal

_REQUEST_TIMEOUT_S = 30.0
_POLL_S = 0.05
_HOUR_MS = 60 * 60 * 1000
_DAY_MS = 24 * _HOUR_MS

# A dead letter is the record that could not be used, up to the broker's maximum (1 MiB by default), and its headers on
# top; twice the maximum leaves room for any headers that came with it.
_DEAD_LETTER_BYTES = 2 * 1024 * 1024

# Other teams read it with any client, and some (kafkajs) know gzip alone without an add-on. A producer has one
# compression for all of its topics, so the broker sees to it: benchmarks/compression.py measures what that costs.
_FOR_EVERY_CLIENT = {"compression.type": "gzip"}


class TopicAdminError(EdgewiseError):
    """The broker refused to create or to describe a topic."""


class TopicSpec(NamedTuple):
    """A topic as it should be; `name` without the prefix."""

    name: str
    partitions: int
    config: Mapping[str, str]


class Creation(NamedTuple):
    """What became of a topic; `differences` of one that was there already, each "what: is, should be"."""

    topic: str
    created: bool
    differences: tuple[str, ...] = ()


class TopicState(NamedTuple):
    """A topic as it is on the cluster; `topic` is its full name.

    `offsets` is how many retention has left: of records, of the markers that end transactions, and of what was aborted
    or compacted away. `records` are those that a reader of committed records gets, None where they were not counted.
    `lag` is how far the group has yet to go, None where no agent reads the topic.
    """

    topic: str
    exists: bool
    partitions: int = 0
    replication: int = 0
    cleanup: str | None = None
    retention_ms: int | None = None
    offsets: int = 0
    records: int | None = None
    group: str | None = None
    lag: int | None = None


def specs(settings: Settings) -> tuple[TopicSpec, ...]:
    """Every topic that some part of Edgewise writes, with the partition counts of `settings`."""
    # Three replicas and two that confirm: one broker may die, and what is committed is on another. With fewer replicas
    # the cluster's own minimum stands.
    durable = {"min.insync.replicas": "2"} if settings.replication_factor >= 3 else {}

    def kept(days: int) -> dict[str, str]:
        return {"cleanup.policy": "delete", "retention.ms": str(days * _DAY_MS)} | durable

    return (
        # Stamped by the broker: latency counts from when Kafka took an event, and a producer that sets the event's own
        # time, years ago perhaps, must not have it deleted at once.
        TopicSpec(
            topics.TRANSCRIPTS,
            settings.transcripts_partitions,
            kept(7) | {"message.timestamp.type": "LogAppendTime"},
        ),
        TopicSpec(topics.SENTIMENT, settings.sentiment_partitions, kept(7) | _FOR_EVERY_CLIENT),
        TopicSpec(topics.CLOUD_INFERENCE, settings.cloud_inference_partitions, kept(1)),
        TopicSpec(topics.ROUTING_EVENTS, settings.routing_events_partitions, kept(30)),
        # As many partitions as what its agent reads. It is of use for as long as models are compared on it.
        TopicSpec(topics.SHADOW, settings.transcripts_partitions, kept(7)),
        # As many partitions as `sentiment`, by the same key; other teams read it too.
        TopicSpec(
            topics.CONVERSATIONS,
            settings.sentiment_partitions,
            kept(30) | {"cleanup.policy": "compact,delete"} | _FOR_EVERY_CLIENT,
        ),
        # One partition: people label few events, and the one order of its records says which label is the last.
        TopicSpec(topics.LABELS, 1, kept(30)),
        # One partition: its one reader sees the whole picture.
        TopicSpec(topics.MONITORING, 1, kept(30) | {"cleanup.policy": "compact,delete"}),
        # One partition: the order of its records decides between claims. A month is read back, and a bit more; small
        # segments, so that what was replaced is soon compacted away.
        TopicSpec(
            topics.BUDGET,
            1,
            kept(40)
            | {
                "cleanup.policy": "compact,delete",
                "segment.ms": str(_HOUR_MS),
                "message.timestamp.type": "LogAppendTime",
            },
        ),
        # One partition: what reads it sees alerts in one order. What is firing is written again each day. A report has
        # those that have resolved as well: they are not compacted away before they are deleted.
        TopicSpec(
            topics.ALERTS,
            1,
            kept(30) | {"cleanup.policy": "compact,delete", "min.compaction.lag.ms": str(30 * _DAY_MS)},
        ),
        # Read whole by every look of the health agent: what was replaced is soon compacted away. No silence is longer.
        TopicSpec(topics.SILENCES, 1, kept(30) | {"cleanup.policy": "compact,delete", "segment.ms": str(_HOUR_MS)}),
        # Without an end: what was told of an alert must be known for as long as it is firing. Its key is deleted then.
        TopicSpec(topics.NOTIFICATIONS, 1, {"cleanup.policy": "compact", "retention.ms": "-1"} | durable),
        # One partition: what each server claims has a place before or behind what the others do.
        TopicSpec(
            topics.DELIVERIES,
            1,
            {"cleanup.policy": "delete", "retention.ms": str(settings.ingest_remember_h * _HOUR_MS)}
            | durable
            | {"message.timestamp.type": "LogAppendTime"},
        ),
        TopicSpec(topics.DEAD_LETTERS, 1, kept(30) | {"max.message.bytes": str(_DEAD_LETTER_BYTES)}),
    )


def create(settings: Settings) -> list[Creation]:
    """Creates the topics that are missing. One that is there stays as it is; how it differs is told.

    Raises BrokerUnreachableError, TopicAdminError.
    """
    cluster = Cluster(settings)
    cluster.metadata()
    admin = cluster.admin()
    wanted = {settings.topic(spec.name): spec for spec in specs(settings)}
    futures = admin.create_topics(
        [
            NewTopic(name, spec.partitions, settings.replication_factor, config=dict(spec.config))
            for name, spec in wanted.items()
        ],
        operation_timeout=_REQUEST_TIMEOUT_S,
    )
    created = []
    for name, future in futures.items():
        try:
            future.result()
            created.append(name)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                why = explain_refusal(cluster.settings, error.args[0], f"CREATE on topic {name}")
                raise TopicAdminError(f"topic {name} could not be created: {why}") from None
    present = [name for name in wanted if name not in created]
    configs = _configs(cluster, present)
    found = _visible(cluster, wanted)
    return [
        Creation(name, created=True)
        if name in created
        else Creation(name, False, _differences(spec, len(found[name].partitions), configs[name]))
        for name, spec in wanted.items()
    ]


def _visible(cluster: Cluster, names: Iterable[str]) -> dict[str, TopicMetadata]:
    """The topics of the cluster once these are among them: the controller has made one before a broker tells of it.

    Raises BrokerUnreachableError, TopicAdminError.
    """
    deadline = time.monotonic() + _REQUEST_TIMEOUT_S
    while missing := set(names) - (found := cluster.metadata().topics).keys():
        if time.monotonic() > deadline:
            raise TopicAdminError(
                f"topic {min(missing)} was created, and {cluster.settings.bootstrap_servers} does not show it"
            )
        time.sleep(_POLL_S)
    return found


def describe(settings: Settings, *, count: bool = False) -> list[TopicState]:
    """How each topic of the design stands; with `count` every topic is read to its end, to count the records.

    Only reading tells a record from a marker: a broker knows offsets alone.

    Raises BrokerUnreachableError, TopicAdminError; ReadError when a topic can't be read to its end.
    """
    cluster = Cluster(settings)
    found = cluster.metadata().topics
    names = [spec.name for spec in specs(settings)]
    configs = _configs(cluster, [n for n in map(settings.topic, names) if n in found])
    states = []
    for name in names:
        full = settings.topic(name)
        if full not in found:
            states.append(TopicState(full, exists=False))
            continue
        partitions = found[full].partitions
        retention = configs[full].get("retention.ms")
        agent = next((spec.name for spec in AGENTS.values() if spec.reads == name and not spec.optional), None)
        states.append(
            TopicState(
                full,
                exists=True,
                partitions=len(partitions),
                replication=max(len(partition.replicas) for partition in partitions.values()),
                cleanup=configs[full].get("cleanup.policy"),
                retention_ms=int(retention) if retention is not None else None,
                offsets=sum(marks.high - marks.low for marks in watermarks(cluster, name).values()),
                records=sum(1 for _ in read_topic(cluster, name)) if count else None,
                group=settings.group(agent) if agent else None,
                lag=sum(group_lag(cluster, agent, name).values()) if agent else None,
            )
        )
    return states


def _configs(cluster: Cluster, names: list[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    admin = cluster.admin()  # its futures live as long as it does
    futures = admin.describe_configs(
        [ConfigResource(ResourceType.TOPIC, name) for name in names], request_timeout=_REQUEST_TIMEOUT_S
    )
    configs = {}
    for resource, future in futures.items():
        try:
            configs[resource.name] = {entry.name: entry.value for entry in future.result().values()}
        except KafkaException as error:
            why = explain_refusal(cluster.settings, error.args[0], f"DESCRIBE_CONFIGS on topic {resource.name}")
            raise TopicAdminError(f"topic {resource.name} could not be described: {why}") from None
    return configs


def _differences(spec: TopicSpec, partitions: int, config: Mapping[str, str]) -> tuple[str, ...]:
    differences = []
    if partitions != spec.partitions:
        differences.append(f"partitions: is {partitions}, should be {spec.partitions}")
    for key, value in spec.config.items():
        if set(config.get(key, "").split(",")) != set(value.split(",")):
            differences.append(f"{key}: is {config.get(key, 'unset')}, should be {value}")
    return tuple(differences)
