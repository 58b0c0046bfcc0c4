"""This worker as a member of its agent's consumer group: what it fetches, from where, and by which right.

One thread calls all of it, the event loop's. A rebalance is told in `fetch` and `stay` alone, so that never a batch is
fetched under one assignment and begun under another.
"""

import logging
from collections.abc import Mapping, Sequence

from confluent_kafka import OFFSET_STORED, Consumer, KafkaError, KafkaException, Message, TopicPartition

from streams.agents import metrics
from streams.agents.agent import Agent, KafkaRecord
from streams.kafka.client import Cluster
from streams.kafka.connections import CONNECTION_OPTIONS
from streams.kafka.messages import PARTITION_END
from streams.kafka.refusals import AUTHORIZATION
from streams.system.threads import in_daemon_thread
from streams.worker.batch import Batch, Held, is_members, is_settled, record_of
from streams.worker.positions import may_be_known_later, stable_offsets
from streams.worker.strategy import group_options, is_incremental

logger = logging.getLogger(__name__)

# New partitions are found when the topic's metadata is asked for again. A request of some hundred bytes every five
# seconds costs nothing measurable.
METADATA_REFRESH_MS = 5_000

OPTIONS: Mapping[str, object] = {
    **CONNECTION_OPTIONS,
    "topic.metadata.refresh.interval.ms": METADATA_REFRESH_MS,
    # The embedded broker answers a fetch that found nothing at first only after half of this, even when records came.
    # Kafka answers at once when something comes; twenty empty fetches a second cost it nothing measurable.
    "fetch.wait.max.ms": 50,
    # A few transactions' records wait in memory, not librdkafka's 100,000 and 64 MB: 4,000, or 500 of 16 kB. When they
    # do, the next look is soon: its default of a second would leave the worker without records.
    "queued.min.messages": 4_000,
    "queued.max.messages.kbytes": 8_192,
    "fetch.queue.backoff.ms": 10,
}

_ASTRAY = KafkaError._AUTO_OFFSET_RESET  # noqa: SLF001
_NOT_BEGUN = KafkaError._STATE  # noqa: SLF001
_ENDS_THE_WORKER = (*AUTHORIZATION, KafkaError.INCONSISTENT_GROUP_PROTOCOL, KafkaError.FENCED_INSTANCE_ID)


