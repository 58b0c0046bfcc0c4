"""What a worker's agent may ask of the line: its dead letters, and how far the other agents are."""

import logging
from collections.abc import Mapping, Sequence

from schemas.dead_letter import Letter, read_letter
from schemas.topics import DEAD_LETTERS
from streams.agents.topology import AGENTS
from streams.kafka.client import Cluster
from streams.kafka.lag import LagError, OffsetLags
from streams.kafka.messages import message_headers, message_place, message_value
from streams.kafka.reader import read_topic

logger = logging.getLogger(__name__)


class KafkaLine:
    """A `LineView`. It follows `dead-letters` without a group, and asks for offsets alone: it reads no other topic."""

    def __init__(self, cluster: Cluster, agent: str) -> None:
        """`agent` is the one that asks, which is not told of itself."""
        self._cluster = cluster
        self._positions: dict[int, int] = {}  # of `dead-letters`, by partition
        self._lags: OffsetLags | None = None
        self._reads = {name: spec.reads for name, spec in AGENTS.items() if name != agent and not spec.optional}

    def new_dead_letters(self, since_ms: int) -> Sequence[int]:
        """When letters came; marks, and what other programs put there, are none. Raises what `read_topic` raises."""
        prefix = self._cluster.settings.topic_prefix
        found = []
        offsets = self._positions or None
        since = since_ms if offsets is None else None
        for message in read_topic(self._cluster, DEAD_LETTERS, offsets=offsets, since_ms=since):
            place, at_ms, value = message_place(message), message.timestamp()[1], message_value(message)
            self._positions[place.partition] = place.offset + 1
            size = None if value is None else len(value)
            if isinstance(read_letter(place, at_ms, size, message_headers(message), prefix), Letter):
                found.append(at_ms)
        return found

    def lags(self) -> Mapping[str, int] | None:
        """As `LineView` says. That brokers give no answer now is logged. Raises AccessError."""
        if self._lags is None:
            self._lags = OffsetLags(self._cluster)
        try:
            return self._lags.of(self._reads)
        except LagError as error:
            logger.warning("%s", error)
            return None
