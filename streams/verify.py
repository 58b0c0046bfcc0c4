"""`edgewise verify`: reads a line's topics and judges them; waits, if asked, until the agents have caught up."""

import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.codec import DecodeError
from schemas.errors import EdgewiseError
from schemas.topics import CLOUD_INFERENCE, DEAD_LETTERS, MONITORING, ROUTING_EVENTS, SENTIMENT, TRANSCRIPTS
from streams.codecs import codec
from streams.kafka import client_config
from streams.ledger import Origin, Read, Verdict, judge
from streams.reader import ReadError, read_topic, watermarks
from streams.settings import Settings

# In the order of the flow: when one has caught up, nothing more comes to the next but what is already there.
AGENTS = (("edge", TRANSCRIPTS), ("cloud", CLOUD_INFERENCE), ("monitor", ROUTING_EVENTS))
_POLL_S = 0.25
_COMMITTED_TIMEOUT_S = 30.0  # the broker answers when open transactions have ended: within 10 s, and its check's 10 s


class LagError(EdgewiseError):
    """An agent did not catch up with its input in time."""


def verify(settings: Settings) -> Verdict:
    """Judge what the line's topics hold now. Raises what `read_topic` raises.

    Input must have come to rest: an event that is still under way counts as lost. See `wait_until_drained`.
    """
    verdict = judge(
        dead_letters=_origins(settings),
        transcripts=_records(settings, TRANSCRIPTS),
        routing_events=_records(settings, ROUTING_EVENTS),
        sentiment=_records(settings, SENTIMENT),
        monitoring=_latest_windows(settings),
    )
    for topic in (TRANSCRIPTS, SENTIMENT, ROUTING_EVENTS, MONITORING, DEAD_LETTERS):
        verdict.truncated += [
            f"{settings.topic(topic)}[{number}] begins at offset {mark.low}"
            for number, mark in watermarks(settings, topic).items()
            if mark.low > 0
        ]
    return verdict


def wait_until_drained(settings: Settings, timeout_s: float) -> None:
    """Wait until every agent has committed all of its input that is there when its turn comes.

    Raises `LagError` when that takes longer than `timeout_s` seconds.
    """
    deadline = time.monotonic() + timeout_s
    for agent, topic in AGENTS:
        while behind := first_undone(settings, agent, topic):
            if time.monotonic() > deadline:
                raise LagError(
                    f"after {timeout_s:g} s the {agent} agent has still not done {behind}: "
                    "is it running, and has the input ended?"
                )
            time.sleep(_POLL_S)


def first_undone(settings: Settings, agent: str, topic: str) -> str | None:
    """The place of a record of `topic` that the group of `agent` has not committed; None when there is none.

    Offsets alone cannot tell: behind the last record of a transactional topic stands the marker that ended its
    transaction, which no consumer sees and no group commits. So what lies between is read, as far as the first record.
    """
    marks = watermarks(settings, topic)
    name = settings.topic(topic)
    consumer = Consumer(
        {
            **client_config(settings),
            "group.id": settings.group(agent),  # only asked about, never joined
            "isolation.level": "read_committed",  # makes the broker wait for offsets of transactions under way
            "enable.auto.commit": False,
        }
    )
    try:
        committed = {
            found.partition: max(found.offset, marks[found.partition].low)  # without a commit: a negative number
            for found in consumer.committed([TopicPartition(name, number) for number in marks], _COMMITTED_TIMEOUT_S)
        }
    except KafkaException as error:
        raise ReadError(
            f"the offsets of group {settings.group(agent)} could not be had: {error.args[0].str()}"
        ) from None
    finally:
        consumer.close()
    with closing(read_topic(settings, topic, offsets=committed)) as records:
        record = next(records, None)
    return None if record is None else f"{name}[{record.partition()}]@{record.offset()}"


def _records(settings: Settings, topic: str) -> Iterator[Read[Any]]:
    """The records of `topic`; read when the first is asked for."""
    decode = partial(_decode, codec(settings, topic).decode)
    for message in read_topic(settings, topic):
        yield Read(message.partition() or 0, message.offset() or 0, decode(message.value()))


def _latest_windows(settings: Settings) -> Iterator[Read[Any]]:
    """The latest record of each window; one that was deleted is none."""
    decode = partial(_decode, codec(settings, MONITORING).decode)
    latest: dict[bytes | str | None, tuple[int, int, bytes | None]] = {}
    for message in read_topic(settings, MONITORING):
        latest[message.key()] = message.partition() or 0, message.offset() or 0, message.value()
    for number, offset, value in latest.values():
        if value is not None:
            yield Read(number, offset, decode(value))


def _decode(decode: Any, value: bytes | None) -> Any:
    try:
        return decode(value)
    except DecodeError:
        return None


def _origins(settings: Settings) -> Iterator[Origin]:
    """Where the dead letters came from; those without our headers are left out."""
    for message in read_topic(settings, DEAD_LETTERS):
        # Of a header given twice, the last one counts.
        headers = {name: value for name, value in dict(message.headers() or ()).items() if isinstance(value, bytes)}
        try:
            topic = headers["edgewise-topic"].decode().removeprefix(settings.topic_prefix)
            yield Origin(topic, int(headers["edgewise-partition"]), int(headers["edgewise-offset"]))
        except (KeyError, ValueError):
            continue
