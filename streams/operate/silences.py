"""Silences: for how long nobody is to be told of a rule's alerts, as people ask for it."""

from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, Message

from schemas.errors import EdgewiseError
from schemas.records import Silence
from schemas.topics import SILENCES
from streams.config.codecs import codec
from streams.ingest.sender import FLUSH_TIMEOUT_S, require_topics
from streams.kafka.client import Cluster
from streams.kafka.refusals import explain_refusal
from streams.operate.latest_records import latest_records


class SilenceError(EdgewiseError):
    """The broker did not take a silence."""


def silences(cluster: Cluster, now_ms: int) -> list[Silence]:
    """The silences that are not over at `now_ms` (UTC), by rule. Raises what reading raises."""
    found = latest_records(cluster, SILENCES, 0)
    return sorted((each for each in found if each is not None and each.until > now_ms), key=lambda each: each.rule)


def silence(cluster: Cluster, wanted: Silence) -> None:
    """Puts `wanted` in the place of the rule's silence before it. Raises SilenceError, UsageError, AccessError."""
    _write(cluster, wanted.rule, codec(cluster.settings, SILENCES).encode(wanted))


def unsilence(cluster: Cluster, rule: str) -> None:
    """Ends the silence of `rule`. Raises SilenceError, UsageError, AccessError."""
    _write(cluster, rule, None)


def _write(cluster: Cluster, rule: str, value: bytes | None) -> None:
    settings = cluster.settings
    topic = settings.topic(SILENCES)
    require_topics(cluster, "alerts", {topic: ["WRITE"]})
    refused: list[KafkaError] = []

    def delivered(error: KafkaError | None, _message: Message) -> None:
        refused.extend([] if error is None else [error])

    producer = cluster.producer()
    try:
        producer.produce(topic, value, rule.encode(), on_delivery=delivered)
        left = producer.flush(FLUSH_TIMEOUT_S)
    except KafkaException as failure:
        raise _error(cluster, [failure.args[0]]) from None
    if left or refused:
        raise _error(cluster, refused)


def _error(cluster: Cluster, refused: Sequence[KafkaError]) -> SilenceError:
    settings = cluster.settings
    topic = settings.topic(SILENCES)
    why = explain_refusal(settings, refused[0], f"WRITE on topic {topic}") if refused else "no broker answers"
    return SilenceError(f"topic {topic} did not take it: {why}")
