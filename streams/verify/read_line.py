"""Reads a line's topics, for the ledger to judge them."""

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from functools import partial
from typing import NamedTuple

from schemas.codec import DecodeError
from schemas.dead_letter import Letter, LetterId, read_letter, redriven_from
from schemas.topics import (
    CLOUD_INFERENCE,
    CONVERSATIONS,
    DEAD_LETTERS,
    MONITORING,
    ROUTING_EVENTS,
    SENTIMENT,
    TRANSCRIPTS,
    R,
    Topic,
)
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.messages import message_headers, message_key, message_place, message_value
from streams.kafka.reader import read_topic, watermarks
from streams.verify.ledger import RecordPosition, RedrivenLetter, StoredRecord, judge
from streams.verify.verdict import Verdict


def verify(settings: Settings) -> Verdict:
    """The verdict on what the line's topics hold now. Raises what `read_topic` raises.

    Input must have come to rest: an event that is still under way counts as lost. See `drain.wait_until_drained`.
    """
    cluster = Cluster(settings)
    dead_letters, redriven, late, known = _dead_letters(cluster)
    verdict = judge(
        dead_letters=dead_letters,
        transcripts=_records(cluster, TRANSCRIPTS, known),
        routing_events=_records(cluster, ROUTING_EVENTS, known),
        sentiment=_records(cluster, SENTIMENT, known),
        monitoring=_latest(cluster, MONITORING),
        conversations=_latest(cluster, CONVERSATIONS),
        redriven=redriven,
        late=late,
    )
    for topic in (TRANSCRIPTS, SENTIMENT, ROUTING_EVENTS, MONITORING, CONVERSATIONS, DEAD_LETTERS):
        verdict.truncated += [
            f"{settings.topic(topic)}[{number}] begins at offset {mark.low}"
            for number, mark in watermarks(cluster, topic).items()
            if mark.low > 0
        ]
    return verdict


def _records(cluster: Cluster, topic: Topic[R], known: AbstractSet[RedrivenLetter]) -> Iterator[StoredRecord[R]]:
    """The records of `topic`; read when the first is asked for.

    One that claims to have been a letter that is not `known` was not: whoever feeds the line can write such headers.
    """
    decode = partial(_decode, codec(cluster.settings, topic).decode)
    for message in read_topic(cluster, topic):
        letter = redriven_from(message_headers(message))
        claimed = None if letter is None else str(letter)
        redriven = claimed if claimed is not None and RedrivenLetter(claimed, topic) in known else None
        yield StoredRecord(*message_place(message), decode(message_value(message)), redriven)


def _latest(cluster: Cluster, topic: Topic[R]) -> Iterator[StoredRecord[R]]:
    """The latest record of each key of `topic`; one that was deleted is none."""
    decode = partial(_decode, codec(cluster.settings, topic).decode)
    latest: dict[bytes | None, tuple[LetterId, bytes | None]] = {}
    for message in read_topic(cluster, topic):
        latest[message_key(message)] = message_place(message), message_value(message)
    for place, value in latest.values():
        if value is not None:
            yield StoredRecord(*place, decode(value))


def _decode(decode: Callable[[bytes | None], R], value: bytes | None) -> R | None:
    try:
        return decode(value)
    except DecodeError:
        return None


class _DeadLetters(NamedTuple):
    """What `dead-letters` says."""

    positions: list[RecordPosition]  # of the records that became dead letters
    redriven: list[RedrivenLetter]
    late: set[str]  # ids of events whose request to the cloud was redriven
    known: set[RedrivenLetter]  # every letter, whatever became of it


def _dead_letters(cluster: Cluster) -> _DeadLetters:
    """Where the dead letters came from, and which were redriven; what is neither a letter nor a mark is left out."""
    positions: list[RecordPosition] = []
    redriven: list[RedrivenLetter] = []
    topics: dict[LetterId, str] = {}  # where each letter came from
    requests: dict[LetterId, bytes | None] = {}
    wanted: set[LetterId] = set()  # the requests that were redriven
    for message in read_topic(cluster, DEAD_LETTERS):
        place = message_place(message)
        found = read_letter(place, 0, None, message_headers(message), cluster.settings.topic_prefix)
        if isinstance(found, Letter):
            positions.append(RecordPosition(found.topic, found.partition, found.offset))
            topics[place] = found.topic
            if found.topic == CLOUD_INFERENCE:
                requests[place] = message_value(message)
        elif found is not None and found.action == "redriven" and found.letter in topics:  # else retention removed it
            topic = topics[found.letter]
            if topic == CLOUD_INFERENCE:
                wanted.add(found.letter)
            elif topic in {TRANSCRIPTS, ROUTING_EVENTS, SENTIMENT}:
                redriven.append(RedrivenLetter(str(found.letter), topic))
    decode = partial(_decode, codec(cluster.settings, CLOUD_INFERENCE).decode)
    late = {request.event_id for request in map(decode, map(requests.get, wanted)) if request is not None}
    known = {RedrivenLetter(str(letter), topic) for letter, topic in topics.items()}
    return _DeadLetters(positions, redriven, late, known)
