"""The whole line as processes on a real Kafka: a recording through it twice, with poison of every kind in between."""

import dataclasses
from collections import Counter
from pathlib import Path

import pytest
from confluent_kafka import Producer

from schemas.codec import Codec
from schemas.records import SentimentResult
from schemas.topics import DEAD_LETTERS, ROUTING_EVENTS, SENTIMENT, TRANSCRIPTS
from streams.config.settings import Settings
from streams.files.rows import Input
from streams.ingest.recording import Recording
from streams.ingest.replay import replay
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from streams.operate.topics import create
from streams.verify.drain import wait_until_drained
from streams.verify.read_line import verify
from tests.events import TRANSCRIPT
from tests.faults.line import Line
from tests.kafka.kafka_server import REPOSITORY
from tests.tiny_artifact import tiny_artifact

ROWS = 600
EVENTS = Codec(TRANSCRIPTS)


def poison() -> dict[str, bytes | None]:
    """A value of each kind that no agent can work on, by the reason it must be given."""
    good = EVENTS.encode(dataclasses.replace(TRANSCRIPT, text="hello"))
    return {
        "null_value": None,
        "undecodable": good[:-2],
        "unknown_schema": b"\xc3\x01" + bytes(8) + good[10:],
        "invalid_utf8": good.replace(b"hello", b"hel\xff\xfe"),
        "empty_text": EVENTS.encode(dataclasses.replace(TRANSCRIPT, text="")),
        "text_too_long": EVENTS.encode(dataclasses.replace(TRANSCRIPT, text="x" * 1_000_000)),
        "invalid_timestamp": EVENTS.encode(dataclasses.replace(TRANSCRIPT, occurred_at=253_402_300_799_000)),
        "invalid_id": EVENTS.encode(dataclasses.replace(TRANSCRIPT, event_id="")),
        "invalid_turn": EVENTS.encode(dataclasses.replace(TRANSCRIPT, turn=-1)),
    }


def send_poison(settings: Settings) -> None:
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers, "message.max.bytes": 2_000_000})
    for value in poison().values():
        producer.produce(settings.topic(TRANSCRIPTS), value, b"poison")
    assert producer.flush(30) == 0


def published(settings: Settings) -> dict[str, SentimentResult]:
    """What a consumer that de-duplicates by event id ends with: the first result of each."""
    codec = Codec(SENTIMENT)
    results: dict[str, SentimentResult] = {}
    for message in read_topic(Cluster(settings), SENTIMENT):
        result = codec.decode(message.value())
        results.setdefault(result.event_id, result)
    return results


def totals(results: dict[str, SentimentResult]) -> Counter[tuple[str, str, str]]:
    return Counter((result.label, result.route, result.reason) for result in results.values())


@pytest.mark.kafka
@pytest.mark.timeout(300)
def test_a_recording_twice_with_poison_between(settings: Settings, tmp_path: Path) -> None:
    edge, cloud = (str(tiny_artifact(tmp_path, name)) for name in ("edge", "cloud"))
    tiny = settings.model_copy(update={"edge_model": edge, "cloud_model": cloud})
    create(tiny)
    recording = Recording(REPOSITORY / "samples" / "airline.csv", Input(limit=ROWS))
    with Line(tiny, tmp_path, slots=(0,)):
        replay(tiny, [recording])
        wait_until_drained(tiny, 120)
        once = published(tiny)
        send_poison(tiny)
        replay(tiny, [recording])
        wait_until_drained(tiny, 120)
    twice = published(tiny)
    assert len(once) == ROWS
    assert twice.keys() == once.keys(), "the same event ids"
    assert totals(twice) == totals(once)

    letters = {
        dict(letter.headers() or [])["edgewise-reason"]: letter.value()
        for letter in read_topic(Cluster(tiny), DEAD_LETTERS)
    }
    assert letters == {reason.encode(): value for reason, value in poison().items()}, "original bytes, and why"

    verdict = verify(tiny)
    assert verdict.holds, {kind: fault.first for kind, fault in verdict.faults.items() if fault.count}
    assert (verdict.events, verdict.results) == (2 * ROWS + len(poison()), 2 * ROWS)
    assert verdict.repeated == ROWS + 3, "the second replay, and the four kinds of poison that bear one readable id"
    assert verdict.dead_letters == len(poison())

    audit = Codec(ROUTING_EVENTS)
    stages = Counter(audit.decode(message.value()).stage for message in read_topic(Cluster(tiny), ROUTING_EVENTS))
    assert stages["completed"] == 2 * ROWS
    assert stages["decided"] > 0, "some went to the cloud"
