"""A stop signal is heeded wherever a worker waits: for its agent, for a broker that is away, for one that is frozen."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Sequence
from typing import NoReturn

import pytest
from confluent_kafka import Producer

from schemas.errors import EdgewiseError
from streams.agents.agent import Agent, KafkaRecord, Output
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.embedded_broker import EmbeddedBroker
from streams.kafka.lag import group_lag
from streams.operate.topics import create
from streams.worker import app
from streams.worker.app import serve
from streams.worker.delivery import Delivery
from streams.worker.member import Member
from tests.faults.waiting import wait_until

FOREVER_S = 1e6

pytestmark = pytest.mark.timeout(100)


def stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


class Waiting(Agent):
    """Does `first` with the first batch, and then waits without end if it is to."""

    name = "edge"
    chunk_records = 10

    def __init__(self, settings: Settings, first: Callable[[], None], *, waits: bool) -> None:
        self.source = settings.topic("transcripts")
        self._target = settings.topic("sentiment")
        self._first = first
        self._waits = waits

    async def process(self, records: Sequence[KafkaRecord]) -> list[Output]:
        self._first()
        if self._waits:
            await asyncio.sleep(FOREVER_S)
        return [Output(self._target, record.key, record.value) for record in records]


def fill(settings: Settings) -> None:
    create(settings)
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers})
    producer.produce(settings.topic("transcripts"), b"1")
    assert producer.flush(30) == 0


@pytest.mark.parametrize("broker", ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)], indirect=True)
def test_while_the_agent_waits(settings: Settings) -> None:
    """As for a cloud's answer; what it waited for is done again."""
    fill(settings)
    asyncio.run(serve(settings, Waiting(settings, stop, waits=True)))
    assert sum(group_lag(Cluster(settings), "edge", "transcripts").values()) == 1


def test_while_a_transaction_waits_for_a_broker_that_is_gone() -> None:

    def lose() -> None:
        broker.stop()
        asyncio.get_running_loop().call_later(1.0, stop)

    with EmbeddedBroker() as broker:
        settings = Settings(bootstrap_servers=broker.bootstrap_servers, worker_id="test")
        fill(settings)
        asyncio.run(serve(settings, Waiting(settings, lose, waits=False)))


def test_while_it_asks_how_its_group_shares_partitions(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Seen to fail where the answer is waited for, which takes as long as the group's slowest member."""
    fill(settings)

    def asks(*_: object) -> NoReturn:
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait()
        raise AssertionError

    monkeypatch.setattr(app, "Member", asks)
    asyncio.run(serve(settings, Waiting(settings, stop, waits=False)))


def test_a_worker_takes_part_in_its_group_while_its_producers_wait(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """As for a coordinator that is away, or a predecessor's transaction: the group can't share its partitions without
    an answer of each member. Seen to fail where nobody polls meanwhile."""
    fill(settings)
    members: list[Member] = []

    class Late(Delivery):
        def start(self) -> None:
            wait_until(lambda: members[0].joined, "the group", 30.0)
            super().start()

    def made(cluster: Cluster, agent: Agent) -> Member:
        members.append(Member(cluster, agent))
        return members[0]

    monkeypatch.setattr(app, "Member", made)
    monkeypatch.setattr(app, "Delivery", Late)
    asyncio.run(serve(settings, Waiting(settings, stop, waits=False)))


def test_while_it_begins_and_the_broker_does_not_answer() -> None:
    with EmbeddedBroker() as broker:
        settings = Settings(bootstrap_servers=broker.bootstrap_servers, worker_id="test")
        fill(settings)
        os.kill(broker.pid, signal.SIGSTOP)

        async def run() -> None:
            asyncio.get_running_loop().call_later(1.0, stop)
            await serve(settings, Waiting(settings, stop, waits=False))

        try:
            asyncio.run(run())
        except EdgewiseError as error:
            pytest.fail(f"it waited until its own patience was at an end: {error}")
        finally:
            os.kill(broker.pid, signal.SIGCONT)
