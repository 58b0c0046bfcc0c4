import base64
import json
from itertools import islice
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from schemas.errors import UsageError
from schemas.records import TranscriptEvent
from schemas.topics import DEAD_LETTERS, MONITORING, SENTIMENT, TOPICS, TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka import client
from streams.kafka.client import Cluster
from streams.monitoring.window import Window
from streams.operate.consume import Start, records
from streams.operate.topics import create
from tests.events import RESULT, ROUTING, TRANSCRIPT
from tests.failing_at_first import FailsAtFirst

BEGINNING = Start()


@pytest.fixture
def topics(settings: Settings) -> Settings:
    create(settings)
    return settings


def put(settings: Settings, topic: str, *values: bytes | None, partition: int = 0, **options: Any) -> None:
    producer = Cluster(settings).producer()
    for value in values:
        producer.produce(settings.topic(topic), value, partition=partition, **options)
    assert producer.flush(30) == 0


def transcripts(*texts: str, settings: Settings) -> list[bytes]:
    encode = codec(settings, TRANSCRIPTS).encode
    return [
        encode(TranscriptEvent(event_id=text, conversation_id="c", turn=1, text=text, occurred_at=0)) for text in texts
    ]


def test_a_record_is_its_fields_and_its_place(topics: Settings) -> None:
    value = codec(topics, SENTIMENT).encode(RESULT)
    put(topics, SENTIMENT, value, partition=2, key=b"c-1", timestamp=1_700_000_000_000)
    [record] = records(topics, SENTIMENT, BEGINNING)
    assert record == {name: getattr(RESULT, name) for name in RESULT.__slots__} | {
        "_key": "c-1",
        "_partition": 2,
        "_offset": 0,
        "_timestamp": 1_700_000_000_000,
    }
    assert list(record)[:3] == ["event_id", "conversation_id", "turn"]


def test_every_topic_s_records_become_json(topics: Settings) -> None:
    window = Window(0, 60_000, 0)
    window.add([ROUTING])
    made = {"routing-events": ROUTING, "transcripts": TRANSCRIPT, "monitoring": window.to_record(1)}
    for topic, record in made.items():
        put(topics, topic, codec(topics, TOPICS[topic]).encode(record))
        [found] = records(topics, topic, BEGINNING)
        assert json.loads(json.dumps(found))["_offset"] == 0
    assert set(TOPICS) >= set(made)


def test_distributions_are_told_by_percentiles(topics: Settings) -> None:
    window = Window(0, 60_000, 0)
    window.add([ROUTING] * 10)
    put(topics, MONITORING, codec(topics, MONITORING).encode(window.to_record(1)))
    [record] = records(topics, MONITORING, BEGINNING)
    assert record["end_to_end_ms"]["count"] == 10
    for percentile in ("p50", "p95", "p99"):
        assert record["end_to_end_ms"][percentile] == pytest.approx(ROUTING.end_to_end_ms, rel=0.01)


def test_a_dead_letter_is_its_headers_and_its_bytes(topics: Settings) -> None:
    put(
        topics,
        DEAD_LETTERS,
        b"\xff\x00",
        headers=[("edgewise-reason", b"undecodable"), ("other", b"\xff")],
        key=b"\xff",
    )
    put(topics, DEAD_LETTERS, None)
    first, second = records(topics, DEAD_LETTERS, BEGINNING)
    assert first["edgewise-reason"] == "undecodable"
    assert base64.b64decode(first["_value"]) == b"\xff\x00"
    assert first["_key"] == first["other"] == "�"
    assert second["_value"] is None


def test_what_cannot_be_decoded_is_there_too(topics: Settings) -> None:
    put(topics, TRANSCRIPTS, b"junk", None, *transcripts("good", settings=topics))
    damaged, null, good = records(topics, TRANSCRIPTS, BEGINNING)
    assert "Avro" in damaged["_error"]
    assert base64.b64decode(damaged["_value"]) == b"junk"
    assert null["_value"] is None
    assert "_error" in null
    assert good["text"] == "good"


