"""The one way of events into `transcripts`."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message

from schemas.errors import EdgewiseError, UsageError
from schemas.records import TranscriptEvent
from schemas.topics import TRANSCRIPTS
from streams.config.codecs import codec
from streams.kafka.client import DELIVERY_TIMEOUT_MS, Cluster
from streams.kafka.refusals import explain_refusal
from streams.kafka.rights import require_rights
from streams.system.trace_context import NO_SPAN, Span
from streams.system.tracing import begin

FLUSH_TIMEOUT_S = DELIVERY_TIMEOUT_MS / 1000 + 5

# Deliveries are seen to once in so many events, or sooner when there is time to wait.
_EVENTS_PER_POLL = 100


class SendError(EdgewiseError):
    """The broker did not take an event."""


def require_topics(cluster: Cluster, who: str, needed: Mapping[str, Sequence[str]]) -> None:
    """Raises AccessError unless the user may do what is `needed` on each topic (full names), UsageError without one.

    Before a producer is made: without a right to write anywhere it fails in a way that confluent-kafka cannot tell.
    """
    present = cluster.metadata().topics
    require_rights(cluster, who, needed)
    for topic in (each for each in needed if each not in present):
        cluster.require_visible(topic)
        raise UsageError(
            f"topic {topic} does not exist at {cluster.settings.bootstrap_servers}: create the topics with "
            "`edgewise topics create`, or set EDGEWISE_TOPIC_PREFIX"
        )


class TranscriptSender:
    """Sends events, each once and those of a conversation in their order, whatever is retried on the way.

    It does not validate: what the workers cannot use, they put into dead-letters. Now and then `on_delivered` is called
    with how many events the broker has taken so far. One thread may use it.
    """

    def __init__(self, cluster: Cluster, on_delivered: Callable[[int], None] = lambda _delivered: None) -> None:
        self._settings = cluster.settings
        self._topic = cluster.settings.topic(TRANSCRIPTS)
        self._encode = codec(cluster.settings, TRANSCRIPTS).encode
        self._on_delivered = on_delivered
        self.sent = 0
        self.delivered = 0
        self._refusal: str | None = None
        self._producer = cluster.producer({"linger.ms": 20})

    def send(
        self, event: TranscriptEvent, *, place: str, headers: Sequence[tuple[str, str | bytes | None]] = ()
    ) -> None:
        """Hands `event` to the producer; `place` is where the event is from, in the words of an error.

        Raises EncodeError: Avro cannot hold the event. SendError: the broker did not take an event, this one or one
        that was sent before.
        """
        self._produce(self._encode(event), event.conversation_id.encode(), place, headers)

    def send_bytes(self, value: bytes, *, place: str, headers: Sequence[tuple[str, str | bytes | None]] = ()) -> None:
        """Hands over what is no event, as it is, for a worker to put into dead-letters. Raises SendError: as `send`."""
        self._produce(value, None, place, headers)

    def _produce(
        self, value: bytes, key: bytes | None, place: str, headers: Sequence[tuple[str, str | bytes | None]]
    ) -> None:
        told = {"messaging.system": "kafka", "messaging.operation.name": "send", "messaging.operation.type": "send"}
        span = begin(f"send {self._topic}", "producer", NO_SPAN, told | {"messaging.destination.name": self._topic})
        on_delivery = partial(self._on_delivery, place, span)
        borne = [*headers, *span.headers]
        while True:
            try:
                self._producer.produce(self._topic, value, key, headers=borne, on_delivery=on_delivery)
                break
            except BufferError:
                self.poll(0.1)
            except KafkaException as error:
                span.end(error.args[0].name())
                raise SendError(f"{place}: {self._reason(error.args[0])}") from None
        self.sent += 1
        if self.sent % _EVENTS_PER_POLL == 0:
            self.poll(0)

    def poll(self, timeout_s: float) -> None:
        """Sees to deliveries, for `timeout_s` seconds at most. Raises SendError."""
        self._producer.poll(timeout_s)
        self._raise_refusal()
        self._on_delivered(self.delivered)

    def finish(self, timeout_s: float = FLUSH_TIMEOUT_S, *, complete: bool = True) -> None:
        """Waits for what is on its way. Raises SendError when the broker did not take all of it, if it has to."""
        self._producer.flush(timeout_s)
        if complete:
            self._on_delivered(self.delivered)
            self._raise_refusal()
            if left := self.sent - self.delivered:
                raise SendError(f"the broker did not take {left} events within {timeout_s:g} s")

    def _on_delivery(self, place: str, span: Span, error: KafkaError | None, _message: Message) -> None:
        span.end("" if error is None else error.name())
        if error is None:
            self.delivered += 1
        elif self._refusal is None:
            self._refusal = f"{place}: the broker did not take it: {self._reason(error)}"

    def _reason(self, error: KafkaError) -> str:
        return explain_refusal(self._settings, error, f"WRITE on topic {self._topic}")

    def _raise_refusal(self) -> None:
        if self._refusal is not None:
            raise SendError(self._refusal)
