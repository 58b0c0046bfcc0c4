import asyncio

import pytest
from confluent_kafka import Producer, TopicPartition

from schemas.codec import Codec
from schemas.topics import MONITORING, ROUTING_EVENTS
from streams.agents.agent import Output
from streams.agents.monitor import MonitorAgent
from streams.agents.open_windows import WindowKey
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.monitoring.window import Window
from streams.operate.live_windows import LiveWindows
from streams.operate.topics import create
from streams.worker.build import read_back_from
from tests.events import consumer_record, routing_event

both = pytest.mark.parametrize("backend", ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])

audit = Codec(ROUTING_EVENTS)
monitoring = Codec(MONITORING)


@pytest.fixture
def backend() -> str:
    return "embedded"


@pytest.fixture
def producer(settings: Settings, backend: str) -> Producer:  # noqa: ARG001 - which broker it is, the mark has decided
    create(settings)
    made = Cluster(settings).producer(transactional_id=settings.topic("monitor"))
    made.init_transactions(30)
    return made


def send(producer: Producer, settings: Settings, *outputs: tuple[bytes, bytes | None]) -> None:
    producer.begin_transaction()
    for key, value in outputs:
        producer.produce(settings.topic(MONITORING), value, key)
    producer.commit_transaction(30)


def window(start: int, partition: int, events: int) -> tuple[bytes, bytes]:
    made = Window(start, start + 60_000, partition)
    made.add([routing_event()] * events)
    return WindowKey(start, partition).encoded(), monitoring.encode(made.to_record(0))


def total_of(live: LiveWindows, events: int) -> Window:
    """The total once it has come to `events`."""
    for _ in range(100):
        live.update(0.1)
        if live.total().events == events:
            break
    assert live.total().events == events
    return live.total()


def test_the_latest_record_of_each_window_is_merged(settings: Settings, producer: Producer) -> None:
    with LiveWindows(Cluster(settings)) as live:
        live.update(0)
        assert live.total().events == 0
        send(producer, settings, window(0, 0, 3), window(0, 1, 4))
        total = total_of(live, 7)
        assert (total.start, total.end, total.cost_nanos) == (0, 60_000, 7_000_000)
        send(producer, settings, window(0, 0, 5), window(60_000, 0, 10))
        total = total_of(live, 19)
        assert (total.start, total.end) == (0, 120_000)
        assert total.end_to_end_ms.count == 19
        send(producer, settings, (WindowKey(0, 0).encoded(), None))
        total_of(live, 14)


@pytest.mark.kafka
def test_nothing_that_is_there_is_missed_when_retention_has_moved_the_beginning(
    settings: Settings, producer: Producer
) -> None:
    """Seen to fail with a start at offset 0 and librdkafka's own reset, to the end: none of the windows came."""
    for number in range(20):
        send(producer, settings, window(60_000 * number, 0, 1))  # the record and a transaction's marker: two offsets
    admin = Cluster(settings).admin()
    [future] = admin.delete_records([TopicPartition(settings.topic(MONITORING), 0, 20)]).values()
    future.result()
    with LiveWindows(Cluster(settings)) as live:
        assert total_of(live, 10).start == 600_000


@pytest.mark.kafka
def test_a_view_that_retention_overtakes_goes_on_with_what_is_there(settings: Settings, producer: Producer) -> None:
    """Seen to fail with a reset that is an error, and with librdkafka's own: it goes to the end."""
    cluster = Cluster(settings)
    with LiveWindows(cluster) as live:
        live._consumer.pause([TopicPartition(settings.topic(MONITORING), 0)])  # a view that stands still
        live.update(1.0)
        for number in range(20):
            send(producer, settings, window(60_000 * number, 0, 1))
        admin = cluster.admin()  # its futures live as long as it does
        [future] = admin.delete_records([TopicPartition(settings.topic(MONITORING), 0, 20)]).values()
        future.result()
        live._consumer.resume([TopicPartition(settings.topic(MONITORING), 0)])
        assert total_of(live, 10).start == 600_000


@both
def test_only_windows_since_a_time(settings: Settings, producer: Producer) -> None:
    hour = 3_600_000
    send(producer, settings, *(window(hour * number, partition, 1) for number in range(10) for partition in range(2)))
    with LiveWindows(Cluster(settings), since_ms=6 * hour) as live:
        total = total_of(live, 8)
        assert (total.start, total.end) == (6 * hour, 9 * hour + 60_000)
        live.forget_before(8 * hour)
        assert live.total().events == 4
        assert live.total().start == 8 * hour
        send(producer, settings, window(7 * hour, 0, 5), window(8 * hour, 0, 3))
        total_of(live, 6)
        live.forget_before(100 * hour)
        empty = live.total()
        assert (empty.events, empty.start, empty.end, empty.end_to_end_ms.count) == (0, 0, 0, 0)
        send(producer, settings, window(200 * hour, 0, 2))
        assert total_of(live, 2).start == 200 * hour


def test_a_record_that_is_no_window_is_skipped(settings: Settings, producer: Producer) -> None:
    send(producer, settings, (b"?", b"?"), window(0, 0, 3))
    with LiveWindows(Cluster(settings)) as live:
        total_of(live, 3)


@both
def test_a_monitor_goes_on_with_what_its_predecessor_committed(settings: Settings, producer: Producer) -> None:
    """The agent with its real store: what is in `monitoring` is read back, however it was written."""
    now = 1_700_049_600_000
    record = consumer_record(audit.encode(routing_event(recorded_at=now)), topic=settings.topic(ROUTING_EVENTS))

    def process() -> list[Output]:
        return asyncio.run(
            MonitorAgent(settings, read_back_from(Cluster(settings)), clock=lambda: now).process([record])
        )

    for count in range(1, 4):
        [output] = process()
        assert monitoring.decode(output.value).events == count
        assert output.key is not None
        send(producer, settings, (output.key, output.value))
