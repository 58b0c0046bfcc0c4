"""Chunks, their labels, and the metadata that fences them."""

import asyncio
import importlib.metadata
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import confluent_kafka
import pytest
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError
from aiokafka.structs import ConsumerRecord, TopicPartition
from faust.transport.consumer import IntervalTree  # type: ignore[attr-defined]
from faust.types import TP

from streams.agents.agent import KafkaRecord
from streams.worker.transport import (
    NOWHERE,
    Chunk,
    Consumer,
    Transport,
    UntestedVersionError,
    batches,
    group_metadata,
)

ZERO = TP("transcripts", 0)


def records(offsets: Sequence[int]) -> list[KafkaRecord]:
    return [
        cast(KafkaRecord, ConsumerRecord("transcripts", 0, offset, 0, 0, None, b"", None, 0, 0, ()))
        for offset in offsets
    ]


@pytest.fixture
def consumer() -> Consumer:
    consumer = object.__new__(Consumer)  # without a broker, an app and a thread: only the labels are at stake
    consumer.chunk_records = 3
    consumer.seeks = 0
    consumer._fetched = {}
    return consumer


def spans(consumer: Consumer, offsets: Sequence[int]) -> list[tuple[int, int, int]]:
    return [(c.start, c.end, len(c.records)) for c in consumer._chunks(ZERO, records(offsets), 1)]


def test_a_fetch_is_cut_into_chunks_that_continue_each_other(consumer: Consumer) -> None:
    consumer._fetched[ZERO] = 10
    assert spans(consumer, range(10, 18)) == [(10, 13, 3), (13, 16, 3), (16, 18, 2)]
    assert spans(consumer, [18]) == [(18, 19, 1)]


def test_offsets_with_gaps_still_continue(consumer: Consumer) -> None:
    """Transaction markers and compaction leave gaps: a run starts where the one before it ended."""
    consumer._fetched[ZERO] = 10
    assert spans(consumer, [12, 13, 17, 20]) == [(10, 18, 3), (18, 21, 1)]


def test_a_fetch_from_before_the_known_position_is_labelled_as_what_it_is(consumer: Consumer) -> None:
    consumer._fetched[ZERO] = 100
    assert spans(consumer, [40, 41]) == [(40, 42, 2)]


class FailingThread:
    """A consumer thread whose next fetch fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def getmany(self, *_: object) -> dict[TP, list[KafkaRecord]]:
        raise self._error


def fetched(consumer: Consumer, error: Exception, monkeypatch: pytest.MonkeyPatch) -> dict[TP, list[Chunk]]:
    monkeypatch.setattr(consumer, "_thread", FailingThread(error), raising=False)
    monkeypatch.setattr(consumer, "app", SimpleNamespace(consumer_generation_id=7), raising=False)
    monkeypatch.setattr(consumer, "_fetch_or_seek", asyncio.Lock(), raising=False)
    return asyncio.run(consumer._getmany({ZERO}, 1.0))


def test_records_that_are_gone_leave_a_chunk_that_continues_nothing(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes the way of all chunks, behind what was fetched before. Seen to fail with the error let through."""
    consumer._fetched[ZERO] = 10
    (chunk,) = fetched(consumer, OffsetOutOfRangeError({TopicPartition(*ZERO): 12}), monkeypatch)[ZERO]
    assert chunk == Chunk(ZERO, NOWHERE, 12, 7, 0, [])
    message = consumer._to_message(ZERO, chunk)
    assert cast(object, message.value) is chunk
    assert message.offset == 12  # what Faust has read up to: a lower one it would drop