def test_from_an_offset_and_from_the_end(topics: Settings) -> None:
    put(topics, TRANSCRIPTS, *transcripts(*"abcde", settings=topics))
    assert [record["text"] for record in records(topics, TRANSCRIPTS, Start(offset=3))] == ["d", "e"]
    assert list(records(topics, TRANSCRIPTS, Start(latest=True))) == []


@pytest.mark.parametrize("follow", [False, True])
def test_from_a_time(follow: bool, topics: Settings) -> None:
    for i, value in enumerate(codec(topics, SENTIMENT).encode(RESULT) for _ in range(5)):
        put(topics, SENTIMENT, value, timestamp=1_700_000_000_000 + 1_000 * i)
    start = Start.parse("2023-11-14T22:13:23Z")  # 1,700,000,003
    found = islice(records(topics, SENTIMENT, start, follow=follow), 2)
    assert [record["_timestamp"] for record in found] == [1_700_000_003_000, 1_700_000_004_000]


def test_following_from_a_time_asks_again_when_a_connection_breaks(
    monkeypatch: pytest.MonkeyPatch, topics: Settings
) -> None:
    """Seen to fail with the time looked up once."""
    monkeypatch.setattr(client, "Consumer", FailsAtFirst)
    put(topics, SENTIMENT, codec(topics, SENTIMENT).encode(RESULT), timestamp=1_700_000_003_000)
    found = records(topics, SENTIMENT, Start(since_ms=1_700_000_000_000), follow=True)
    assert next(found)["_timestamp"] == 1_700_000_003_000


@pytest.mark.kafka
@pytest.mark.parametrize("follow", [False, True])
def test_a_time_before_1970_is_the_beginning(follow: bool, topics: Settings) -> None:
    """Kafka takes a time of -1 for the end. Seen to fail with it handed on."""
    put(topics, SENTIMENT, codec(topics, SENTIMENT).encode(RESULT), timestamp=1_700_000_000_000)
    [record] = islice(records(topics, SENTIMENT, Start(since_ms=-1), follow=follow), 1)
    assert record["event_id"] == RESULT.event_id


def test_following_goes_on_behind_the_end(topics: Settings) -> None:
    put(topics, TRANSCRIPTS, *transcripts("before", settings=topics))
    from_the_end = records(topics, TRANSCRIPTS, Start(latest=True), follow=True)
    from_the_start = records(topics, TRANSCRIPTS, BEGINNING, follow=True)
    put(topics, TRANSCRIPTS, *transcripts("after", settings=topics))
    assert next(from_the_end)["text"] == "after"
    assert [record["text"] for record in islice(from_the_start, 2)] == ["before", "after"]
    put(topics, TRANSCRIPTS, *transcripts("later", settings=topics))
    assert next(from_the_end)["text"] == next(from_the_start)["text"] == "later"


@pytest.mark.kafka
@pytest.mark.parametrize("follow", [False, True])
def test_only_what_was_committed_is_there(follow: bool, topics: Settings) -> None:
    producer = Cluster(topics).producer(transactional_id=topics.topic("test"))
    producer.init_transactions(30)
    for texts, end in (("ab", producer.abort_transaction), ("cd", producer.commit_transaction)):
        producer.begin_transaction()
        for value in transcripts(*texts, settings=topics):
            producer.produce(topics.topic(TRANSCRIPTS), value, partition=0)
        producer.flush()
        end(30)
    assert [record["text"] for record in islice(records(topics, TRANSCRIPTS, BEGINNING, follow=follow), 2)] == [
        "c",
        "d",
    ]


@pytest.mark.parametrize("follow", [False, True])
def test_topics_that_there_are_not(follow: bool, settings: Settings) -> None:
    with pytest.raises(UsageError, match=r"'sentiments' is not one .*; did you mean sentiment\? .* dead-letters"):
        records(settings, "sentiments", BEGINNING, follow=follow)
    with pytest.raises(UsageError, match=r"'x' is not one of Edgewise's; they are transcripts, .*dead-letters"):
        records(settings, "x", BEGINNING, follow=follow)
    with pytest.raises(UsageError, match=r"there is no topic .*sentiment.* `edgewise topics create`"):
        records(settings, "sentiment", BEGINNING, follow=follow)


