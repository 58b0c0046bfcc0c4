"""The chain: which chunks delivery accepts, and when it has positions set back; a transaction that never ends."""

import asyncio
import subprocess
import sys
from concurrent.futures import Future
from functools import partial
from types import SimpleNamespace
from typing import cast

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition
from faust.types import TP

from streams.agents.agent import Agent
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.system.threads import DaemonThread
from streams.worker.delivery import Delivery, DeliveryError, _continuing
from streams.worker.transport import Chunk, Consumer

ZERO, ONE = TP("transcripts", 0), TP("transcripts", 1)


def consumer(committed: dict[TP, int], generation: int = 7, seeks: int = 3) -> Consumer:
    return cast(Consumer, SimpleNamespace(committed=committed, generation=generation, seeks=seeks))


def chunk(partition: TP, start: int, end: int, generation: int = 7, seeks: int = 3) -> Chunk:
    return Chunk(partition, start, end, generation, seeks, [])


def test_chunks_that_continue_each_other_are_accepted() -> None:
    chunks = [chunk(ZERO, 10, 20), chunk(ONE, 5, 6), chunk(ZERO, 20, 25)]
    committed = {ZERO: 10, ONE: 5}
    assert _continuing(chunks, 7, consumer(committed)) == (chunks, False)
    assert committed == {ZERO: 10, ONE: 5}, "nothing is committed yet"


def test_a_chunk_behind_a_gap_is_dropped_and_positions_set_back() -> None:
    first, gap = chunk(ZERO, 10, 20), chunk(ZERO, 21, 30)
    assert _continuing([first, gap], 7, consumer({ZERO: 10})) == ([first], True)


def test_a_chunk_that_was_done_before_is_dropped_and_positions_set_back() -> None:
    assert _continuing([chunk(ZERO, 10, 20)], 7, consumer({ZERO: 20})) == ([], True)


def test_a_chunk_of_a_partition_without_a_position_is_dropped() -> None:
    assert _continuing([chunk(ZERO, 0, 20)], 7, consumer({})) == ([], True)


def test_a_gap_in_one_partition_does_not_stop_another() -> None:
    good, bad = chunk(ONE, 0, 1), chunk(ZERO, 1, 2)
    assert _continuing([bad, good], 7, consumer({ZERO: 0, ONE: 0})) == ([good], True)


def test_chunks_of_an_older_generation_are_dropped_without_a_seek() -> None:
    """The rebalance that ended the generation sets positions itself."""
    old, new = chunk(ZERO, 10, 20, generation=6), chunk(ONE, 0, 1)
    assert _continuing([old, new], 7, consumer({ZERO: 10, ONE: 0})) == ([new], False)


def test_chunks_that_a_rebalance_overtook_keep_their_own_generation_as_token() -> None:
    """Accepted under it, so that the broker, not this worker, decides: it refuses what a zombie commits."""
    old = chunk(ZERO, 10, 20, generation=6)
    assert _continuing([old], 6, consumer({ZERO: 10}, generation=7)) == ([old], False)


def test_what_was_fetched_before_the_last_seek_does_not_cause_another() -> None:
    """Else each seek would leave stale chunks in the buffer, which would cause the next, for ever."""
    stale = chunk(ZERO, 20, 30, seeks=2)
    assert _continuing([stale], 7, consumer({ZERO: 10}, seeks=3)) == ([], False)


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

    def abort_transaction(self) -> None:
        self.aborted = True


def test_a_record_refused_while_offsets_are_sent_is_told() -> None:
    """Seen to fail with the error of `send_offsets_to_transaction` taken as it is: read again, without a word why."""
    delivery = Delivery(Cluster(Settings()), cast(Agent, SimpleNamespace(name="edge", source="transcripts")))
    producer = Refused()
    delivery._producers = [cast(Producer, producer)]
    with pytest.raises(DeliveryError, match=r"sentiment \[0\] \(MSG_SIZE_TOO_LARGE\)"):
        delivery._transact([], {ZERO: 1}, b"")
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
