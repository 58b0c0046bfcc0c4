"""A transactional producer that lasts until something goes wrong with it."""

import time
import weakref
from collections.abc import Callable, Mapping

import stamina
from confluent_kafka import KafkaError, KafkaException, Producer

from streams.agents.agent import Output
from streams.kafka.client import Cluster, is_repeatable
from streams.kafka.connections import CONNECTION_OPTIONS, REQUEST_TIMEOUT_MS

# Who leads is looked up every 3 s; librdkafka's default is 5 minutes.
METADATA_REFRESH_MS = 3_000

# Where the markers take longer than the other producer's transaction, librdkafka asks again after so long; its default
# of 100 ms would be a tenth of a second of standing still. It doubles with every try, up to a second.
RETRY_BACKOFF_MS = 5

# How results are produced: what differs from the cluster's other producers.
PRODUCER_OPTIONS: Mapping[str, object] = {
    **CONNECTION_OPTIONS,
    # Records go out while the offsets do, not after them. Batches grow all the same: nothing is sent before the
    # transaction's coordinator knows the partitions, a round trip.
    "linger.ms": 0,
    "topic.metadata.refresh.interval.ms": METADATA_REFRESH_MS,
    "retry.backoff.ms": RETRY_BACKOFF_MS,
}

# One call of init_transactions: it waits out a coordinator that is loading, and a predecessor's transaction.
INIT_TIMEOUT_S = 20.0


class TransactionalProducer:
    """A producer with a transactional id: what it was made for is to be produced, and then committed.

    `doubtful` says that a connection of its broke, or a request of its timed out. Such a request may still be on its
    way, and a broker would take it for one of the transaction that is then open (librdkafka's issue 5423, KIP-890):
    offsets of an earlier batch, say. To a producer made anew the broker gives a new epoch, and by that refuses it.

    `asked_again` says that it may have asked for that epoch more than once. What it asked first a broker that stood
    still, or the network, may deliver last: then it is fenced, and nobody has taken its transactions over.
    """

    def __init__(
        self,
        cluster: Cluster,
        transactional_id: str,
        timeout_ms: int,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.doubtful = False
        self.asked_again = False
        self._clock_s = clock_s
        self.timeout_s = timeout_ms / 1000
        self.request_timeout_s = min(REQUEST_TIMEOUT_MS, timeout_ms) / 1000
        timeouts = {
            "transaction.timeout.ms": timeout_ms,
            "message.timeout.ms": timeout_ms,
            "socket.timeout.ms": min(REQUEST_TIMEOUT_MS, timeout_ms),  # librdkafka allows no longer one
        }
        me = weakref.ref(self)

        def note(_: KafkaError) -> None:
            # The client holds this function. If it held its owner too, a producer that is replaced would keep its
            # threads and connections until the garbage is collected.
            if (owner := me()) is not None:
                owner.doubtful = True

        options = {**PRODUCER_OPTIONS, **timeouts, "error_cb": note}
        self.client: Producer = cluster.producer(options, transactional_id=transactional_id)
        # Each try blocks by itself, so there need be no pause.
        self.repeating = stamina.RetryingCaller(
            attempts=None, timeout=self.timeout_s, wait_initial=0.0, wait_jitter=0.02
        ).on(is_repeatable)

    def begin_anew(self) -> None:
        """Ends what a producer with this id has left open, and fences what of it is still on its way.

        Blocks until a broker does so. Raises KafkaException: none will.
        """
        begun_s = self._clock_s()
        while True:
            try:
                self.repeating(self.client.init_transactions, INIT_TIMEOUT_S)
            except KafkaException as exception:
                if not is_repeatable(exception):
                    raise
            else:
                break
        self.client.poll(0)  # tells of connections that broke
        self.asked_again = self.doubtful or self._clock_s() - begun_s >= self.request_timeout_s
        self.doubtful = False  # what went wrong up to now is over

    def produce(self, output: Output) -> None:
        """Hands a record over. Raises KafkaException: the transaction has failed."""
        headers: list[tuple[str, str | bytes | None]] = [*output.headers]
        while True:
            try:
                self.client.produce(output.topic, output.value, output.key, headers=headers)
            except BufferError:
                self.client.poll(0.1)  # the queue is full: wait until something was delivered
            else:
                return
