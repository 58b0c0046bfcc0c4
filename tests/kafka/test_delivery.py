"""Delivery against brokers: nothing lost, nothing twice when an agent fails, a transaction aborts, a zombie commits.

On the embedded broker the same code runs, and what needs no isolation of a killed worker's transactions holds as well.
"""

import asyncio
import contextlib
import os
import signal
import struct
import threading
from collections.abc import Callable, Collection, Iterator, Sequence

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.topics import TRANSCRIPTS
from streams.agents.agent import Agent, KafkaRecord, Output
from streams.config.settings import Settings
from streams.kafka import client
from streams.kafka.client import Cluster
from streams.kafka.lag import group_lag
from streams.kafka.reader import read_topic
from streams.operate.topics import create
from streams.system.clock import now_ms
from streams.worker.access import TopicMissingError
from streams.worker.app import serve
from streams.worker.batch import Batch
from streams.worker.delivery import Delivery, DeliveryError, FencedError
from streams.worker.member import Member
from streams.worker.positions import stable_offsets
from tests.failing_at_first import FailsAtFirst
from tests.faults.waiting import wait_until

EVENTS = 500
PARTITIONS = 4

both_brokers = pytest.mark.parametrize(
    "broker", ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)], indirect=True
)


class Copy(Agent):
    """Copies `transcripts` to `sentiment`; `fault` sees every record before it is done."""

    name = "edge"

    def __init__(self, settings: Settings, until: int, fault: Callable[[int], None] | None = None) -> None:
        self.source = settings.topic("transcripts")
        self.chunk_records = 20
        self.resets = 0
        self._target = settings.topic("sentiment")
        self._fault = fault
        self._until = until
        self._seen: set[bytes | None] = set()

    async def process(self, records: Sequence[KafkaRecord]) -> list[Output]:
        for record in records:
            if self._fault is not None:
                self._fault(int(record.value or b""))
        self._seen.update(record.value for record in records)
        if len(self._seen) >= self._until:
            os.kill(os.getpid(), signal.SIGTERM)
        return [Output(self._target, record.key, record.value) for record in records]

    def positions_set_back(self, partitions: Collection[int]) -> None:
        self.resets += 1


@pytest.fixture
def filled(settings: Settings) -> Settings:
    """The topics, with numbers from 0 on the input."""
    create(settings)
    produce(settings, range(EVENTS))
    return settings


def produce(settings: Settings, numbers: Sequence[int]) -> None:
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers, "enable.idempotence": True})
    for number in numbers:
        producer.produce(settings.topic("transcripts"), str(number).encode(), key=str(number % 37).encode())
    assert producer.flush(30) == 0


def results(settings: Settings) -> list[int]:
    return [int(message.value() or b"") for message in read_topic(Cluster(settings), "sentiment")]


def assert_exact(settings: Settings, events: int = EVENTS) -> None:
    numbers = results(settings)
    assert sorted(numbers) == list(range(events))
    for key in range(37):
        mine = [number for number in numbers if number % 37 == key]
        assert mine == sorted(mine), "order within a key"


@both_brokers
def test_every_event_is_copied_once_and_in_order(filled: Settings) -> None:
    asyncio.run(serve(filled, Copy(filled, EVENTS)))
    assert_exact(filled)


@pytest.mark.kafka
def test_the_same_where_brokers_share_the_partitions(filled: Settings) -> None:
    """By KIP-848, where a member's epoch moves on without a word to it."""
    settings = filled.model_copy(update={"group_protocol": "consumer"})
    asyncio.run(serve(settings, Copy(settings, EVENTS)))
    produce(settings, range(EVENTS, EVENTS + 100))
    asyncio.run(serve(settings, Copy(settings, 100)))
    assert_exact(settings, EVENTS + 100)


@pytest.mark.parametrize(
    ("broker", "number"),
    [
        # The embedded broker takes 12 s to give a group to its next member: one case of it is enough.
        pytest.param("embedded", 150, id="embedded-middle"),
        pytest.param("kafka", 0, id="kafka-first", marks=pytest.mark.kafka),
        pytest.param("kafka", 150, id="kafka-middle", marks=pytest.mark.kafka),
        pytest.param("kafka", EVENTS - 1, id="kafka-last", marks=pytest.mark.kafka),
    ],
    indirect=["broker"],
)
def test_an_exception_loses_nothing(filled: Settings, number: int) -> None:
    def fault(seen: int) -> None:
        if seen == number:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(serve(filled, Copy(filled, EVENTS, fault)))
    assert number not in results(filled)
    asyncio.run(serve(filled, Copy(filled, EVENTS - len(results(filled)))))
    assert_exact(filled)


