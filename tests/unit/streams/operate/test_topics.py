import socket
from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from schemas.topics import DEAD_LETTERS, DELIVERIES, SHADOW, TOPICS, TRANSCRIPTS
from streams.config.settings import Settings
from streams.kafka import client
from streams.kafka.client import Cluster
from streams.kafka.lag import LagError, group_lag
from streams.kafka.reader import OffsetBeyondEndError
from streams.operate import topics as topics_admin
from streams.operate.topics import Creation, TopicAdminError, _configs, create, describe, specs
from tests.failing_at_first import FailsAtFirst

both = pytest.mark.parametrize("backend", ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])


@pytest.fixture(autouse=True)
def backend() -> str:
    """What `both` runs a test on; in the closure of every test, as it is autouse."""
    return "embedded"


@both
def test_every_topic_of_the_design_is_created_as_it_says(settings: Settings) -> None:
    settings = settings.model_copy(update={"transcripts_partitions": 3, "cloud_inference_partitions": 2})
    assert all(creation.created for creation in create(settings))
    found = Cluster(settings).metadata().topics
    names = {*TOPICS, DEAD_LETTERS, DELIVERIES}
    assert {name: len(found[settings.topic(name)].partitions) for name in names} == {
        "transcripts": 3, "sentiment": 4, "cloud-inference": 2, "routing-events": 4,
        "shadow": 3, "monitoring": 1, "conversations": 4, "labels": 1, "budget": 1, "alerts": 1, "silences": 1,
        "notifications": 1, "deliveries": 1, "dead-letters": 1,
    }  # fmt: skip
    day = 86_400_000
    states = {state.topic.removeprefix(settings.topic_prefix): state for state in describe(settings)}
    assert {name: (state.cleanup, state.retention_ms) for name, state in states.items()} == {
        "transcripts": ("delete", 7 * day), "sentiment": ("delete", 7 * day), "cloud-inference": ("delete", day),
        "routing-events": ("delete", 30 * day), "shadow": ("delete", 7 * day),
        "monitoring": ("compact,delete", 30 * day),
        "conversations": ("compact,delete", 30 * day), "budget": ("compact,delete", 40 * day),
        "labels": ("delete", 30 * day), "alerts": ("compact,delete", 30 * day),
        "silences": ("compact,delete", 30 * day), "notifications": ("compact", -1), "deliveries": ("delete", day),
        "dead-letters": ("delete", 30 * day),
    }  # fmt: skip


@both
def test_topics_that_are_there_stay_and_their_differences_are_told(settings: Settings) -> None:
    create(settings)
    assert [(c.created, c.differences) for c in create(settings)] == [(False, ())] * len(specs(settings))
    other = settings.model_copy(update={"transcripts_partitions": 9, "replication_factor": 1})
    differing = [creation for creation in create(other) if creation.differences]
    assert [(creation.topic, creation.differences) for creation in differing] == [
        (settings.topic(name), ("partitions: is 4, should be 9",)) for name in (TRANSCRIPTS, SHADOW)
    ]
    assert len(Cluster(settings).metadata().topics[settings.topic(TRANSCRIPTS)].partitions) == 4


@pytest.mark.kafka
def test_a_config_that_differs_is_told(settings: Settings) -> None:
    create(settings)
    durable = create(settings.model_copy(update={"replication_factor": 3}))
    assert {creation.differences for creation in durable} == {("min.insync.replicas: is 1, should be 2",)}


@pytest.mark.kafka
def test_what_others_read_is_in_a_codec_that_every_client_knows(settings: Settings) -> None:
    """However it was sent: the broker sees to it. A topic from before is told of."""
    admin = Cluster(settings).admin()
    week = {"retention.ms": str(7 * 86_400_000)}
    [future] = admin.create_topics([NewTopic(settings.topic("sentiment"), 4, 1, config=week)]).values()
    future.result()
    [older] = [creation for creation in create(settings) if creation.differences]
    assert older == Creation(settings.topic("sentiment"), False, ("compression.type: is producer, should be gzip",))


@pytest.mark.kafka
def test_a_dead_letter_has_room_for_the_largest_record_and_its_headers(settings: Settings) -> None:
    create(settings)
    producer = Cluster(settings).producer({"message.max.bytes": 4 * 1024 * 1024})
    refused: list[object] = []
    producer.produce(
        settings.topic(DEAD_LETTERS), b"x" * 1_048_588, headers=[("h", b"y" * 10_000)],
        on_delivery=lambda error, _: refused.append(error),
    )  # fmt: skip
    assert producer.flush(30) == 0
    assert refused == [None]


@pytest.mark.kafka
def test_what_the_broker_refuses_is_told(settings: Settings) -> None:
    with pytest.raises(TopicAdminError, match=r"topic test-.* could not be created: .*[Rr]eplication factor"):
        create(settings.model_copy(update={"replication_factor": 5}))


