"""Faust's Kafka transport, bent to exactly-once delivery: the only file that touches Faust's internals.

What it changes:

- **Chunks.** One Faust message carries a run of consecutive records of one partition, so that Faust's cost, 140 µs a
  message, is paid once per run. The run is labelled with the position that it was fetched from.
- **A fencing token.** A chunk bears the consumer group generation that its fetch began under. Read at commit time
  instead, a worker that was frozen through a rebalance would pass for a current member.
- **Fetches and seeks never overlap**, so that a chunk's label is true.
- **Stable seeks.** A partition starts where the last *finished* transaction left it: aiokafka does not wait for pending
  ones, librdkafka does (KIP-447, `require_stable`).
- **Faust never commits**, nor keeps what it might commit. The transaction has done it; a later commit could move the
  offsets back.
- **Only committed records are read** (`isolation.level=read_committed`).
- **Nothing is skipped in silence.** aiokafka would go on at the oldest record where retention has passed the worker by;
  here positions are set back, which reports what is missing.

`delivery.py` holds the other half: it accepts a chunk only if its label continues what was committed.
"""

import asyncio
import contextlib
import logging
import struct
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from importlib.metadata import version
from typing import NamedTuple, cast

import stamina
from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError
from confluent_kafka import KafkaException, TopicPartition
from faust.streams import Stream
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ChannelT, ConsumerMessage, Message, StreamT
from mode.utils.futures import notify

from schemas.errors import UsageError
from streams.agents import metrics
from streams.agents.agent import KafkaRecord
from streams.kafka.client import Cluster, is_transient
from streams.kafka.reader import require_in_log
from streams.system.threads import DaemonThread

logger = logging.getLogger(__name__)

TESTED_VERSIONS = {"aiokafka": "0.14.0", "faust-streaming": "0.15.3", "mode-streaming": "0.7.1"}

# A fetch that finds nothing holds the lock for this long at most, and a seek, in a rebalance, waits for it. Five empty
# fetches a second cost nothing measurable; Faust's own 1 s would stand in the way of every rebalance.
FETCH_WAIT_S = 0.2

# The embedded broker answers a fetch that found nothing at first only after half of this, even when records came: at
# aiokafka's 500 ms every hop would take 125 ms on average. Kafka answers at once when something comes; twenty empty
# fetches a second cost it nothing measurable.
FETCH_MAX_WAIT_MS = 50

# What a frozen broker has been asked is asked elsewhere after 15 s: others lead in its place after 9. Joining a group
# is a request, too, and waits for its other members, whose sessions are 6 s.
REQUEST_TIMEOUT_MS = 15_000

# New partitions are found when the topic's metadata is asked for again: their events would lie there for aiokafka's
# five minutes. A request of some hundred bytes every five seconds costs nothing measurable.
METADATA_MAX_AGE_MS = 5_000

# A worker waits this long for the offsets of transactions that are still pending. They end within the transaction
# timeout (20 s); the rest is for a coordinator that is itself moving.
STABLE_OFFSETS_TIMEOUT_S = 60.0

_patiently = stamina.RetryingCaller(attempts=None, timeout=STABLE_OFFSETS_TIMEOUT_S).on(is_transient)

# The start of a chunk that continues nothing.
NOWHERE = -1


class UntestedVersionError(UsageError):
    """A library whose internals this file relies on has another version than the tested one."""


class Chunk(NamedTuple):
    """A run of records of one partition, in order, fetched from position `start`.

    One without records, from `NOWHERE`, stands where the next records are gone: when what was fetched before it is
    done, positions must be set back.
    """

    partition: TP
    start: int
    end: int  # the position behind it
    generation: int  # of the consumer group, as the fetch began
    seeks: int  # how often positions had been set back by then
    records: list[KafkaRecord]


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread that aiokafka's consumer lives in."""

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        conf = self.app.conf
        self._assignor = RoundRobinPartitionAssignor
        return AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="none",  # positions are always given, see `seek_to_committed`
            isolation_level="read_committed",
            max_poll_records=conf.broker_max_poll_records,
            fetch_max_wait_ms=FETCH_MAX_WAIT_MS,
            metadata_max_age_ms=METADATA_MAX_AGE_MS,
            max_poll_interval_ms=int(conf.broker_max_poll_interval * 1000),
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            **driver.credentials_to_aiokafka_auth(conf.broker_credentials),
        )

    async def on_thread_stop(self) -> None:
        """Stops aiokafka's consumer. Where no broker answers, a fetch that waits for one comes out as cancelled."""
        with contextlib.suppress(asyncio.CancelledError):
            await super().on_thread_stop()

    def set_shutdown(self) -> None:
        """Tells the app that the thread has ended, unless the app waited in vain and is gone."""
        with contextlib.suppress(RuntimeError):
            super().set_shutdown()

    async def seek_all(self, offsets: Mapping[TP, int]) -> None:
        """Seek, in the thread that owns the consumer, what is still assigned."""
        await self.call_thread(self._seek_all, offsets)

    async def _seek_all(self, offsets: Mapping[TP, int]) -> None:
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        for tp, offset in offsets.items():
            if tp in assigned:
                consumer.seek(tp, offset)