@both_brokers
def test_a_worker_goes_on_where_the_last_one_stopped(filled: Settings) -> None:
    asyncio.run(serve(filled, Copy(filled, EVENTS)))
    produce(filled, range(EVENTS, EVENTS + 100))
    asyncio.run(serve(filled, Copy(filled, 100)))
    assert_exact(filled, EVENTS + 100)


@pytest.mark.kafka
def test_refused_transactions_are_aborted_and_their_input_read_again(
    filled: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The metadata of a generation that never was makes the broker refuse a batch, as it refuses a zombie's."""
    batches: list[Batch] = []
    renew = Member.renew

    def by_turns(member: Member, batch: Batch) -> None:
        renew(member, batch)
        if batch not in batches:
            batches.append(batch)
        if (number := batches.index(batch)) < 12 and number % 2 == 0:
            batch.token = batch.token[:7] + struct.pack("<i", 1000) + batch.token[11:]

    monkeypatch.setattr(Member, "renew", by_turns)
    agent = Copy(filled, EVENTS)
    agent.chunk_records = 5  # for many transactions
    asyncio.run(serve(filled, agent))
    assert len(batches) > 12
    assert agent.resets >= 7, "once at the start, once after each abort"
    # The agent saw the last records of a refused batch before they were done; what is left is another run's.
    if left := EVENTS - len(results(filled)):
        asyncio.run(serve(filled, Copy(filled, left)))
    assert_exact(filled)


class Ticking(Copy):
    """Says -1 at intervals, to `sentiment`; stops its worker at the fourth time, or fails at it."""

    tick_s = 0.01

    def __init__(self, settings: Settings, *, fails: bool = False) -> None:
        super().__init__(settings, EVENTS + 1)  # which never come
        self.times: list[int] = []
        self._fails = fails

    async def tick(self, now_ms: int, partitions: Collection[int]) -> list[Output]:
        assert set(partitions) == {0, 1, 2, 3}
        self.times.append(now_ms)
        if len(self.times) == 4:
            if self._fails:
                raise ZeroDivisionError
            os.kill(os.getpid(), signal.SIGTERM)
        return [Output(self._target, b"tick", b"-1")]


@both_brokers
def test_a_tick_publishes_without_records_and_leaves_the_positions_where_they_are(settings: Settings) -> None:
    create(settings)
    agent = Ticking(settings)
    before = now_ms()
    asyncio.run(serve(settings, agent))
    assert results(settings)[:3] == [-1, -1, -1]  # the fourth may come too late
    assert before <= agent.times[0] <= agent.times[1] <= agent.times[2] <= now_ms()
    produce(settings, range(3))
    assert sum(group_lag(Cluster(settings), "edge", TRANSCRIPTS).values()) == 3


@both_brokers
def test_a_tick_that_fails_ends_the_worker(settings: Settings) -> None:
    create(settings)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(serve(settings, Ticking(settings, fails=True)))
    assert results(settings) == [-1, -1, -1]


@pytest.mark.kafka
def test_a_second_worker_with_the_same_id_fences_the_first(filled: Settings) -> None:
    first, second = (Delivery(Cluster(filled), Copy(filled, 1)) for _ in range(2))
    first.start()
    second.start()
    output = Output(filled.topic("sentiment"), b"k", b"1")
    with pytest.raises(FencedError, match=r"another worker runs with worker id 'test'.*EDGEWISE_WORKER_ID"):
        first._transact([output], {0: 1}, nobodys(filled))
    assert second._transact([output], {0: 1}, nobodys(filled))
    assert results(filled) == [1]


def nobodys(settings: Settings) -> bytes:
    """The metadata of a consumer that has not joined the group of the edge: the broker fences nobody by it."""
    consumer = Cluster(settings).assigned_consumer(group=settings.group("edge"))
    try:
        return bytes(consumer.consumer_group_metadata())
    finally:
        consumer.close()


def positions(settings: Settings, partitions: Collection[int]) -> dict[int, int]:
    cluster, group = Cluster(settings), settings.group("edge")
    return stable_offsets(cluster, group, settings.topic("transcripts"), partitions)


@both_brokers
def test_a_partition_without_a_commit_starts_at_its_oldest_record(filled: Settings) -> None:
    assert positions(filled, range(PARTITIONS)) == dict.fromkeys(range(PARTITIONS), 0)


@both_brokers
def test_positions_are_asked_for_again_when_a_connection_breaks_or_a_coordinator_moves(
    filled: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "Consumer", FailsAtFirst)
    assert positions(filled, [0]) == {0: 0}


@contextlib.contextmanager
def pending(settings: Settings) -> Iterator[Producer]:
    """Another's transaction, open, with offset 5 for partition 0."""
    producer = Producer(
        {
            "bootstrap.servers": settings.bootstrap_servers,
            "transactional.id": settings.topic("pending"),
            "transaction.timeout.ms": 30_000,
        }
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(settings.topic("sentiment"), b"1")
    producer.send_offsets_to_transaction([TopicPartition(settings.topic("transcripts"), 0, 5)], nobodys(settings))
    yield producer
    producer.commit_transaction(30)  # the broker has not ended it


@pytest.mark.kafka
def test_offsets_of_a_pending_transaction_are_waited_for(filled: Settings) -> None:
    """Else a partition would start before what the pending transaction commits a moment later, and do it twice."""
    found: list[dict[int, int]] = []
    reader = threading.Thread(target=lambda: found.append(positions(filled, [0])))
    with pending(filled):
        reader.start()
        reader.join(1.0)
        assert reader.is_alive(), "it must wait for the pending transaction"
    reader.join(60.0)
    assert found == [{0: 5}]


@pytest.mark.kafka
def test_a_stop_does_not_wait_for_the_transaction_of_another(filled: Settings) -> None:
    """Positions are not known before it ends."""
    with pending(filled):
        asyncio.run(serve(filled, Copy(filled, 1), on_joined=lambda: os.kill(os.getpid(), signal.SIGTERM)))


@pytest.mark.kafka
def test_retention_that_passed_the_group_by_is_reported(filled: Settings, caplog: pytest.LogCaptureFixture) -> None:
    partition = TopicPartition(filled.topic("transcripts"), 0, 2)
    consumer = Consumer({"bootstrap.servers": filled.bootstrap_servers, "group.id": filled.group("edge")})
    consumer.commit(offsets=[partition], asynchronous=False)
    consumer.close()
    admin = AdminClient({"bootstrap.servers": filled.bootstrap_servers})
    for future in admin.delete_records([TopicPartition(partition.topic, 0, 10)]).values():
        future.result()
    assert positions(filled, [0]) == {0: 10}
    assert "retention deleted records 2 to 9" in caplog.text


@both_brokers
def test_missing_topics_are_named(settings: Settings) -> None:
    with pytest.raises(TopicMissingError, match=r"transcripts', .* do not exist .*`edgewise topics create`"):
        asyncio.run(serve(settings, Copy(settings, 1)))


@pytest.mark.kafka
def test_a_missing_output_topic_is_named_before_anything_is_read(filled: Settings) -> None:
    """Seen to fail with only the agent's source asked for: the worker joins, and waits 10 s with each dead letter."""
    admin = AdminClient({"bootstrap.servers": filled.bootstrap_servers})
    for future in admin.delete_topics([filled.topic("dead-letters")]).values():
        future.result()
    # The controller has deleted it; the broker hears of it a moment later, and tells it to clients until then.
    wait_until(lambda: filled.topic("dead-letters") not in Cluster(filled).metadata().topics, "the topic is gone")
    with pytest.raises(TopicMissingError, match=r"edge: topic 'test-\w+\.dead-letters' does not exist"):
        asyncio.run(serve(filled, Copy(filled, 1)))
    assert results(filled) == []


@pytest.mark.kafka
def test_a_record_refused_before_the_last_is_produced_is_told_as_well(filled: Settings) -> None:
    """Seen to fail with the error of `produce` taken as it is: "Erroneous state"."""
    delivery = Delivery(Cluster(filled), Copy(filled, 1))
    delivery.start()

    class Refused(list[Output]):
        def __iter__(self) -> Iterator[Output]:
            yield Output(filled.topic("sentiment"), b"k", os.urandom(1_500_000))
            delivery._producers[0].client.flush(30)
            yield Output(filled.topic("sentiment"), b"k", b"1")

    with pytest.raises(DeliveryError, match=r"sentiment .*MSG_SIZE_TOO_LARGE.*raise that topic's max\.message\.bytes"):
        delivery._transact(Refused(), {0: 1}, nobodys(filled))


@pytest.mark.kafka
def test_a_record_too_large_for_its_topic_stops_the_worker_before_it_commits(filled: Settings) -> None:
    delivery = Delivery(Cluster(filled), Copy(filled, 1))
    delivery.start()
    too_large = Output(filled.topic("sentiment"), b"k", os.urandom(1_500_000))
    with pytest.raises(DeliveryError, match=r"MSG_SIZE_TOO_LARGE"):
        delivery._transact([too_large], {0: 1}, nobodys(filled))
    assert positions(filled, [0]) == {0: 0}
