"""Exactly once: the only place that produces results or commits offsets.

What an agent makes of a batch and the batch's offsets go into one Kafka transaction (KIP-98, KIP-447), fenced by the
metadata that this member of the consumer group had when it fetched the batch.

With the embedded broker this is at least once: that broker does not isolate what a killed worker left open.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from schemas.errors import EdgewiseError
from streams.agents import metrics
from streams.agents.agent import Agent, Output
from streams.kafka.client import FENCED, Cluster
from streams.kafka.embedded_lock import exclusive_transactions
from streams.kafka.refusals import AUTHORIZATION, AccessError, explain_refusal
from streams.system.threads import DaemonThread
from streams.worker.access import TopicMissingError, require_topics
from streams.worker.producer import TransactionalProducer

logger = logging.getLogger(__name__)

# librdkafka waits while the markers of a producer's last transaction are being written; two in turn do not.
PRODUCERS = 2

# The broker ends a transaction that takes longer, when it next looks for such, every 10 s: for so long in all a reader
# waits behind one that a killed worker left open. A transaction takes milliseconds. One that takes longer, for a broker
# died or the network is slow, is begun anew with twice the time, up to 20 s: those outlast a broker's session (9 s) and
# a controller's that died with it. Its batch may have been too much, so batches are half as large each time. After a
# minute without such the first time-out and full batches hold again.
FIRST_TIMEOUT_MS = 2_000
LONGEST_TIMEOUT_MS = 20_000
CALM_S = 60.0

# A transaction that has not ended by then never will. librdkafka, when the group's coordinator goes down at the wrong
# moment, waits without end for its answer to send_offsets_to_transaction, whatever time-out it is given (its issue
# 5456).
STUCK_S = 45

# A broker that answers ends a transaction within milliseconds.
ABORT_S = 1.0

# On a stop the call under way gets so long; what does not end, the broker aborts.
CLOSE_S = 0.2

# The broker refused a batch of a member that is none, or no longer in that generation: its input is somebody's to read.
_GENERATION_IS_OVER = (
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.FENCED_INSTANCE_ID,
    KafkaError.FENCED_MEMBER_EPOCH,
    KafkaError.STALE_MEMBER_EPOCH,
)
# What passes by itself. The rest of what fails a transaction only a restart can mend, or a person. librdkafka's own
# codes are public all the same.
_READ_AGAIN = (
    *_GENERATION_IS_OVER,
    KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
    KafkaError.NOT_ENOUGH_REPLICAS,
    KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    KafkaError._STATE,  # noqa: SLF001
)
# The broker has forgotten a producer that was silent for days (transactional.id.expiration.ms), or what it wrote.
_FORGOTTEN = (KafkaError.INVALID_PRODUCER_ID_MAPPING, KafkaError.UNKNOWN_PRODUCER_ID)
_SAYS_NOT_WHY = (KafkaError._STATE, KafkaError._FATAL)  # noqa: SLF001
# The last is said of records that were not sent in their time; why a broker refused one it would say itself.
_TOO_LATE = (
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError._MSG_TIMED_OUT,  # noqa: SLF001
    KafkaError._TIMED_OUT,  # noqa: SLF001
    KafkaError._INCONSISTENT,  # noqa: SLF001
)


class FencedError(EdgewiseError):
    """A transactional producer of this worker was taken over by another worker."""


class DeliveryError(EdgewiseError):
    """A transaction failed in a way that only a restart can mend."""


class Delivery:
    """Puts what an agent makes of batches into transactions, one after another.

    librdkafka's calls block, one of them without regard for its time-out, so that they are made in a thread of their
    own: the event loop sees a stop signal all the while. What an agent makes is never made before they have ended.
    """

    def __init__(self, cluster: Cluster, agent: Agent, clock_s: Callable[[], float] = time.monotonic) -> None:
        self.cluster = cluster
        self.settings = cluster.settings
        self.agent = agent
        self._clock_s = clock_s
        self._thread = DaemonThread("delivery")
        self._producers: list[TransactionalProducer] = []
        self._exclusive: AbstractContextManager[None] = nullcontext()
        self._turn = 0
        self._timeout_ms = FIRST_TIMEOUT_MS
        self._too_late_s = 0.0  # when a transaction last took too long, by `clock_s`
        self._aborts = metrics.TRANSACTION_ABORTS.labels(agent.name)  # from the start, so that a first abort shows

    @property
    def share(self) -> float:
        """How much of a full batch to put into the next transaction: less than 1 after some that took too long."""
        return FIRST_TIMEOUT_MS / self._timeout_ms

    def start(self) -> None:
        """Makes the transactional producers, which aborts what a predecessor of this worker left open.

        Raises AccessError: the broker does not let this user; DeliveryError.
        """
        self._exclusive = exclusive_transactions(self.cluster)
        self._producers = [self._new_producer(place) for place in range(PRODUCERS)]

    async def deliver(self, outputs: Sequence[Output], ends: Mapping[int, int], token: bytes) -> bool:
        """Publishes `outputs` and commits the positions `ends`, by partition of the agent's source, if there are any.

        `token` is the group's metadata that the broker judges the positions by. False: nothing of it was committed, and
        its input must be read again, from where the group's last transaction left it.

        Raises FencedError, DeliveryError; AccessError where the broker does not let this user do it; TopicMissingError.
        """
        done = await self._ended(self._thread.submit(partial(self._transact, outputs, ends, token)))
        if self._producers[self._turn].doubtful or self._is_calm():
            # Without a limit: as long as no broker answers there is nothing better to do.
            await asyncio.wrap_future(self._thread.submit(partial(self._renew, self._turn)))
        if done:
            self._turn = (self._turn + 1) % PRODUCERS
        return done

    async def close(self) -> None:
        """Waits a moment for the call under way; what does not end, the broker aborts."""
        await asyncio.to_thread(self._thread.close, CLOSE_S)

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

    def _transact(self, outputs: Sequence[Output], ends: Mapping[int, int], token: bytes) -> bool:
        with self._exclusive:
            return self._transact_alone(outputs, ends, token)

    def _transact_alone(self, outputs: Sequence[Output], ends: Mapping[int, int], token: bytes) -> bool:
        producer = self._producers[self._turn]
        begun_s = self._clock_s()
        try:
            producer.client.begin_transaction()
            for output in outputs:
                producer.produce(output)
            if ends:  # a claim is made before anything is done
                offsets = [TopicPartition(self.agent.source, partition, end) for partition, end in ends.items()]
                producer.repeating(producer.client.send_offsets_to_transaction, offsets, token)
            producer.repeating(producer.client.commit_transaction, producer.timeout_s)
        except KafkaException as exception:
            error = _cause(producer, exception.args[0])
            self._aborts.inc()
            took_s = self._clock_s() - begun_s
            self._abort(producer)
            self._require_passing(producer, error, took_s)
            logger.warning("%s: transaction aborted, its input is read again: %s", self.agent.name, error.str())
            return False
        producer.client.poll(0)  # tells of connections that broke
        if self._clock_s() - begun_s >= producer.request_timeout_s:  # of a request that timed out it need not tell
            producer.doubtful = True
        metrics.TRANSACTION_SECONDS.labels(self.agent.name).observe(self._clock_s() - begun_s)
        return True

    def _require_passing(self, producer: TransactionalProducer, error: KafkaError, took_s: float) -> None:
        """Raises what ends the worker, unless it helps to read again what a transaction failed with."""
        too_late = (
            error.code() in _TOO_LATE
            or error.retriable()  # and was tried again until its time was up
            or (error.code() in FENCED and took_s >= producer.timeout_s)
        )
        fenced_by_itself = error.code() in FENCED and producer.asked_again
        # A request of it may be on its way still, and the next one is to have more time; or it has no right any more.
        if too_late or fenced_by_itself or error.code() in _FORGOTTEN:
            producer.doubtful = True
        if too_late and self._timeout_ms < LONGEST_TIMEOUT_MS:
            self._timeout_ms = min(2 * self._timeout_ms, LONGEST_TIMEOUT_MS)
            self._too_late_s = self._clock_s()
            self._require_topics()  # a record to a topic that is gone waits for it until its time is up
        elif not fenced_by_itself and error.code() not in (*_READ_AGAIN, *_FORGOTTEN):
            raise self._plain(error)

    def _require_topics(self) -> None:
        try:
            require_topics(self.cluster, self.agent)
        except (AccessError, TopicMissingError):
            raise
        except EdgewiseError:  # no broker answers, which the next one to ask will wait for
            pass

    def _abort(self, producer: TransactionalProducer) -> None:
        """Ends the transaction, so that no reader waits behind it. What no broker does at once a new producer does."""
        try:
            producer.client.abort_transaction(ABORT_S)
        except KafkaException:
            producer.doubtful = True

    def _is_calm(self) -> bool:
        """Whether the producer in turn has a longer time-out than it needs by now."""
        if self._timeout_ms > FIRST_TIMEOUT_MS and self._clock_s() - self._too_late_s > CALM_S:
            self._timeout_ms = FIRST_TIMEOUT_MS
        return 1000 * self._producers[self._turn].timeout_s > self._timeout_ms

    def _renew(self, place: int) -> None:
        self._producers[place] = self._new_producer(place)

    def _new_producer(self, place: int) -> TransactionalProducer:
        transactional_id = f"{self.settings.transactional_id(self.agent.name)}-{place}"
        producer = TransactionalProducer(self.cluster, transactional_id, self._timeout_ms, self._clock_s)
        try:
            producer.begin_anew()
        except KafkaException as exception:
            raise self._plain(exception.args[0]) from exception
        return producer

    def _plain(self, error: KafkaError) -> EdgewiseError:
        if error.code() in FENCED:
            return FencedError(
                f"{self.agent.name}: transactions were taken over: another worker runs with worker id "
                f"{self.settings.worker_id!r} (give each an EDGEWISE_WORKER_ID of its own), or a batch took longer "
                f"than {LONGEST_TIMEOUT_MS / 1000:g} s: the brokers are slow (then lower EDGEWISE_CHUNK_RECORDS)"
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


def _cause(producer: TransactionalProducer, error: KafkaError) -> KafkaError:
    """What failed the transaction, where `error` says only that it has failed.

    A record that the broker refuses shows in the call under way, or the next one, as a wrong state: without a reason in
    `produce`, and while offsets are sent as if those were to blame. What ends a producer shows there as no more than
    that. To begin tells what came first, and could commit nothing.
    """
    if error.code() in _SAYS_NOT_WHY:
        try:
            producer.client.begin_transaction()
        except KafkaException as exception:
            cause: KafkaError = exception.args[0]
            return cause
    return error
