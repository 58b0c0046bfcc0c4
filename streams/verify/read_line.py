"""Reads a line's topics, for the ledger to judge them."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from confluent_kafka import Message

from schemas.codec import DecodeError
from schemas.dead_letter import Letter, LetterId, read_letter, redriven_letter
from schemas.topics import CLOUD_INFERENCE, DEAD_LETTERS, MONITORING, ROUTING_EVENTS, SENTIMENT, TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.messages import message_headers, message_key, message_place, message_value
from streams.kafka.reader import read_topic, watermarks
from streams.verify.ledger import RecordPosition, RedrivenLetter, StoredRecord, Verdict, judge

# In the order of the flow: when one has caught up, nothing more comes to the next but what is already there.
AGENTS = (("edge", TRANSCRIPTS), ("cloud", CLOUD_INFERENCE), ("monitor", ROUTING_EVENTS))


def verify(settings: Settings) -> Verdict:
    """The verdict on what the line's topics hold now. Raises what `read_topic` raises.

    Input must have come to rest: an event that is still under way counts as lost. See `drain.wait_until_drained`.
    """
    dead_letters, redriven, late = _dead_letters(settings)
    verdict = judge(
        dead_letters=dead_letters,
        transcripts=_records(settings, TRANSCRIPTS),
        routing_events=_records(settings, ROUTING_EVENTS),
        sentiment=_records(settings, SENTIMENT),
        monitoring=_latest_windows(settings),
        redriven=redriven,
        late=late,
    )
    for topic in (TRANSCRIPTS, SENTIMENT, ROUTING_EVENTS, MONITORING, DEAD_LETTERS):
        verdict.truncated += [
            f"{settings.topic(topic)}[{number}] begins at offset {mark.low}"
            for number, mark in watermarks(settings, topic).items()
            if mark.low > 0
        ]
    return verdict


def _records(settings: Settings, topic: str) -> Iterator[StoredRecord[Any]]:
    """The records of `topic`; read when the first is asked for."""
    decode = partial(_decode, codec(settings, topic).decode)
    for message in read_topic(settings, topic):
        yield StoredRecord(*message_place(message), decode(message_value(message)), _redriven(message))


def _latest_windows(settings: Settings) -> Iterator[StoredRecord[Any]]:
    """The latest record of each window; one that was deleted is none."""
    decode = partial(_decode, codec(settings, MONITORING).decode)
    latest: dict[bytes | None, tuple[LetterId, bytes | None]] = {}
    for message in read_topic(settings, MONITORING):
        latest[message_key(message)] = message_place(message), message_value(message)
    for place, value in latest.values():
        if value is not None:
            yield StoredRecord(*place, decode(value))


def _decode(decode: Any, value: bytes | None) -> Any:
    try:
        return decode(value)
    except DecodeError:
        return None


class _DeadLetters(NamedTuple):
    """What `dead-letters` says."""

    positions: list[RecordPosition]  # of the records that became dead letters
    redriven: list[RedrivenLetter]
    late: set[str]  # ids of events whose request to the cloud was redriven


def _dead_letters(settings: Settings) -> _DeadLetters:
    """Where the dead letters came from, and which were redriven; what is neither a letter nor a mark is left out."""
    positions: list[RecordPosition] = []
    redriven: list[RedrivenLetter] = []
    topics: dict[LetterId, str] = {}  # where each letter came from
    requests: dict[LetterId, bytes | None] = {}
    wanted: set[LetterId] = set()  # the requests that were redriven
    for message in read_topic(settings, DEAD_LETTERS):
        place, value = message_place(message), message_value(message)
        found = read_letter(place, 0, None, message_headers(message), settings.topic_prefix)
        if isinstance(found, Letter):
            positions.append(RecordPosition(found.topic, found.partition, found.offset))
            topics[place] = found.topic
            if found.topic == CLOUD_INFERENCE:
                requests[place] = value
        elif found is not None and found.action == "redriven" and found.letter in topics:  # else retention removed it
            topic = topics[found.letter]
            if topic == CLOUD_INFERENCE:
                wanted.add(found.letter)
            elif topic in {TRANSCRIPTS, ROUTING_EVENTS}:
                redriven.append(RedrivenLetter(str(found.letter), topic))
    decode = partial(_decode, codec(settings, CLOUD_INFERENCE).decode)
    late = {request.event_id for request in map(decode, map(requests.get, wanted)) if request is not None}
    return _DeadLetters(positions, redriven, late)


def _redriven(message: Message) -> str | None:
    """The dead letter that a record was, if it was one."""
    letter = redriven_letter(message_headers(message))
    return None if letter is None else str(letter)