def test_an_error_from_before_a_seek_is_none(consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with each error answered by a chunk: positions were set back a second time."""
    consumer._fetched[ZERO] = 500
    assert fetched(consumer, OffsetOutOfRangeError({TopicPartition(*ZERO): 12}), monkeypatch) == {}
    assert fetched(consumer, NoOffsetForPartitionError(ZERO), monkeypatch) == {}


def test_group_metadata_is_laid_out_as_librdkafka_does() -> None:
    peer = confluent_kafka.Consumer({"bootstrap.servers": "127.0.0.1:1", "group.id": "edgewise-edge", "log_level": 0})
    try:
        assert group_metadata("edgewise-edge", -1, "") == peer.consumer_group_metadata()
    finally:
        peer.close()


def test_group_metadata_holds_generation_and_member() -> None:
    assert group_metadata("g", 258, "m-1") == b"CGMDv2:\x02\x01\x00\x00g\x00m-1\x00\x01"


def test_an_untested_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    transport = object.__new__(Transport)
    transport.check_versions()
    monkeypatch.setattr("streams.worker.transport.version", lambda _package: "99.0")
    with pytest.raises(UntestedVersionError, match=r"aiokafka 99\.0 is installed.*0\.14\.0"):
        transport.check_versions()
    assert importlib.metadata.version("aiokafka") == "0.14.0"


def test_a_full_buffer_does_not_stop_the_fetching(consumer: Consumer) -> None:
    """Faust would take the partition out, and with none left sleep for a second."""
    consumer._active_partitions = {ZERO}
    consumer.on_buffer_full(ZERO)
    assert consumer._active_partitions == {ZERO}


class FakeStream:
    """Two events of Faust: what `batches` needs of a stream."""

    def __init__(self, sizes: Sequence[int], waiting: int) -> None:
        chunks = [Chunk(ZERO, 0, size, 1, 0, records(range(size))) for size in sizes]
        self._events = [SimpleNamespace(value=chunk) for chunk in chunks]
        self.channel = SimpleNamespace(queue=asyncio.Queue[SimpleNamespace]())
        for event in self._events[len(sizes) - waiting :]:
            self.channel.queue.put_nowait(event)
        self._events = self._events[: len(sizes) - waiting]
        self.app = SimpleNamespace(transport=SimpleNamespace(chunk_records=10))
        self.acked: list[int] = []

    def noack(self) -> "FakeStream":
        return self

    async def events(self) -> AsyncIterator[SimpleNamespace]:
        for event in self._events:
            yield event

    async def ack(self, event: SimpleNamespace) -> None:
        self.acked.append(event.value.end)


def taken(stream: FakeStream, gather_s: float, monkeypatch: pytest.MonkeyPatch) -> tuple[list[list[int]], list[float]]:
    """The sizes of the chunks of each batch, and the pauses."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async def take() -> list[list[int]]:
        return [[chunk.end for chunk in batch] async for batch in batches(cast(Any, stream), 3, gather_s)]

    monkeypatch.setattr("streams.worker.transport.asyncio.sleep", pause)
    return asyncio.run(take()), pauses


def test_what_waits_is_joined_however_many_chunks_it_came_in_and_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with a bound of three chunks instead of their records."""
    stream = FakeStream([1, 2, 3, 4, 5], waiting=3)
    assert taken(stream, 0.0, monkeypatch) == ([[1, 3, 4, 5], [2]], [])
    assert stream.acked == [1, 3, 4, 5, 2]


def test_a_batch_is_never_larger_than_three_full_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with `most` for `most - 1`."""
    stream = FakeStream([10, 7, 10, 1, 10, 10], waiting=4)
    assert taken(stream, 0.0, monkeypatch) == ([[10, 10, 1], [7, 10, 10]], [])


def test_a_pause_follows_a_small_batch_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert taken(FakeStream([3], waiting=0), 0.5, monkeypatch) == ([[3]], [0.5])
    assert taken(FakeStream([6, 6], waiting=1), 0.5, monkeypatch) == ([[6, 6]], [])


def test_nothing_is_kept_of_what_is_done(consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker's memory does not grow with the records that it has done.

    Seen to fail without `Consumer.ack`, and without `Consumer._add_gap`, of our own.
    """
    attributes = (
        ("_acked", list),
        ("_acked_index", set),
        ("_gap", IntervalTree),
        ("_committed_offset", lambda: None),
    )
    for name, kind in attributes:  # as Faust's own __init__ makes them
        setattr(consumer, name, defaultdict(kind))
    consumer._unacked_messages = set()
    consumer._waiting_for_ack = None
    monkeypatch.setattr(
        consumer, "app", SimpleNamespace(topics=SimpleNamespace(acks_enabled_for=lambda _: True)), raising=False
    )

    async def consume() -> None:
        for start in range(0, 9_000, 3):
            [chunk] = consumer._chunks(ZERO, records(range(start, start + 3)), 1)
            message = consumer._to_message(ZERO, chunk)
            await consumer._add_gap(ZERO, start, message.offset)
            consumer._unacked_messages.add(message)
            assert consumer.ack(message)
            if start % 300 == 0:
                consumer._new_offset(ZERO)  # what Faust's commit, every few seconds, begins with

    asyncio.run(consume())

    kept = len(consumer._unacked_messages) + sum(len(consumer._acked[tp]) + len(consumer._gap[tp]) for tp in [ZERO])
    assert kept == 0


@pytest.mark.timeout(30)
def test_to_set_positions_back_gives_way_to_a_rebalance(consumer: Consumer) -> None:
    """Seen to fail with the lock waited for without end: a fetch holds it until partitions are assigned."""

    async def run() -> tuple[Mapping[TP, int], bool]:
        consumer._fetch_or_seek = asyncio.Lock()
        await consumer._fetch_or_seek.acquire()
        asking = asyncio.create_task(consumer.seek_to_committed())
        await asyncio.sleep(0)
        consumer.flow_active = False
        return await asking, consumer._fetch_or_seek.locked()

    assert asyncio.run(run()) == ({}, True)
    assert consumer.seeks == 0