class Member:
    """A member of the group of `agent`; `close` leaves it.

    `held` are its partitions. Of those in `astray` nothing is known to go on from: `set_back` finds out.
    """

    def __init__(self, cluster: Cluster, agent: Agent) -> None:
        settings = cluster.settings
        self.topic = agent.source
        self.held: dict[int, Held] = {}
        self.astray: set[int] = set()
        self.joined = False
        self._closed = False
        self._cluster = cluster
        self._group = settings.group(agent.name)
        self._new: set[int] = set()
        self._taken: set[int] = set()  # partitions that the call under way took away
        self._kept: list[Message] = []  # fetched while another batch was under way
        options = {**OPTIONS, "client.id": f"edgewise-{agent.name}-{settings.worker_id}"}
        options |= group_options(cluster, self._group)
        self._incremental = is_incremental(options)
        self._is_told_of_none = settings.group_protocol == "classic"
        self._consumer: Consumer = cluster.group_consumer(self._group, options)
        metrics.SKIPPED_RECORDS.labels(self.topic).inc(0)  # from the start, so that a first one shows

    def join(self) -> None:
        """Begins to join the group. `joined` says when it has."""
        self._consumer.subscribe([self.topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)

    def fetch(self, most: int, wait_s: float) -> Batch | None:
        """Up to `most` records that are there, or the first to come within `wait_s` seconds. Takes part in the group.

        Raises KafkaException: the broker refuses this user, or the group does not work as this member does.
        """
        self._taken.clear()
        messages, self._kept = self._kept, []
        messages += self._consumer.consume(most, 0)
        if not messages:
            first = self._consumer.poll(wait_s)
            if first is None:
                self._note_joined()
                return None
            messages = [first, *self._consumer.consume(most - 1, 0)]
        records = [record_of(message) for message in messages if self._is_to_be_done(message)]
        return self._batch(records) if records else None

    def stay(self, batch: Batch | None = None) -> None:
        """Takes part in the group while work is under way, on `batch` if it is given.

        The record that a poll may give is kept for the next `fetch`. To pause the partitions would cost more:
        librdkafka throws away what it has fetched ahead, and asks the broker for it again.
        """
        self._taken.clear()
        message = self._consumer.poll(0)
        if message is not None and (message.error() is not None or self._is_to_be_done(message)):
            self._kept.append(message)
        if batch is not None:
            self.renew(batch)

    def renew(self, batch: Batch) -> None:
        """Gives `batch` this member's metadata of now, if its partitions have been held since it was fetched.

        A group moves on to its next generation whenever another worker comes or goes; what stays here is no less ours.
        """
        if self.holds(batch) and (token := self._token()) is not None:
            batch.token = token

    def holds(self, batch: Batch) -> bool:
        """Whether every partition of `batch` has been held since it was fetched."""
        return all(self.held.get(partition) is held for partition, held in batch.held.items())

    def standing(self) -> Batch | None:
        """A batch without records, which ends where the partitions stand: what a tick is fenced by.

        It is of those that are known to stand somewhere. None: there are none.
        """
        known = {at: held for at, held in self.held.items() if held.done is not None and at not in self.astray}
        token = self._token()
        if not known or token is None:
            return None
        batch = Batch((), token, known)
        batch.ends = {partition: held.done for partition, held in known.items() if held.done is not None}
        return batch

    def newly_held(self) -> set[int]:
        """The partitions that were assigned since this was last asked."""
        new, self._new = self._new & self.held.keys(), set()
        return new

    def is_done(self, batch: Batch) -> None:
        """Notes that `batch` is committed."""
        for partition, held in batch.held.items():
            held.done = batch.ends[partition]
        for record in batch.records:
            held = batch.held[record.partition]
            held.read_ms = max(held.read_ms, record.timestamp)

    def lose(self, batch: Batch) -> None:
        """Notes that `batch` is not committed: positions must be set back."""
        self.astray |= batch.held.keys() & self.held.keys()

    async def set_back(self) -> None:
        """Sets the partitions that are astray to where the group's last finished transaction left them.

        Until then what comes of them is left out, and the others go on. Where it cannot be known now, for no broker
        answers or a transaction does not end, they stay astray. Raises what else `stable_offsets` raises.
        """
        wanted = {partition: self.held[partition] for partition in self.astray & self.held.keys()}
        known = {partition: held.done for partition, held in wanted.items() if held.done is not None}
        # In a thread: librdkafka's calls end with a broker's answer, or a time-out that suits a slow network.
        try:
            offsets = await in_daemon_thread(
                lambda: stable_offsets(self._cluster, self._group, self.topic, set(wanted), known)
            )
        except KafkaException as error:
            if not may_be_known_later(error):
                raise
            logger.warning("%s: where to go on is asked again: %s", self._group, error.args[0].str())
            return
        # Those that were taken away and given back meanwhile are astray, or not, by the new right to them.
        still = {at: held for at, held in wanted.items() if at in offsets and self.held.get(at) is held}
        self.astray -= still.keys()
        # Of what was kept before they were astray nothing is done before what comes again.
        self._kept = [message for message in self._kept if message.partition() not in still]
        for partition, held in still.items():
            held.done = held.fetched = offsets[partition]
            held.end = 0  # what lies between is read again
            self._go_to(partition, offsets[partition])

    def lags(self) -> dict[tuple[str, int], int]:
        """Records of each partition that are not done, open transactions' among them; 0 while it is unknown.

        The markers that end transactions take offsets too: when the end was reached, and all before is done, there is
        no lag, whatever the offsets say. Any thread may ask.
        """
        return {(self.topic, partition): self._lag(partition, held) for partition, held in list(self.held.items())}

    def close(self) -> None:
        """Leaves the group, once. It must not be used afterwards."""
        if not self._closed:
            self._closed = True
            self._consumer.close()

    def _lag(self, partition: int, held: Held) -> int:
        if held.done is None and not held.end:
            return 0
        _, high = self._consumer.get_watermark_offsets(TopicPartition(self.topic, partition), cached=True)
        done = held.done or 0
        return max(0, high - (max(done, held.end) if done >= (held.fetched or 0) else done))

    def _go_to(self, partition: int, offset: int) -> None:
        place = TopicPartition(self.topic, partition, offset)
        try:
            self._consumer.seek(place)
        except KafkaException as exception:
            if exception.args[0].code() != _NOT_BEGUN:
                raise
            # A partition without a valid offset is given up and taken anew: librdkafka refuses the seek.
            if self._incremental:
                self._consumer.incremental_unassign([place])
                self._consumer.incremental_assign([place])
            else:
                self._kept.clear()  # it comes again
                self._consumer.assign(
                    [
                        TopicPartition(self.topic, number, OFFSET_STORED if held.fetched is None else held.fetched)
                        for number, held in self.held.items()
                    ]
                )

    def _batch(self, records: Sequence[KafkaRecord]) -> Batch | None:
        held = {record.partition: self.held[record.partition] for record in records}
        token = self._token()
        if token is None:  # which the next poll tells
            logger.warning("%s: this worker is no member any more; its input is read again", self._group)
            self.astray |= held.keys()
            return None
        batch = Batch(records, token, held)
        for partition, end in batch.ends.items():
            held[partition].fetched = end
        return batch

    def _is_to_be_done(self, message: Message) -> bool:
        partition, error = message.partition() or 0, message.error()
        held = self.held.get(partition)
        if error is not None:
            self._heed(error, partition, held, message.offset() or 0)
            return False
        if held is None or partition in self.astray:
            return False
        if partition in self._taken:  # and given back, in one call: nobody knows which of the two this is from
            self.astray.add(partition)
            return False
        if held.done is None:  # here it began
            held.done = held.fetched = message.offset() or 0
        return True

    def _heed(self, error: KafkaError, partition: int, held: Held | None, offset: int) -> None:
        if error.code() in _ENDS_THE_WORKER or error.fatal():
            raise KafkaException(error)
        if error.code() not in (PARTITION_END, _ASTRAY):
            logger.warning("%s: %s", self._group, error.str())
        elif held is None:
            return
        elif error.code() == _ASTRAY or partition in self._taken:
            self.astray.add(partition)
        else:
            held.end = offset
            if held.done is None and partition not in self.astray:  # there was nothing to fetch from where it began
                held.done = held.fetched = offset

    def _token(self) -> bytes | None:
        """This member's metadata; None when it is none, for the broker would not fence by that."""
        metadata = self._consumer.consumer_group_metadata()
        return metadata if metadata and is_members(metadata) else None

    def _note_joined(self) -> None:
        """By KIP-848 librdkafka does not tell a member that has joined and has no partitions."""
        if not self.joined and not self._is_told_of_none:
            metadata = self._consumer.consumer_group_metadata()
            self.joined = bool(metadata) and is_settled(metadata)

    # librdkafka takes what is assigned and gives up what is revoked once these return, by the group's protocol.

    def _assigned(self, _: Consumer, partitions: Sequence[TopicPartition]) -> None:
        self.joined = True
        self.held |= {each.partition: Held() for each in partitions}
        self._new |= {each.partition for each in partitions}

    def _revoked(self, _: Consumer, partitions: Sequence[TopicPartition]) -> None:
        gone = {each.partition for each in partitions}
        for partition in gone:
            self.held.pop(partition, None)
        self.astray -= gone
        self._taken |= gone
        self._kept = [message for message in self._kept if message.partition() not in gone]
