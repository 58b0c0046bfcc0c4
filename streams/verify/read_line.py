"""`edgewise verify`: reads a line's topics and judges them; waits, if asked, until the agents have caught up."""

import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from functools import partial
from typing import NamedTuple

from confluent_kafka import Message

from schemas.codec import DecodeError
from schemas.dead_letter import redriven_from
from schemas.errors import EdgewiseError
from schemas.records import MonitoringWindow
from schemas.topics import CLOUD_INFERENCE, DEAD_LETTERS, MONITORING, ROUTING_EVENTS, SENTIMENT, TRANSCRIPTS, R, Topic
from streams.agents.topology import AGENTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.lag import group_lag
from streams.kafka.reader import bytes_headers, read_topic, watermarks
from streams.verify.ledger import Origin, Read, Redriven, Verdict, judge

_POLL_S = 0.25


class NotDrainedError(EdgewiseError):
    """An agent did not catch up with its input in time."""


def verify(settings: Settings) -> Verdict:
    """Judge what the line's topics hold now. Raises what `read_topic` raises.

    Input must have come to rest: an event that is still under way counts as lost. See `wait_until_drained`.
    """
    cluster = Cluster(settings)
    dead_letters, redriven, late, known = _dead_letters(cluster)
    verdict = judge(
        dead_letters=dead_letters,
        transcripts=_records(cluster, TRANSCRIPTS, known),
        routing_events=_records(cluster, ROUTING_EVENTS, known),
        sentiment=_records(cluster, SENTIMENT, known),
        monitoring=_latest_windows(cluster),
        redriven=redriven,
        late=late,
    )
    for topic in (TRANSCRIPTS, SENTIMENT, ROUTING_EVENTS, MONITORING, DEAD_LETTERS):
        verdict.truncated += [
            f"{settings.topic(topic)}[{number}] begins at offset {mark.low}"
            for number, mark in watermarks(cluster, topic).items()
            if mark.low > 0
        ]
    return verdict


def wait_until_drained(settings: Settings, timeout_s: float) -> None:
    """Wait until every agent has committed all of its input that is there when its turn comes.

    Raises `NotDrainedError` when that takes longer than `timeout_s` seconds, and what `group_lag` raises.
    """
    cluster = Cluster(settings)
    deadline = time.monotonic() + timeout_s
    for agent, spec in AGENTS.items():
        while lag := sum(group_lag(cluster, agent, spec.reads).values()):
            if time.monotonic() > deadline:
                raise NotDrainedError(
                    f"after {timeout_s:g} s the {agent} agent still has {lag:,} records of "
                    f"{settings.topic(spec.reads)} to do: is it running, and has the input ended?"
                )
            time.sleep(_POLL_S)


def _records(cluster: Cluster, topic: Topic[R], known: AbstractSet[Redriven]) -> Iterator[Read[R]]:
    """The records of `topic`; read when the first is asked for.

    One that claims to have been a letter that is not `known` was not: whoever feeds the line can write such headers.
    """
    decode = partial(_decode, codec(cluster.settings, topic).decode)
    for message in read_topic(cluster, topic):
        letter = redriven_from(bytes_headers(message))
        claimed = None if letter is None else str(letter)
        redriven = claimed if claimed is not None and Redriven(claimed, topic) in known else None
        yield Read(message.partition() or 0, message.offset() or 0, decode(message.value()), redriven)


def _latest_windows(cluster: Cluster) -> Iterator[Read[MonitoringWindow]]:
    """The latest record of each window; one that was deleted is none."""
    decode = partial(_decode, codec(cluster.settings, MONITORING).decode)
    latest: dict[bytes | str | None, tuple[int, int, bytes | None]] = {}
    for message in read_topic(cluster, MONITORING):
        latest[message.key()] = message.partition() or 0, message.offset() or 0, message.value()
    for number, offset, value in latest.values():
        if value is not None:
            yield Read(number, offset, decode(value))


def _decode(decode: Callable[[bytes | None], R], value: bytes | None) -> R | None:
    try:
        return decode(value)
    except DecodeError:
        return None


class _DeadLetters(NamedTuple):
    """What `dead-letters` says."""

    origins: list[Origin]
    redriven: list[Redriven]
    late: set[str]  # ids of events whose request to the cloud was redriven
    known: set[Redriven]  # every letter, whatever became of it


def _dead_letters(cluster: Cluster) -> _DeadLetters:
    """Where the dead letters came from, and which were redriven; what has neither's headers is left out."""
    found = _DeadLetters([], [], set(), set())
    topics: dict[str, str] = {}  # where each letter came from
    requests: dict[str, bytes | None] = {}
    for message in read_topic(cluster, DEAD_LETTERS):
        headers = _headers(message)
        try:
            if headers.get("edgewise-mark") == "redriven" and "edgewise-topic" not in headers:
                letter = headers["edgewise-letter"]
                if letter in topics:  # else retention has removed it
                    found.redriven.append(Redriven(letter, topics[letter]))
                continue
            topic = headers["edgewise-topic"].removeprefix(cluster.settings.topic_prefix)
            found.origins.append(Origin(topic, int(headers["edgewise-partition"]), int(headers["edgewise-offset"])))
        except (KeyError, ValueError):
            continue
        letter = f"{message.partition()}:{message.offset()}"
        topics[letter] = topic
        found.known.add(Redriven(letter, topic))
        if topic == CLOUD_INFERENCE:
            requests[letter] = message.value()
    decode = partial(_decode, codec(cluster.settings, CLOUD_INFERENCE).decode)
    redriven = [decode(requests[letter]) for letter, topic in set(found.redriven) if topic == CLOUD_INFERENCE]
    found.late.update(request.event_id for request in redriven if request is not None)
    return found._replace(redriven=[each for each in found.redriven if each.topic in (TRANSCRIPTS, ROUTING_EVENTS)])


def _headers(message: Message) -> dict[str, str]:
    """Of a header given twice, the last one counts."""
    given = dict(message.headers() or ()).items()
    return {name: value.decode(errors="replace") for name, value in given if isinstance(value, bytes)}
