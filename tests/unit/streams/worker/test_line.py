"""What the health agent is told of its line: new dead letters once each, and how far the other agents are."""

import pytest
from confluent_kafka import TopicPartition

from schemas.dead_letter import LetterId, Mark
from schemas.topics import DEAD_LETTERS, ROUTING_EVENTS, TRANSCRIPTS
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.operate.topics import create
from streams.worker.line import KafkaLine
from tests.letters import bury

both = pytest.mark.parametrize("backend", ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])


@pytest.fixture(autouse=True)
def backend() -> str:
    return "embedded"


@both
def test_a_letter_is_told_once_and_a_mark_is_none(settings: Settings) -> None:
    create(settings)
    line = KafkaLine(Cluster(settings), "health")
    assert line.new_dead_letters(0) == []
    bury(settings, 3)
    assert len(line.new_dead_letters(0)) == 3
    assert line.new_dead_letters(0) == []
    producer = Cluster(settings).producer()
    mark = Mark(LetterId(0, 0), "dropped", 0, "ada", "")
    producer.produce(settings.topic(DEAD_LETTERS), None, b"0:0", headers=[*mark.headers])
    producer.produce(settings.topic(DEAD_LETTERS), b"another program's")
    assert producer.flush(30) == 0
    bury(settings, 1)
    [at] = line.new_dead_letters(0)
    assert at > 1_700_000_000_000
    assert len(KafkaLine(Cluster(settings), "health").new_dead_letters(0)) == 4
    assert KafkaLine(Cluster(settings), "health").new_dead_letters(at + 60_000) == []


@both
def test_the_lag_of_agents_that_have_worked(settings: Settings) -> None:
    create(settings)
    line = KafkaLine(Cluster(settings), "health")
    assert line.lags() == {}
    producer = Cluster(settings).producer()
    for _ in range(5):
        for topic, partition in ((TRANSCRIPTS, 0), (TRANSCRIPTS, 1), (ROUTING_EVENTS, 0)):
            producer.produce(settings.topic(topic), b"v", partition=partition)
        assert producer.flush(30) == 0  # a batch each: the embedded broker takes the end of the last one for its begin
    for agent, topic, offsets in (("edge", TRANSCRIPTS, (2, 5)), ("monitor", ROUTING_EVENTS, (5,))):
        consumer = Cluster(settings).assigned_consumer(group=settings.group(agent))
        places = [TopicPartition(settings.topic(topic), at, offset) for at, offset in enumerate(offsets)]
        consumer.commit(offsets=places, asynchronous=False)
        consumer.close()
    assert line.lags() == {"edge": 3, "monitor": 0}