def test_a_broker_that_is_slow_to_describe_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with a client that is gone before its futures: "Broker handle destroyed for termination"."""
    monkeypatch.setattr(topics_admin, "_REQUEST_TIMEOUT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = Settings(bootstrap_servers=f"127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(TopicAdminError, match=r"topic some could not be described: .*Timed out"):
            _configs(Cluster(settings), ["some"])


def test_two_of_three_replicas_confirm() -> None:
    assert all(spec.config["min.insync.replicas"] == "2" for spec in specs(Settings(replication_factor=3)))
    assert not any("min.insync.replicas" in spec.config for spec in specs(Settings(replication_factor=2)))


@both
def test_describe_counts_records_and_lag_and_tells_what_is_missing(settings: Settings) -> None:
    assert not any(state.exists for state in describe(settings))
    create(settings)
    produce(settings, 10)
    commit(settings, {0: 4})
    states = {state.topic: state for state in describe(settings)}
    transcripts = states[settings.topic(TRANSCRIPTS)]
    assert (transcripts.offsets, transcripts.records) == (10, None)
    assert (transcripts.group, transcripts.lag) == (settings.group("edge"), 6)
    assert (transcripts.partitions, transcripts.replication) == (4, 1)
    assert states[settings.topic("conversations")].lag is None


@pytest.mark.kafka
def test_records_are_told_from_markers_and_from_what_was_aborted(
    settings: Settings, transaction: Callable[[int], Producer]
) -> None:
    create(settings)
    produce(settings, 3, partition=1)
    transaction(5).commit_transaction(30)
    transaction(2).abort_transaction(30)
    state = next(state for state in describe(settings, count=True) if state.topic == settings.topic(TRANSCRIPTS))
    assert (state.records, state.offsets) == (8, 12)


@both
def test_lag_of_a_group_that_never_committed_is_everything(settings: Settings) -> None:
    create(settings)
    produce(settings, 3, partition=2)
    assert group_lag(Cluster(settings), "edge", TRANSCRIPTS) == {0: 0, 1: 0, 2: 3, 3: 0}


@both
def test_a_coordinator_that_moves_or_is_cut_off_is_waited_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(settings)
    produce(settings, 10)
    commit(settings, {0: 7})
    monkeypatch.setattr(client, "Consumer", FailsAtFirst)
    assert group_lag(Cluster(settings), "edge", TRANSCRIPTS)[0] == 3


def test_a_refusal_is_not_waited_for(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refused(Consumer):
        def committed(self, *_: object) -> list[TopicPartition]:
            raise KafkaException(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED))

    create(settings)
    monkeypatch.setattr(client, "Consumer", Refused)
    group = settings.group("edge")
    with pytest.raises(LagError, match=f"could not be had: .*, who needs DESCRIBE on group {group}"):
        group_lag(Cluster(settings), "edge", TRANSCRIPTS)


@both
def test_a_committed_offset_behind_the_end_is_told(settings: Settings) -> None:
    """As after an unclean election, or set by hand. Seen to fail without a look at the end: a lag of 0."""
    create(settings)
    produce(settings, 10)
    commit(settings, {0: 1_000, 1: 0})
    name, group = settings.topic(TRANSCRIPTS), settings.group("edge")
    with pytest.raises(OffsetBeyondEndError) as refused:
        group_lag(Cluster(settings), "edge", TRANSCRIPTS)
    assert str(refused.value).startswith(
        f"group {group} has committed offset 1000 of {name}[0], which ends at 10: the topic was made anew"
    )
    assert "\n" not in str(refused.value)


@pytest.fixture
def transaction(settings: Settings) -> Callable[[int], Producer]:
    def begin(records: int) -> Producer:
        producer = Cluster(settings).producer(transactional_id=settings.topic("test"))
        producer.init_transactions(30)
        producer.begin_transaction()
        for i in range(records):
            producer.produce(settings.topic(TRANSCRIPTS), str(i), partition=0)
        producer.flush(30)
        return producer

    return begin


@pytest.mark.kafka
def test_the_marker_behind_the_last_transaction_is_no_lag(
    settings: Settings, transaction: Callable[[int], Producer]
) -> None:
    create(settings)
    transaction(5).commit_transaction(30)
    commit(settings, {0: 5})
    assert group_lag(Cluster(settings), "edge", TRANSCRIPTS)[0] == 0
    commit(settings, {0: 4})
    assert group_lag(Cluster(settings), "edge", TRANSCRIPTS)[0] > 0


@pytest.mark.kafka
def test_records_of_an_open_transaction_are_lag(settings: Settings, transaction: Callable[[int], Producer]) -> None:
    create(settings)
    producer = transaction(5)
    assert group_lag(Cluster(settings), "edge", TRANSCRIPTS)[0] == 5
    producer.abort_transaction(30)
    assert group_lag(Cluster(settings), "edge", TRANSCRIPTS)[0] == 0


def produce(settings: Settings, records: int, partition: int = 0) -> None:
    producer = Cluster(settings).producer()
    for i in range(records):
        producer.produce(settings.topic(TRANSCRIPTS), str(i), partition=partition)
    assert producer.flush(30) == 0


def commit(settings: Settings, offsets: dict[int, int]) -> None:
    consumer = Cluster(settings).assigned_consumer(group=settings.group("edge"))
    name = settings.topic(TRANSCRIPTS)
    consumer.commit(offsets=[TopicPartition(name, at, offset) for at, offset in offsets.items()], asynchronous=False)
    consumer.close()
