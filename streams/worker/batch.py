"""Records that were fetched together, the right to them, and what it is told by."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from confluent_kafka import Message

from streams.agents.agent import KafkaRecord
from streams.kafka.messages import message_headers, message_key, message_value

# How librdkafka writes the metadata of a member down: this, the generation (int32, little endian), group and member,
# each ended by NUL, then 1 for no static membership.
_METADATA = b"CGMDv2:"


@dataclass(eq=False, slots=True)
class Held:
    """A partition for as long as it is assigned. Assigned again, it is another: what was fetched before does not count.

    Positions are those behind a record; None where nothing is known yet.
    """

    done: int | None = None
    fetched: int | None = None
    end: int = 0  # the partition's, when it was last reached
    read_ms: int = 0  # the latest time of a record that is done, as the record tells it

    def read_to(self, now_ms: int) -> int:
        """Up to when all that has come is done (UTC ms): now, where the end was reached behind what was fetched."""
        is_at_end = self.fetched is not None and self.done is not None and self.done >= self.fetched <= self.end
        return now_ms if is_at_end else min(now_ms, self.read_ms)


@dataclass(eq=False, slots=True)
class Batch:
    """Records that were fetched together, of each partition consecutive ones.

    `token` is what the transaction is fenced by: the member's metadata as of a time at which every partition of the
    batch was still held as it was when it was fetched.
    """

    records: Sequence[KafkaRecord]
    token: bytes
    held: dict[int, Held]
    ends: dict[int, int] = field(init=False)  # of each partition the position behind its last record

    def __post_init__(self) -> None:
        self.ends = {record.partition: record.offset + 1 for record in self.records}


def is_members(metadata: bytes) -> bool:
    """Whether `metadata`, of librdkafka's `consumer_group_metadata`, names a member and a generation.

    Raises ValueError when it is laid out in another way than in the tested versions.
    """
    if not metadata.startswith(_METADATA):
        raise ValueError("consumer group metadata has an unknown layout")
    (generation,) = struct.unpack_from("<i", metadata, len(_METADATA))
    _, member, _ = metadata[len(_METADATA) + 4 :].split(b"\0", 2)
    return bool(generation >= 0 and member)


def is_settled(metadata: bytes) -> bool:
    """Whether `metadata` is a member's that the group has accepted: by KIP-848 its epoch is 0 until then."""
    return is_members(metadata) and struct.unpack_from("<i", metadata, len(_METADATA))[0] > 0


def record_of(message: Message) -> KafkaRecord:
    """`message`, which is no error, as an agent is given it."""
    return KafkaRecord(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        message.timestamp()[1],
        message_key(message),
        message_value(message),
        message_headers(message),
    )
