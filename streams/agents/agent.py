"""What an agent is: records of one topic in, records of other topics out. It has no Kafka client and no other agent."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from schemas.dead_letter import Header
from streams.system.trace_context import Span, carried

CHUNKS = 4
"""The most full chunks that are given to `process` at once, and so joined in one transaction: with several partitions a
little traffic on each is one transaction, not several."""


@dataclass(slots=True)
class KafkaRecord:
    """A record as it was read from a topic."""

    topic: str  # its full name on the cluster
    partition: int
    offset: int
    timestamp: int  # UTC milliseconds: when the broker took it, or what its producer said
    key: bytes | None
    value: bytes | None  # None in a tombstone
    headers: tuple[Header, ...] = ()  # in their order; a name may come twice
    span: Span = field(init=False, compare=False, repr=False)  # of what is done with it: outputs bear its headers

    def __post_init__(self) -> None:
        self.span = carried(self.headers)


class Output(NamedTuple):
    """A record to produce; `topic` is its full name on the cluster."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


# Reads a topic of the agent's own up to its end: its name without the prefix, and a time in UTC milliseconds that older
# records are left out before. What it gives are keys and values, in each partition in order.
ReadBack = Callable[[str, int], Iterable[tuple[bytes | None, bytes | None]]]


class LineView(Protocol):
    """What an agent may ask of the line that it is part of."""

    def new_dead_letters(self, since_ms: int) -> Sequence[int]:
        """When letters came into `dead-letters` (UTC ms): since the last call, in the first call since `since_ms`."""

    def lags(self) -> Mapping[str, int] | None:
        """How many records each other agent's group has yet to do, by the agent's name; None: no answer.

        An agent whose group has never committed anything is not among them.
        """


class Agent(ABC):
    """One job in the flow.

    Delivery puts what `prepare`, `process` and `tick` give into transactions, and calls one of them at a time. Once a
    transaction is committed, `committed` is called; when it is aborted, `positions_set_back`, and the same records come
    again.
    """

    name: str  # names the consumer group, the producers and the metrics
    source: str  # full name of the topic it consumes
    model: str | None = None  # id of the model that it scores with, `name@version`
    chunk_records: int  # `CHUNKS` times as many is the most that `process` is given at once
    gather_s: float = 0.0  # after a small batch more records are let come together for so long; 0 where latency counts
    tick_s: float = 0.0  # `tick` is called so often; 0: never
    unused: tuple[str, ...] = ()  # topics of its row of the topology that it does not need with these settings

    @abstractmethod
    async def process(self, records: Sequence[KafkaRecord]) -> Sequence[Output]:
        """What to publish for `records`, of each partition consecutive ones. It may be asked again for the same."""

    async def prepare(self, records: Sequence[KafkaRecord]) -> Sequence[Output]:
        """What must be committed before `process` may begin with `records`: claims that other workers must see first.

        Its transaction commits no offsets and is fenced by nothing.
        """
        return ()

    async def tick(self, now_ms: int, partitions: Mapping[int, int]) -> Sequence[Output]:
        """What to publish for `partitions` of `source` because time has passed (UTC ms).

        They are those that this worker has and knows where they stand, each with the time up to which all that has come
        into it is done (UTC ms): `now_ms`, unless it is behind. What has not come by now may be waiting there.

        The transaction commits their positions again, as they are: it is fenced as that of a batch is, and nothing
        comes of a worker that has lost its partitions without knowing it.
        """
        return ()

    def committed(self) -> None:  # noqa: B027 - most agents keep nothing
        """Notes that what was given last is committed: nothing of it is asked for again."""

    def positions_set_back(self, partitions: Collection[int]) -> None:  # noqa: B027 - most agents keep nothing
        """Forgets what came of these partitions of `source` since their last commit: it will be read again.

        It is called for every partition that is newly assigned, too.
        """

    async def close(self) -> None:  # noqa: B027 - most agents hold nothing
        """Frees what the agent holds."""
