"""A topic followed in a thread: what is there, what comes, each once, and a word about what is wrong."""

import threading
from collections.abc import Sequence

import pytest
from confluent_kafka import Message

from schemas.topics import ALERTS, SENTIMENT
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.operate.follow import Follower
from streams.operate.topics import create
from tests.produced import produce, sentiment

both = pytest.mark.parametrize("backend", ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])


@pytest.fixture
def backend() -> str:
    return "embedded"


class Taken:
    """What was taken, to be waited for."""

    def __init__(self) -> None:
        self.values: list[bytes] = []
        self._changed = threading.Condition()

    def __call__(self, messages: Sequence[Message]) -> None:
        with self._changed:
            self.values += [message.value() or b"" for message in messages]
            self._changed.notify_all()

    def wait_for(self, count: int) -> list[bytes]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.values) >= count, 60)
        return self.values


@both
def test_what_is_there_and_what_comes_is_taken_once(settings: Settings, backend: str) -> None:  # noqa: ARG001
    create(settings)
    produce(settings, SENTIMENT, *(sentiment(at) for at in range(5)))
    taken, idle = Taken(), threading.Event()

    def is_busy() -> bool:
        idle.set()
        return False

    follower = Follower(Cluster(settings), SENTIMENT, 0, taken, is_busy)
    follower.start()
    taken.wait_for(5)
    produce(settings, SENTIMENT, *(sentiment(at) for at in range(5, 8)))
    values = taken.wait_for(8)
    follower.stop()
    assert len(values) == len(set(values)) == 8
    assert idle.is_set()
    assert follower.fault is not None, "a thread that has ended follows nothing"


def test_a_topic_that_is_not_there_is_named_until_it_is(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.operate.follow._AGAIN_S", 0.1)
    said, taken = threading.Event(), Taken()
    monkeypatch.setattr("streams.operate.follow.logger.warning", lambda *_: said.set())
    follower = Follower(Cluster(settings), ALERTS, 0, taken)
    follower.start()
    assert said.wait(60)
    assert f"there is no topic {settings.topic('alerts')}" in (follower.fault or "")
    create(settings)
    produce(settings, ALERTS, b"anything")
    assert taken.wait_for(1) == [b"anything"]
    assert follower.fault is None
    follower.stop()
