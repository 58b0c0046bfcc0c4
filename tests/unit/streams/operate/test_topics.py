import socket
from collections.abc import Callable
from typing import cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from schemas.topics import DEAD_LETTERS, TOPICS, TRANSCRIPTS
from streams.config.settings import Settings
from streams.kafka.client import client_config, cluster_metadata
from streams.kafka.lag import _committed, group_lag
from streams.operate import topics as topics_admin
from streams.operate.topics import TopicAdminError, _configs, create, describe, specs

both = pytest.mark.parametrize("backend", ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])


@pytest.fixture(autouse=True)
def backend() -> str:
    """What `both` runs a test on; in the closure of every test, as it is autouse."""
    return "embedded"


@both
def test_every_topic_of_the_design_is_created_as_it_says(settings: Settings) -> None:
    settings = settings.model_copy(update={"transcripts_partitions": 3, "cloud_inference_partitions": 2})
    assert all(creation.created for creation in create(settings))
    found = cluster_metadata(settings).topics
    assert {name: len(found[settings.topic(name)].partitions) for name in (*TOPICS, DEAD_LETTERS)} == {
        "transcripts": 3, "sentiment": 4, "cloud-inference": 2, "routing-events": 4,
        "monitoring": 1, "alerts": 1, "dead-letters": 1,
    }  # fmt: skip
    day = 86_400_000
    states = {state.topic.removeprefix(settings.topic_prefix): state for state in describe(settings)}
    assert {name: (state.cleanup, state.retention_ms) for name, state in states.items() if name != "alerts"} == {
        "transcripts": ("delete", 7 * day), "sentiment": ("delete", 7 * day), "cloud-inference": ("delete", day),
        "routing-events": ("delete", 30 * day), "monitoring": ("compact,delete", 30 * day),
        "dead-letters": ("delete", 30 * day),
    }  # fmt: skip
    assert states["alerts"].cleanup == "compact"


@both
def test_topics_that_are_there_stay_and_their_differences_are_told(settings: Settings) -> None:
    create(settings)
    assert [(c.created, c.differences) for c in create(settings)] == [(False, ())] * 7
    other = settings.model_copy(update={"transcripts_partitions": 9, "replication_factor": 1})
    differing = [creation for creation in create(other) if creation.differences]
    assert [(creation.topic, creation.differences) for creation in differing] == [
        (settings.topic(TRANSCRIPTS), ("partitions: is 4, should be 9",))
    ]
    assert len(cluster_metadata(settings).topics[settings.topic(TRANSCRIPTS)].partitions) == 4


@pytest.mark.kafka
def test_a_config_that_differs_is_told(settings: Settings) -> None:
    create(settings)
    durable = create(settings.model_copy(update={"replication_factor": 3}))
    assert {creation.differences for creation in durable} == {("min.insync.replicas: is 1, should be 2",)}


@pytest.mark.kafka
def test_a_dead_letter_has_room_for_the_largest_record_and_its_headers(settings: Settings) -> None:
    create(settings)
    producer = Producer(client_config(settings) | {"message.max.bytes": 4 * 1024 * 1024})
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
            _configs(settings, ["some"])


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
    assert (transcripts.records, transcripts.group, transcripts.lag) == (10, settings.group("edge"), 6)
    assert (transcripts.partitions, transcripts.replication) == (4, 1)
    assert states[settings.topic("sentiment")].lag is None


@both
def test_lag_of_a_group_that_never_committed_is_everything(settings: Settings) -> None:
    create(settings)
    produce(settings, 3, partition=2)
    assert group_lag(settings, "edge", TRANSCRIPTS) == {0: 0, 1: 0, 2: 3, 3: 0}


@pytest.mark.parametrize(
    "code", [KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError._TRANSPORT]
)
def test_a_coordinator_that_moves_or_is_cut_off_is_waited_for(code: int) -> None:
    answers = iter([KafkaException(KafkaError(code)), [TopicPartition("t", 0, 7)]])

    class Moving:
        def committed(self, _partitions: object, _timeout: float) -> object:
            answer = next(answers)
            if isinstance(answer, Exception):
                raise answer
            return answer

    assert [of.offset for of in _committed(cast(Consumer, Moving()), [TopicPartition("t", 0)])] == [7]


def test_a_refusal_is_not_waited_for() -> None:
    class Refusing:
        def committed(self, _partitions: object, _timeout: float) -> object:
            raise KafkaException(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED))

    with pytest.raises(KafkaException):
        _committed(cast(Consumer, Refusing()), [])


@pytest.fixture
def transaction(settings: Settings) -> Callable[[int], Producer]:
    def begin(records: int) -> Producer:
        producer = Producer(client_config(settings) | {"transactional.id": settings.topic("test")})
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
    assert group_lag(settings, "edge", TRANSCRIPTS)[0] == 0
    commit(settings, {0: 4})
    assert group_lag(settings, "edge", TRANSCRIPTS)[0] > 0


@pytest.mark.kafka
def test_records_of_an_open_transaction_are_lag(settings: Settings, transaction: Callable[[int], Producer]) -> None:
    create(settings)
    producer = transaction(5)
    assert group_lag(settings, "edge", TRANSCRIPTS)[0] == 5
    producer.abort_transaction(30)
    assert group_lag(settings, "edge", TRANSCRIPTS)[0] == 0


def produce(settings: Settings, records: int, partition: int = 0) -> None:
    producer = Producer(client_config(settings))
    for i in range(records):
        producer.produce(settings.topic(TRANSCRIPTS), str(i), partition=partition)
    assert producer.flush(30) == 0


def commit(settings: Settings, offsets: dict[int, int]) -> None:
    consumer = Consumer(client_config(settings) | {"group.id": settings.group("edge"), "enable.auto.commit": False})
    name = settings.topic(TRANSCRIPTS)
    consumer.commit(offsets=[TopicPartition(name, at, offset) for at, offset in offsets.items()], asynchronous=False)
    consumer.close()
