"""Exactly once: the only place that produces results or commits offsets.

What an agent makes of a batch and the batch's offsets go into one Kafka transaction (KIP-98, KIP-447), fenced by the
consumer group generation that the batch was fetched under. A batch is accepted only where it continues the committed
position of its partition (the chain), so whatever Faust does in a rebalance, nothing is skipped and nothing done twice.

With the embedded broker this is at least once: that broker does not isolate what a killed worker left open.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import stamina
from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition
from faust.types import TP, StreamT

from schemas.errors import EdgewiseError
from streams.agents import metrics
from streams.agents.agent import Agent, KafkaRecord, Output
from streams.kafka.client import FENCED, TRANSACTION_TIMEOUT_MS, Cluster, is_repeatable
from streams.kafka.embedded_lock import exclusive_transactions
from streams.kafka.refusals import AUTHORIZATION, AccessError, explain_refusal
from streams.system.clock import Clock, now_ms
from streams.system.threads import DaemonThread
from streams.worker.transport import Chunk, Consumer, batches

logger = logging.getLogger(__name__)

# What a frozen broker has been asked is asked elsewhere after 6 s, and who leads is looked up every 3 s, so that a
# transaction that such a broker had a part in goes on within its 20 s. librdkafka's defaults are 60 s and 5 minutes.
REQUEST_TIMEOUT_MS = 6_000
METADATA_REFRESH_MS = 3_000

# librdkafka waits while the markers of a producer's last transaction are being written; two in turn do not.
PRODUCERS = 2

# Where the markers take longer than the other producer's transaction, librdkafka asks again after so long; its default
# of 100 ms would be a tenth of a second of standing still. It doubles with every try, up to a second.
RETRY_BACKOFF_MS = 5

# How results are produced: what differs from the cluster's other producers.
PRODUCER_OPTIONS: Mapping[str, object] = {
    # Records go out while the offsets do, not after them. Batches grow all the same: nothing is sent before the
    # transaction's coordinator knows the partitions, a round trip.
    "linger.ms": 0,
    "socket.timeout.ms": REQUEST_TIMEOUT_MS,
    "topic.metadata.refresh.interval.ms": METADATA_REFRESH_MS,
    "retry.backoff.ms": RETRY_BACKOFF_MS,
    # After some tries in a row that were refused librdkafka would wait for 10 s before the next one, and the
    # transaction would be over when the network is back.
    "reconnect.backoff.max.ms": 500,
    # A client that has lost all brokers would forget those that it knows, and begin anew at the bootstrap servers.
    # librdkafka then waits for ever for the group's coordinator, one of the forgotten (its issues 5511 and 5456): a
    # connection that broke for an instant would stop the worker.
    "metadata.recovery.strategy": "none",
}

# init_transactions waits out a predecessor's open transaction (20 s at most) and a coordinator that is loading.
INIT_TIMEOUT_S = 60.0

# A call that failed for a passing reason is repeated for as long; the broker has ended the transaction by then.
RETRY_S = 30.0

# A transaction that has not ended by then never will: the broker aborts it after 20 s, and looks for such ones every
# 10 s. librdkafka, when the group's coordinator goes down at the wrong moment, waits without end for its answer to
# send_offsets_to_transaction, whatever time-out it is given (its issue 5456).
STUCK_S = 40

# On a stop the transaction under way gets so long, beside what `app.py` gives Faust; it takes milliseconds.
CLOSE_S = 2.0

# At most the records of this many full chunks are joined in one transaction: with several partitions a little traffic
# on each is one transaction, not several.
CHUNKS = 4

# Of an agent that does not tick.
_FOREVER_S = 1e9

# The broker refused a batch of a generation that is over (KIP-447): its input is somebody's to read again.
_GENERATION_IS_OVER = (
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.FENCED_INSTANCE_ID,
)
# What a transaction may be aborted for without a restart: its input is read again. An abort drops the records that
# librdkafka has not sent yet, and with them their sequence numbers: the broker then refuses what the producer sends
# next, once, or librdkafka does (`_STATE`). The abort of that gives the producer a new epoch, whose numbers begin at 0.
_READ_AGAIN = (*_GENERATION_IS_OVER, KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, KafkaError._STATE)  # noqa: SLF001

# Each try blocks by itself, so there need be no pause.
_repeating = stamina.retry(on=is_repeatable, timeout=RETRY_S, attempts=None, wait_initial=0.0, wait_jitter=0.02)


class FencedError(EdgewiseError):
    """A transactional producer of this worker was taken over, or its transaction timed out."""


class DeliveryError(EdgewiseError):
    """A transaction failed in a way that only a restart can mend."""


class Delivery:
    """Runs an agent's batches, each in a transaction.

    Raises FencedError, DeliveryError; AccessError where the broker does not let this user do it.
    """

    def __init__(
        self,
        cluster: Cluster,
        agent: Agent,
        clock: Clock = now_ms,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cluster = cluster
        self.settings = cluster.settings
        self.agent = agent
        self._clock = clock
        self._clock_s = clock_s
        self._one_at_a_time = asyncio.Lock()  # a batch, or a tick
        # One thread: a transaction is never begun before the one ahead of it ended.
        self._thread = DaemonThread("delivery")
        self._producers: list[Producer] = []
        self._exclusive: AbstractContextManager[None] = nullcontext()
        self._turn = 0
        self._seeks = 0
        self.batch_since_s: float | None = None  # when the batch under way was begun, by `clock_s`
        self.records = 0  # that were committed
        self._aborts = metrics.TRANSACTION_ABORTS.labels(agent.name)  # from the start, so that a first abort shows

    def start(self) -> None:
        """Makes the transactional producers, which aborts what a predecessor of this worker left open."""
        self._exclusive = exclusive_transactions(self.cluster)
        transactional_id = self.settings.transactional_id(self.agent.name)
        for i in range(PRODUCERS):
            producer = self.cluster.producer(PRODUCER_OPTIONS, transactional_id=f"{transactional_id}-{i}")
            try:
                _repeating(producer.init_transactions)(INIT_TIMEOUT_S)
            except KafkaException as exception:
                raise self._plain(exception.args[0]) from exception
            self._producers.append(producer)

    async def run(self, stream: StreamT[Chunk], consumer: Callable[[], Consumer]) -> None:
        """Consumes `stream` until the worker stops."""
        async for chunks in batches(stream, CHUNKS, self.agent.gather_s):
            async with self._one_at_a_time:
                self.batch_since_s = self._clock_s()
                await self._batch(consumer(), chunks)
                self.batch_since_s = None

    async def tick(self, consumer: Callable[[], Consumer]) -> None:
        """Asks the agent at its intervals, while this worker has partitions, until it is cancelled."""
        while True:
            await asyncio.sleep(self.agent.tick_s or _FOREVER_S)
            async with self._one_at_a_time:
                partitions = consumer().committed
                outputs = await self.agent.tick(self._clock()) if partitions else ()
                if outputs and not await self._ended(self._thread.submit(partial(self._transact, outputs, {}, b""))):
                    self._set_back(partitions)

    async def close(self) -> None:
        """Waits a little for the transaction under way; what does not end, the broker aborts."""
        await asyncio.to_thread(self._thread.close, CLOSE_S)

    async def _batch(self, consumer: Consumer, chunks: list[Chunk]) -> None:
        generation = chunks[-1].generation
        accepted, broken = _continuing(chunks, generation, consumer)
        if accepted:
            if consumer.seeks != self._seeks:
                self._seeks = consumer.seeks
                self._set_back(consumer.committed)
            records = [record for chunk in accepted for record in chunk.records]
            ends = {chunk.partition: chunk.end for chunk in accepted}
            if await self._is_done(records, ends, consumer, generation):
                # After a seek the positions are those it read from the broker, newer than these.
                if consumer.seeks == self._seeks:
                    consumer.committed.update(ends)
                metrics.BATCH_RECORDS.labels(self.agent.name).observe(len(records))
                self.records += len(records)
            else:
                broken = True
                self._set_back(consumer.committed)
        if broken and consumer.flow_active:
            await consumer.perform_seek()

    async def _is_done(
        self, records: Sequence[KafkaRecord], ends: dict[TP, int], consumer: Consumer, generation: int
    ) -> bool:
        """Has the agent do `records`; whether that was committed."""
        claims = await self.agent.prepare(records)
        if claims and not await self._ended(self._thread.submit(partial(self._transact, claims, {}, b""))):
            return False
        outputs = await self.agent.process(records)
        metadata = consumer.group_metadata(generation)
        return await self._ended(self._thread.submit(partial(self._transact, outputs, ends, metadata)))

    def _set_back(self, partitions: Iterable[TP]) -> None:
        self.agent.positions_set_back({tp.partition for tp in partitions})

    async def _ended(self, transaction: Future[bool]) -> bool:
        """What `_transact` returns, or raises. Raises DeliveryError when it does neither."""
        waited = asyncio.wrap_future(transaction)
        try:
            for _ in range(STUCK_S):  # seconds that this process has lived through: one that was frozen waits no less
                await asyncio.wait({waited}, timeout=1)
                if waited.done():
                    return waited.result()
        except asyncio.CancelledError:
            waited.cancel()
            raise
        waited.cancel()  # what it may still raise is no news
        raise DeliveryError(
            f"{self.agent.name}: a transaction did not end within {STUCK_S} s and the worker must start again: "
            "no broker answers, or its answer was missed while it restarted"
        )

    def _transact(self, outputs: Sequence[Output], ends: dict[TP, int], metadata: bytes) -> bool:
        """One transaction. False: it was aborted, and its input must be read again."""
        with self._exclusive:
            return self._transact_alone(outputs, ends, metadata)

    def _transact_alone(self, outputs: Sequence[Output], ends: dict[TP, int], metadata: bytes) -> bool:
        producer = self._producers[self._turn]
        begun = self._clock_s()
        try:
            producer.begin_transaction()
            for output in outputs:
                self._produce(producer, output)
            if ends:  # a tick has read nothing
                offsets = [TopicPartition(tp.topic, tp.partition, end) for tp, end in ends.items()]
                _repeating(producer.send_offsets_to_transaction)(offsets, metadata)
            _repeating(producer.commit_transaction)()
        except KafkaException as exception:
            error = _cause(producer, exception.args[0])
            if not error.txn_requires_abort():
                raise self._plain(error) from exception
            self._abort(producer, error)
            self._aborts.inc()
            if error.code() not in _READ_AGAIN:
                raise self._plain(error) from exception
            logger.warning("%s: transaction aborted, its input is read again: %s", self.agent.name, error.str())
            return False
        self._turn = (self._turn + 1) % PRODUCERS
        metrics.TRANSACTION_SECONDS.labels(self.agent.name).observe(self._clock_s() - begun)
        return True

    def _produce(self, producer: Producer, output: Output) -> None:
        while True:
            try:
                producer.produce(output.topic, output.value, output.key, headers=list(output.headers))
            except BufferError:
                producer.poll(0.1)  # the queue is full: wait until something was delivered
            else:
                return

    def _abort(self, producer: Producer, cause: KafkaError) -> None:
        try:
            _repeating(producer.abort_transaction)()
        except KafkaException as exception:
            # The broker was quicker, as after 20 s without an answer from a topic: what went wrong first tells more.
            first = exception.args[0] if cause.code() in _GENERATION_IS_OVER else cause
            raise self._plain(first) from exception

    def _plain(self, error: KafkaError) -> EdgewiseError:
        if error.code() in FENCED:
            return FencedError(
                f"{self.agent.name}: transactions were taken over: another worker runs with worker id "
                f"{self.settings.worker_id!r} (give each an EDGEWISE_WORKER_ID of its own), or a batch took longer "
                f"than {TRANSACTION_TIMEOUT_MS / 1000:g} s: this one stood still, or the brokers are slow (then lower "
                "EDGEWISE_CHUNK_RECORDS)"
            )
        if error.code() in AUTHORIZATION:
            needs = {
                KafkaError.GROUP_AUTHORIZATION_FAILED: f"READ on group {self.settings.group(self.agent.name)}",
                KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "WRITE on transactional ids that begin with "
                + self.settings.transactional_id(self.agent.name),
            }.get(error.code(), f"READ on topic {self.agent.source} and WRITE on those that the agent publishes to")
            return AccessError(f"{self.agent.name}: {explain_refusal(self.settings, error, needs)}")
        too_large = error.code() == KafkaError.MSG_SIZE_TOO_LARGE
        advice = ". Nothing was committed: raise that topic's max.message.bytes" if too_large else ""
        return DeliveryError(
            f"{self.agent.name}: a transaction failed and the worker must start again: "
            f"{error.str()} ({error.name()}){advice}"
        )


def _cause(producer: Producer, error: KafkaError) -> KafkaError:
    """What failed the transaction, where `error` says only that it has failed.

    A record that the broker refuses shows in the call under way, or the next one, as a wrong state: without a reason in
    `produce`, and while offsets are sent as if those were to blame. To begin tells what came first, and could commit
    nothing.
    """
    if error.code() == KafkaError._STATE:  # noqa: SLF001
        try:
            producer.begin_transaction()
        except KafkaException as exception:
            cause: KafkaError = exception.args[0]
            return cause
    return error


def _continuing(chunks: list[Chunk], generation: int, consumer: Consumer) -> tuple[list[Chunk], bool]:
    """The chunks that continue what is committed, and whether positions must be set back for one that does not.

    What was fetched under a generation that is over, or before the last seek, is dropped without another seek: the one
    that followed it reads it again.
    """
    positions = dict(consumer.committed)
    accepted, broken = [], False
    for chunk in chunks:
        if chunk.generation == generation and chunk.start == positions.get(chunk.partition):
            positions[chunk.partition] = chunk.end
            accepted.append(chunk)
        elif chunk.generation == consumer.generation and chunk.seeks == consumer.seeks:
            broken = True
    return accepted, broken
