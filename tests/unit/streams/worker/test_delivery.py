"""What a failed transaction means: read again, or the end; a transaction that never ends."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import nullcontext
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from schemas.errors import EdgewiseError
from streams.agents.agent import Agent
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.system.threads import DaemonThread
from streams.worker import delivery as module
from streams.worker.access import TopicMissingError
from streams.worker.delivery import FIRST_TIMEOUT_MS, LONGEST_TIMEOUT_MS, Delivery, DeliveryError, FencedError
from streams.worker.producer import TransactionalProducer

NEEDS_ABORT = {"txn_requires_abort": True}


class Scene:
    """A delivery whose producers fail as they are told to, and a clock that goes when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 0.0
        self.made: list[float] = []
        monkeypatch.setattr(module, "TransactionalProducer", self.producer)
        monkeypatch.setattr(module, "exclusive_transactions", lambda _: nullcontext())
        monkeypatch.setattr(module, "require_topics", lambda *_: None)
        agent = cast(Agent, SimpleNamespace(name="edge", source="transcripts"))
        self.delivery = Delivery(Cluster(Settings()), agent, clock_s=lambda: self.now_s)
        self.commit: Callable[[], None] = lambda: None
        self.delivery.start()

    def producer(self, _: object, transactional_id: str, timeout_ms: int, *_clock: object) -> TransactionalProducer:
        def commit(_timeout_s: float) -> None:
            self.commit()

        self.made.append(timeout_ms)
        client = SimpleNamespace(
            begin_transaction=lambda: None,
            send_offsets_to_transaction=lambda *_: None,
            commit_transaction=commit,
            abort_transaction=lambda _: None,
            poll=lambda _: 0,
        )
        made = SimpleNamespace(
            client=client,
            repeating=lambda call, *arguments: call(*arguments),
            timeout_s=timeout_ms / 1000,
            request_timeout_s=timeout_ms / 1000,
            doubtful=False,
            asked_again=False,
            begin_anew=lambda: None,
            transactional_id=transactional_id,
        )
        return cast(TransactionalProducer, made)

    def deliver(self) -> bool:
        return asyncio.run(self.delivery.deliver([], {0: 1}, b""))

    def fails(self, code: int, *, after_s: float = 0.0, **of: Any) -> None:
        def commit() -> None:
            self.now_s += after_s
            raise KafkaException(KafkaError(code, "why", **of))

        self.commit = commit


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


@pytest.mark.parametrize(
    "code",
    [
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.STALE_MEMBER_EPOCH,
        KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
    ],
)
def test_what_another_is_to_do_is_read_again_by_the_same_producer(scene: Scene, code: int) -> None:
    scene.fails(code, **NEEDS_ABORT)
    assert not scene.deliver()
    assert scene.made == [FIRST_TIMEOUT_MS] * 2


def test_a_transaction_that_took_too_long_is_begun_anew_with_twice_the_time_up_to_a_bound(scene: Scene) -> None:
    """Seen to fail with a time-out that stays as it is, and with a producer that goes on with its own."""
    for _ in range(4):
        scene.fails(KafkaError._MSG_TIMED_OUT, after_s=60, **NEEDS_ABORT)
        assert not scene.deliver()
    assert scene.made[2:] == [4_000, 8_000, 16_000, LONGEST_TIMEOUT_MS]
    with pytest.raises(DeliveryError, match="_MSG_TIMED_OUT"):
        scene.deliver()


@pytest.mark.parametrize(
    ("code", "of"), [(KafkaError._INCONSISTENT, NEEDS_ABORT), (KafkaError._TRANSPORT, {"retriable": True})]
)
def test_a_network_that_is_down_for_all_of_a_transaction_s_time_ends_no_worker(
    scene: Scene, code: int, of: dict[str, bool]
) -> None:
    """Records that were not sent in time, and a coordinator that nobody reached. Seen to fail with either left out."""
    scene.fails(code, after_s=3, **of)
    assert not scene.deliver()
    assert scene.made[2:] == [2 * FIRST_TIMEOUT_MS]


def test_after_a_minute_without_such_the_first_time_out_holds_again(scene: Scene) -> None:
    """Each producer is made anew when it is its turn. Seen to fail with a time-out that only grows."""
    scene.fails(KafkaError._MSG_TIMED_OUT, after_s=3, **NEEDS_ABORT)
    scene.deliver()
    scene.commit = lambda: None
    assert [scene.deliver() for _ in range(2)] == [True, True]
    assert scene.made == [FIRST_TIMEOUT_MS, FIRST_TIMEOUT_MS, 2 * FIRST_TIMEOUT_MS]
    scene.now_s += 61
    assert [scene.deliver() for _ in range(4)] == [True] * 4
    assert scene.made[3:] == [FIRST_TIMEOUT_MS]


def test_the_longer_the_time_out_the_smaller_the_batches(scene: Scene) -> None:
    """What takes too long is not tried again as large, until a minute was calm. Seen to fail with a share of 1."""
    shares = [scene.delivery.share]
    scene.fails(KafkaError._MSG_TIMED_OUT, after_s=3, **NEEDS_ABORT)
    for _ in range(4):
        scene.deliver()
        shares.append(scene.delivery.share)
    assert shares == [1, 1 / 2, 1 / 4, 1 / 8, 1 / 10]
    scene.commit = lambda: None
    scene.now_s += 61
    scene.deliver()
    assert scene.delivery.share == 1