@pytest.mark.parametrize("follow", [False, True])
def test_an_offset_behind_the_end_is_refused(follow: bool, topics: Settings) -> None:
    put(topics, TRANSCRIPTS, *transcripts(*"abc", settings=topics))
    with pytest.raises(
        UsageError, match=r"--from 4: topic .*transcripts ends at offset 3 \(by partition, 0: 0 to 3, 1:"
    ):
        records(topics, TRANSCRIPTS, Start(offset=4), follow=follow)
    assert list(records(topics, TRANSCRIPTS, Start(offset=3))) == []


def test_following_from_an_offset_that_one_partition_holds(topics: Settings) -> None:
    put(topics, TRANSCRIPTS, *transcripts(*"abc", settings=topics))
    found = records(topics, TRANSCRIPTS, Start(offset=2), follow=True)
    put(topics, TRANSCRIPTS, *transcripts(*"vwxy", settings=topics), partition=1)
    assert {record["text"] for record in islice(found, 3)} == {"c", "x", "y"}


@pytest.mark.kafka
@pytest.mark.parametrize("follow", [False, True])
def test_an_offset_that_retention_has_removed_is_refused(follow: bool, topics: Settings) -> None:
    for partition in range(4):
        put(topics, TRANSCRIPTS, *transcripts(*"abc", settings=topics), partition=partition)
    ends = [TopicPartition(topics.topic(TRANSCRIPTS), partition, 2) for partition in range(4)]
    admin = Cluster(topics).admin()  # its futures live as long as it does
    for future in admin.delete_records(ends).values():
        future.result()
    with pytest.raises(UsageError, match=r"--from 1: topic .*transcripts begins at offset 2, as retention"):
        records(topics, TRANSCRIPTS, Start(offset=1), follow=follow)
    assert len(list(records(topics, TRANSCRIPTS, Start(offset=2)))) == 4


NOW_MS = 1_700_000_300_000


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("beginning", Start()),
        ("latest", Start(latest=True)),
        ("17", Start(offset=17)),
        ("0", Start(offset=0)),
        ("@1700000000", Start(offset=1_700_000_000)),
        ("2023-11-14T22:13:20Z", Start(since_ms=1_700_000_000_000)),
        ("2023-11-14T22:13:20", Start(since_ms=1_700_000_000_000)),
        ("2023-11-14T23:13:20+01:00", Start(since_ms=1_700_000_000_000)),
        ("2023-11-14 23:13:20 +0100", Start(since_ms=1_700_000_000_000)),
        ("1700000000", Start(since_ms=1_700_000_000_000)),
        ("1700000000000", Start(since_ms=1_700_000_000_000)),
        ("1700000000000000", Start(since_ms=1_700_000_000_000)),
        ("-300s", Start(since_ms=1_700_000_000_000)),
        ("-5m", Start(since_ms=1_700_000_000_000)),
        ("5m", Start(since_ms=1_700_000_000_000)),
        ("-2h", Start(since_ms=NOW_MS - 7_200_000)),
        ("-1d", Start(since_ms=NOW_MS - 86_400_000)),
        ("-1w", Start(since_ms=NOW_MS - 7 * 86_400_000)),
    ],
)
def test_where_to_start(text: str, start: Start) -> None:
    assert Start.parse(text, lambda: NOW_MS) == start


@pytest.mark.parametrize(
    "text",
    ["", "end", "-1", "1.5", "yesterday", "²", "١٢", "@", "-5", "-5x", "1e9", "nan", "0001-01-01T00:00:00+14:00",
     "1969-12-31T23:59:59.999Z", "-2000000000w", "-99999w"],
)  # fmt: skip
def test_where_not_to_start(text: str) -> None:
    with pytest.raises(UsageError, match=r"give beginning, latest, an offset, or a time") as refused:
        Start.parse(text, lambda: NOW_MS)
    assert "\n" not in str(refused.value)