class Consumer(driver.Consumer):
    """Faust's consumer, giving chunks; `committed` and `seeks` are what `Delivery` goes by."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.cluster = cast(Transport, self.transport).cluster
        self.chunk_records = cast(Transport, self.transport).chunk_records
        self.committed: dict[TP, int] = {}  # position of each partition as of its last commit or seek
        self.seeks = 0  # how often positions were set back to the committed ones
        self._fetched: dict[TP, int] = {}  # position of each partition behind the last chunk
        self._fetch_or_seek = asyncio.Lock()

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def on_buffer_full(self, tp: TP) -> None:
        """Does nothing: Faust would stop fetching `tp`, and with all partitions stopped it sleeps for a second.

        The stream's queue is bounded all the same: what does not fit waits in front of it, and so does the next fetch.
        """

    def ack(self, message: Message) -> bool:
        """Notes that a chunk is done; Faust would keep its offset for a commit."""
        done: bool = not message.acked
        message.acked = True
        self._unacked_messages.discard(message)
        notify(self._waiting_for_ack)
        return done

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Does nothing: to Faust a chunk of several records is a message behind a gap, and it would keep all of them.

        That is 40 bytes a record until the next rebalance, sorted anew at each of its commits.
        """

    @property
    def generation(self) -> int:
        """The consumer group generation that this worker is in."""
        generation: int = self.app.consumer_generation_id
        return generation

    def group_metadata(self, generation: int) -> bytes:
        """This member's, in `generation`: what `send_offsets_to_transaction` fences a batch by."""
        member: str = self._thread._ensure_consumer()._coordinator.member_id
        return group_metadata(self.app.conf.id, generation, member)

    def lag(self, tp: TP) -> int:
        """Records of `tp` that are committed to the topic and not yet by this group; 0 while it is unknown.

        The markers that end transactions take offsets too: when all was fetched and what was fetched is done, there
        is no lag, whatever the offsets say.
        """
        try:
            consumer = self._thread._ensure_consumer()
            state = consumer._subscription.subscription.assignment.state_value(tp)
            end, position = state.lso, state.position
        except (AttributeError, AssertionError):  # before the first assignment
            return 0
        done = self.committed.get(tp)
        if end is None or done is None or (position >= end and done == self._fetched.get(tp)):
            return 0
        return max(0, int(end) - done)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> dict[TP, list[Chunk]]:
        async with self._fetch_or_seek:
            generation = self.app.consumer_generation_id
            try:
                fetched = await self._thread.getmany(active_partitions, min(timeout, FETCH_WAIT_S))
            except OffsetOutOfRangeError as error:
                # Where a seek has moved the position since, the error is about the one before.
                gone = {TP(*tp): at for tp, at in error.args[0].items() if at >= self._fetched.get(TP(*tp), 0)}
                return {tp: [Chunk(tp, NOWHERE, at, generation, self.seeks, [])] for tp, at in gone.items()}
            except NoOffsetForPartitionError:
                return {}  # from before the seek that gives a new partition its position
            return {tp: list(self._chunks(tp, records, generation)) for tp, records in fetched.items()}

    def _chunks(self, tp: TP, records: list[KafkaRecord], generation: int) -> Iterator[Chunk]:
        for i in range(0, len(records), self.chunk_records):
            run = records[i : i + self.chunk_records]
            # Offsets have gaps (transaction markers, compaction), so a run starts where the one before it ended.
            start = min(self._fetched.get(tp, run[0].offset), run[0].offset)
            self._fetched[tp] = run[-1].offset + 1
            yield Chunk(tp, start, run[-1].offset + 1, generation, self.seeks, run)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:
        """Chunks as Faust messages, as long as no rebalance is under way."""
        fetched, _ = await self._wait_next_records(timeout)
        for tp, chunks in (fetched or {}).items():
            for chunk in chunks:
                if not self.flow_active or self.should_stop:
                    return  # a rebalance has begun; the seek that ends it reads these again
                yield tp, self._to_message(tp, chunk)

    def _to_message(self, tp: TP, record: Chunk) -> ConsumerMessage:
        last = record.records[-1] if record.records else None
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=record.end if last is None else last.offset,
            timestamp=0.0 if last is None else last.timestamp / 1000,
            timestamp_type=0,
            headers=[],
            key=None,
            value=cast(bytes, record),  # for Faust opaque: the topic is raw
            checksum=None,
            tp=tp,
            generation_id=record.generation,
        )

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Set every assigned partition back to where the group's last finished transaction left it; returns where.

        A rebalance does that at its end: where one begins first, this gives way and returns nothing. For it waits for
        a fetch, the fetch for the rebalance, and the rebalance for the batch that may have asked for this.
        """
        in_flow = self.flow_active
        while True:
            try:
                await asyncio.wait_for(self._fetch_or_seek.acquire(), FETCH_WAIT_S)
                break
            except TimeoutError:
                if in_flow and not self.flow_active:
                    return {}
        try:
            assigned = sorted(self.assignment())
            # Not in an executor's thread: a worker that is told to stop would wait for another's open transaction.
            thread = DaemonThread("offsets")
            asked = thread.submit(partial(stable_offsets, self.cluster, self.app.conf.id, assigned, self.committed))
            thread.close(0.0)  # it ends with the call
            offsets = await asyncio.wrap_future(asked)
            await cast(ConsumerThread, self._thread).seek_all(offsets)
            self._fetched = dict(offsets)
            self.committed = dict(offsets)
            self.seeks += 1
            return offsets
        finally:
            self._fetch_or_seek.release()


def group_metadata(group: str, generation: int, member: str) -> bytes:
    """Consumer group metadata as confluent-kafka hands it around.

    librdkafka makes it from a consumer of its own and has no call to make it for another's, so it is put together here
    as its rd_kafka_consumer_group_metadata_write lays it out: magic and version, generation (int32, little endian),
    group and member, each ended by NUL, then 1 for no static membership.
    """
    return b"CGMDv2:" + struct.pack("<i", generation) + f"{group}\0{member}\0".encode() + b"\x01"


def stable_offsets(
    cluster: Cluster, group: str, partitions: list[TP], known: Mapping[TP, int] | None = None
) -> dict[TP, int]:
    """Where `group` goes on in each partition: after the last finished transaction, else at the oldest record.

    Records that retention removed before they were read are counted, and logged as an error. `known` are positions that
    the caller had: where nothing is committed yet, records are missing from there, and what was reported before is not
    reported again.

    Raises KafkaException when pending transactions do not end, or a coordinator or leader is not found, in time;
    OffsetBeyondEndError when an offset is committed that the partition does not reach; what asking for its end raises.
    """
    if not partitions:
        return {}
    consumer = cluster.assigned_consumer(group=group)
    try:
        asked = [TopicPartition(tp.topic, tp.partition) for tp in partitions]
        found = _patiently(consumer.committed, asked, timeout=STABLE_OFFSETS_TIMEOUT_S)
        offsets = {}
        for partition in found:
            if partition.error is not None:
                raise KafkaException(partition.error)
            oldest, end = _patiently(consumer.get_watermark_offsets, partition, timeout=STABLE_OFFSETS_TIMEOUT_S)
            tp = TP(partition.topic, partition.partition)
            if partition.offset > end:  # the embedded broker's answer can be too low: this looks again, by a fetch
                topic = tp.topic.removeprefix(cluster.settings.topic_prefix)
                require_in_log(cluster, topic, group, {tp.partition: partition.offset})
            position = max(partition.offset, (known or {}).get(tp, -1))
            skipped = max(0, oldest - position) if position >= 0 else 0
            metrics.SKIPPED_RECORDS.labels(tp.topic).inc(skipped)  # 0, too, so that the first is a rise
            if skipped:
                logger.error(
                    "%s[%d]: retention deleted records %d to %d before group %s read them",
                    tp.topic, tp.partition, position, oldest - 1, group,
                )  # fmt: skip
            offsets[tp] = max(partition.offset, oldest)
        return offsets
    finally:
        consumer.close()


async def batches(stream: StreamT[Chunk], most: int, gather_s: float) -> AsyncIterator[list[Chunk]]:
    """Chunks as they come, up to `most` full ones' records together; acknowledged once the caller asks for the next.

    What came in meanwhile is joined, by records and not by chunks: when a transaction takes long, a chunk or four come
    for every few records, and to take only so many would leave a queue standing. With `gather_s` there is such a pause
    after a batch of fewer records than a full chunk.
    """
    chunk_records = cast(Transport, stream.app.transport).chunk_records
    async for first in cast(Stream[Chunk], stream).noack().events():
        events, records = [first], len(cast(Chunk, first.value).records)
        waiting = cast(ChannelT[Chunk], stream.channel).queue
        while records <= (most - 1) * chunk_records and not waiting.empty():  # one more fits, even a full one
            events.append(waiting.get_nowait())
            records += len(cast(Chunk, events[-1].value).records)
        yield [cast(Chunk, event.value) for event in events]
        for event in events:
            await stream.ack(event)
        if gather_s and records < chunk_records:
            await asyncio.sleep(gather_s)


class Transport(driver.Transport):
    """Set as `app.transport` before the app starts."""

    Consumer = Consumer

    def __init__(self, *args: object, cluster: Cluster, chunk_records: int) -> None:
        """`args` are Faust's; a chunk holds at most `chunk_records` records."""
        super().__init__(*args)
        self.cluster = cluster
        self.chunk_records = chunk_records

    def check_versions(self) -> None:
        """Raises `UntestedVersionError` unless the libraries are those that this file was tested with."""
        for package, tested in TESTED_VERSIONS.items():
            if (installed := version(package)) != tested:
                raise UntestedVersionError(
                    f"{package} {installed} is installed; Edgewise's delivery is tested with {tested}: install that"
                )
