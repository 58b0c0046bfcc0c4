"""What a worker says of what ends it."""

from types import SimpleNamespace
from typing import NoReturn, cast

import pytest
from confluent_kafka import KafkaError, KafkaException

from schemas.errors import EdgewiseError
from streams.agents.agent import Agent
from streams.config.settings import Settings
from streams.kafka.client import BrokerUnreachableError, Cluster, is_transient
from streams.worker import app

AGENT = cast(Agent, SimpleNamespace(name="edge"))


def test_what_librdkafka_raises_becomes_a_line_that_names_the_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail where it is passed on: the command then ended with a traceback."""

    def away(*_: object) -> NoReturn:
        raise BrokerUnreachableError("no broker")

    monkeypatch.setattr(app, "require_topics", away)
    failure = KafkaException(KafkaError(KafkaError.OFFSET_OUT_OF_RANGE, "why"))
    explained = app._explained(failure, Cluster(Settings()), AGENT)
    assert type(explained) is EdgewiseError
    assert str(explained) == "edge: Kafka failed and the worker must start again: why (OFFSET_OUT_OF_RANGE)"
    ours = EdgewiseError("ours")
    assert app._explained(ours, Cluster(Settings()), AGENT) is ours


@pytest.mark.parametrize(
    ("code", "passes"),
    [
        (KafkaError.OFFSET_NOT_AVAILABLE, True),
        (KafkaError.REPLICA_NOT_AVAILABLE, True),
        (KafkaError.FENCED_LEADER_EPOCH, True),
        (KafkaError.REQUEST_TIMED_OUT, True),
        (KafkaError.OFFSET_OUT_OF_RANGE, False),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, False),
    ],
)
def test_what_a_new_leader_says_at_first_is_asked_again(code: int, passes: bool) -> None:
    assert is_transient(KafkaException(KafkaError(code, "why"))) is passes
