import threading
from collections.abc import Iterator

import pytest
from confluent_kafka import Message, Producer, TopicPartition
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from schemas.errors import UsageError
from schemas.topics import TRANSCRIPTS
from streams.config.settings import Settings
from streams.kafka import client
from streams.kafka.client import BrokerUnreachableError, Cluster
from streams.kafka.reader import ReadError, Watermarks, read_topic, watermarks
from tests.failing_at_first import FailsAtFirst

both = pytest.mark.parametrize("backend", ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
on_kafka = pytest.mark.parametrize("backend", [pytest.param("kafka", marks=pytest.mark.kafka)])


@pytest.fixture
def backend() -> str:
    return "embedded"


@pytest.fixture
def topic(settings: Settings, backend: str) -> str:  # noqa: ARG001 - which broker it is, the mark has decided
    """The full name of `transcripts` with two partitions."""
    name = settings.topic(TRANSCRIPTS)
    admin = Cluster(settings).admin()  # its futures live as long as it does
    [future] = admin.create_topics([NewTopic(name, 2, 1)]).values()
    future.result()
    return name


@pytest.fixture
def producer(settings: Settings) -> Producer:
    return Cluster(settings).producer({"linger.ms": 20})


@pytest.fixture
def transactional(settings: Settings) -> Producer:
    made = Cluster(settings).producer({"transaction.timeout.ms": 60_000}, transactional_id=settings.topic("test"))
    made.init_transactions(30)
    return made


def produce(producer: Producer, topic: str, values: list[bytes], partition: int = 0, timestamp: int = 0) -> None:
    for i, value in enumerate(values):
        producer.produce(topic, value, partition=partition, timestamp=timestamp + i if timestamp else 0)
    assert producer.flush(30) == 0


def delete_records(settings: Settings, before: TopicPartition) -> None:
    admin = Cluster(settings).admin()
    [future] = admin.delete_records([before]).values()
    future.result()


def values(messages: Iterator[Message]) -> list[tuple[int | None, bytes | None]]:
    return [(message.partition(), message.value()) for message in messages]


@both
def test_every_record_of_every_partition_in_order(settings: Settings, topic: str, producer: Producer) -> None:
    for partition in range(2):
        produce(producer, topic, [b"%d" % i for i in range(3000)], partition)  # several in a batch
    read = values(read_topic(Cluster(settings), TRANSCRIPTS))
    for partition in range(2):
        assert [value for number, value in read if number == partition] == [b"%d" % i for i in range(3000)]


@both
@pytest.mark.usefixtures("topic")
def test_an_empty_topic_ends_at_once(settings: Settings) -> None:
    assert watermarks(Cluster(settings), TRANSCRIPTS) == {0: Watermarks(0, 0), 1: Watermarks(0, 0)}
    assert values(read_topic(Cluster(settings), TRANSCRIPTS)) == []


@both
def test_the_end_is_that_of_the_call(settings: Settings, topic: str, producer: Producer) -> None:
    produce(producer, topic, [b"before"])
    records = read_topic(Cluster(settings), TRANSCRIPTS)
    produce(producer, topic, [b"after"])
    assert values(records) == [(0, b"before")]


@both
def test_from_offsets(settings: Settings, topic: str, producer: Producer) -> None:
    for partition in range(2):
        produce(producer, topic, [b"%d" % i for i in range(10)], partition)
    assert values(read_topic(Cluster(settings), TRANSCRIPTS, offsets={0: 8, 1: 10})) == [(0, b"8"), (0, b"9")]
    assert (
        len(values(read_topic(Cluster(settings), TRANSCRIPTS, offsets={0: 8}))) == 12
    )  # partition 1 from its beginning


@both
def test_from_a_time(settings: Settings, topic: str, producer: Producer) -> None:
    time = 1_700_000_000_000
    produce(producer, topic, [b"%d" % i for i in range(10)], timestamp=time)
    produce(producer, topic, [b"old"], partition=1, timestamp=time)
    assert values(read_topic(Cluster(settings), TRANSCRIPTS, since_ms=time + 8)) == [(0, b"8"), (0, b"9")]
    assert values(read_topic(Cluster(settings), TRANSCRIPTS, since_ms=time + 99)) == []


@both
def test_a_connection_that_breaks_is_made_again(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, topic: str, producer: Producer
) -> None:
    monkeypatch.setattr(client, "Consumer", FailsAtFirst)
    produce(producer, topic, [b"early", b"late"], timestamp=1_700_000_000_000)
    assert [message.value() for message in read_topic(Cluster(settings), TRANSCRIPTS, since_ms=1_700_000_000_001)] == [
        b"late"
    ]


@both
def test_a_commit_is_seen_as_soon_as_it_has_returned(settings: Settings, topic: str, transactional: Producer) -> None:
    """Its markers may still be on their way: a plain read_committed consumer would end before the records."""
    for n in range(20):
        transactional.begin_transaction()
        transactional.produce(topic, b"%d" % n, partition=n % 2)
        transactional.commit_transaction(30)
        assert (n % 2, b"%d" % n) in values(read_topic(Cluster(settings), TRANSCRIPTS))


@both
def test_it_waits_for_an_open_transaction(
    settings: Settings, topic: str, producer: Producer, transactional: Producer
) -> None:
    transactional.begin_transaction()
    produce(transactional, topic, [b"in the transaction"])
    produce(producer, topic, [b"behind it"])
    records = read_topic(Cluster(settings), TRANSCRIPTS)
    read: list[tuple[int | None, bytes | None]] = []
    thread = threading.Thread(target=lambda: read.extend(values(records)))
    thread.start()
    transactional.commit_transaction(30)
    thread.join(60)
    assert read == [(0, b"in the transaction"), (0, b"behind it")]


@on_kafka  # the embedded broker shows aborted records
def test_what_was_aborted_is_not_read(settings: Settings, topic: str, transactional: Producer) -> None:
    transactional.begin_transaction()
    produce(transactional, topic, [b"never was"])
    transactional.abort_transaction(30)
    assert watermarks(Cluster(settings), TRANSCRIPTS)[0].high == 2  # the record and the marker
    assert values(read_topic(Cluster(settings), TRANSCRIPTS)) == []


@both
def test_an_open_transaction_that_does_not_end_is_an_error(
    settings: Settings, topic: str, transactional: Producer
) -> None:
    transactional.begin_transaction()
    produce(transactional, topic, [b"open"])
    with pytest.raises(ReadError, match=r"partition 0 at 0 of 1\): a transaction is still open"):
        values(read_topic(Cluster(settings), TRANSCRIPTS, patience_s=0.5))
    transactional.abort_transaction(30)


@on_kafka
def test_what_retention_removed_is_passed_over(settings: Settings, topic: str, producer: Producer) -> None:
    produce(producer, topic, [b"%d" % i for i in range(10)])
    delete_records(settings, TopicPartition(topic, 0, 7))
    assert watermarks(Cluster(settings), TRANSCRIPTS)[0] == Watermarks(7, 10)
    assert values(read_topic(Cluster(settings), TRANSCRIPTS)) == [(0, b"7"), (0, b"8"), (0, b"9")]
    assert values(read_topic(Cluster(settings), TRANSCRIPTS, offsets={0: 2})) == [(0, b"7"), (0, b"8"), (0, b"9")]


@on_kafka
def test_records_removed_while_reading_are_an_error(settings: Settings, topic: str, producer: Producer) -> None:
    produce(producer, topic, [b"%d" % i for i in range(10)])
    records = read_topic(Cluster(settings), TRANSCRIPTS)
    delete_records(settings, TopicPartition(topic, 0, 7))
    with pytest.raises(ReadError, match="were removed"):
        values(records)


def test_a_missing_topic_is_named(settings: Settings) -> None:
    with pytest.raises(UsageError, match=f"there is no topic {settings.topic('transcripts')}"):
        read_topic(Cluster(settings), TRANSCRIPTS)


def test_no_broker_is_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cluster.metadata, "__defaults__", (0.5,))
    with pytest.raises(BrokerUnreachableError, match=r"no Kafka broker answers at 127\.0\.0\.1:1 "):
        read_topic(Cluster(Settings(bootstrap_servers="127.0.0.1:1")), TRANSCRIPTS)