def test_a_transaction_that_the_broker_ended_for_its_time_is_no_take_over(scene: Scene) -> None:
    """The broker says the same of both. Seen to fail with each such answer taken for another worker's doing."""
    scene.fails(KafkaError._FENCED, after_s=FIRST_TIMEOUT_MS / 1000 + 0.1)
    assert not scene.deliver()
    scene.fails(KafkaError._FENCED, after_s=0.1)
    with pytest.raises(FencedError, match="another worker runs with worker id"):
        scene.deliver()


def test_a_producer_that_asked_again_for_its_epoch_may_be_fenced_by_itself_once(scene: Scene) -> None:
    """What it asked first may arrive last. Seen to fail with such a fence taken for another worker's."""
    scene.delivery._producers[0].asked_again = True
    scene.fails(KafkaError._FENCED, after_s=0.1)
    assert not scene.deliver()
    assert scene.made == [FIRST_TIMEOUT_MS] * 3, "it is made anew"
    with pytest.raises(FencedError, match="another worker runs with worker id"):
        scene.deliver()


@pytest.mark.parametrize("code", [KafkaError.INVALID_PRODUCER_ID_MAPPING, KafkaError.UNKNOWN_PRODUCER_ID])
def test_a_producer_that_the_broker_has_forgotten_is_made_anew(scene: Scene, code: int) -> None:
    """As after days without a transaction. Seen to fail as what ends a worker."""
    scene.fails(code, **NEEDS_ABORT)
    assert not scene.deliver()
    assert scene.made == [FIRST_TIMEOUT_MS] * 3


def test_after_a_connection_that_broke_a_producer_is_made_anew(scene: Scene) -> None:
    """A request may be on its way still. Seen to fail without a look at `doubtful`."""
    scene.delivery._producers[0].doubtful = True
    assert scene.deliver()
    assert len(scene.made) == 3
    assert scene.delivery._turn == 1, "it is the other's turn all the same"


def test_after_a_request_that_may_have_timed_out_a_producer_is_made_anew(scene: Scene) -> None:
    """librdkafka makes it again, and does not tell. Seen to fail with the connections' errors alone."""

    def slow() -> None:
        scene.now_s += FIRST_TIMEOUT_MS / 1000

    scene.commit = slow
    assert scene.deliver()
    assert len(scene.made) == 3


def test_a_topic_that_is_gone_is_named_at_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with a record to such a topic waited for with ever longer time-outs."""

    def missing(*_: object) -> None:
        raise TopicMissingError("edge: topic 'sentiment' does not exist")

    monkeypatch.setattr(module, "require_topics", missing)
    scene.fails(KafkaError._MSG_TIMED_OUT, after_s=3, **NEEDS_ABORT)
    with pytest.raises(EdgewiseError, match="'sentiment' does not exist"):
        scene.deliver()


class Refused:
    """As librdkafka's producer does where the broker refuses a record while offsets are sent."""

    aborted = False
    failed = False

    def begin_transaction(self) -> None:
        if self.failed:
            raise KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE, "sentiment [0]", txn_requires_abort=True))

    def send_offsets_to_transaction(self, offsets: list[TopicPartition], metadata: bytes) -> None:
        self.failed = True
        raise KafkaException(KafkaError(KafkaError._STATE, "Failed to commit offsets", txn_requires_abort=True))

    def abort_transaction(self, _timeout_s: float) -> None:
        self.aborted = True


def test_a_record_refused_while_offsets_are_sent_is_told() -> None:
    """Seen to fail with the error of `send_offsets_to_transaction` taken as it is: read again, without a word why."""
    delivery = Delivery(Cluster(Settings()), cast(Agent, SimpleNamespace(name="edge", source="transcripts")))
    producer = Refused()
    made = SimpleNamespace(client=producer, repeating=lambda call, *arguments: call(*arguments), timeout_s=2.0)
    delivery._producers = [cast(TransactionalProducer, made)]
    with pytest.raises(DeliveryError, match=r"sentiment \[0\] \(MSG_SIZE_TOO_LARGE\)"):
        delivery._transact([], {0: 1}, b"")
    assert producer.aborted


def test_a_transaction_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with a wait without end."""
    monkeypatch.setattr("streams.worker.delivery.STUCK_S", 1)
    delivery = Delivery(Cluster(Settings()), cast(Agent, SimpleNamespace(name="edge")))
    with pytest.raises(DeliveryError, match="edge: a transaction did not end within 1 s"):
        asyncio.run(asyncio.wait_for(delivery._ended(Future()), 30))
    asyncio.run(delivery.close())


def test_a_call_that_never_returns_does_not_keep_the_process() -> None:
    """Seen to fail with an executor's thread, which Python waits for at its end."""
    program = (
        "import threading; from streams.system.threads import DaemonThread; thread = DaemonThread('t');"
        "began = threading.Event(); thread.submit(lambda: (began.set(), threading.Event().wait()));"
        "began.wait(); print(thread.close(0.1))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"


def test_calls_are_made_in_turn_and_tell_what_came_of_them() -> None:
    thread = DaemonThread("calls")
    made: list[int] = []
    futures = [thread.submit(partial(made.append, number)) for number in range(10)]
    failed = thread.submit(lambda: 1 // 0)
    assert thread.close(30)
    assert made == list(range(10))
    assert all(future.result() is None for future in futures)
    with pytest.raises(ZeroDivisionError):
        failed.result()
