"""The monitor agent: aggregates the audit trail into windows."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import partial

from schemas.records import RoutingEvent
from schemas.topics import MONITORING, ROUTING_EVENTS
from schemas.validation import validate_routing_event
from streams.agents.agent import Agent, KafkaRecord, Output, ReadBack
from streams.agents.decoding import Decoder
from streams.agents.open_windows import CAPACITY, OpenWindows, WindowKey
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.system.clock import Clock, now_ms
from streams.system.threads import in_daemon_thread


class MonitorAgent(Agent):
    """routing-events -> monitoring: each window that a batch changes, whole; what is poison -> dead-letters.

    A window is named by when its events were recorded and by their partition. The latest record of a window replaces
    those before it, and is committed with the offsets of the events that it counts: `monitoring` is the agent's state,
    and an event is in it exactly when its offset is committed.
    """

    name = "monitor"
    # Nobody waits for a window to the millisecond. Without it, every few events would be a transaction of its own that
    # writes windows of some kilobytes: at 200 events/s on two cores that took half a core of the broker's and ours.
    gather_s = 0.5

    def __init__(
        self, settings: Settings, read_back: ReadBack, clock: Clock = now_ms, capacity: int = CAPACITY
    ) -> None:
        self.source = settings.topic(ROUTING_EVENTS)
        self.chunk_records = settings.chunk_records
        self._length_ms = settings.window_s * 1000
        self._clock = clock
        self._events = Decoder(
            settings, self.name, ROUTING_EVENTS, lambda event: validate_routing_event(event, now_ms=clock())
        )
        self._monitoring = codec(settings, MONITORING)
        self._topic = settings.topic(MONITORING)
        self._windows = OpenWindows(settings, read_back, clock, capacity)

    async def process(self, records: Sequence[KafkaRecord]) -> list[Output]:
        """The windows that `records` change. Raises what reading them back raises, and `TooManyDeadLettersError`."""
        # In a thread: reading windows back takes as long as it takes, and a stop signal must not wait for it.
        return await in_daemon_thread(partial(self._process, records))

    def positions_set_back(self, partitions: Collection[int]) -> None:
        """Forgets the windows of `partitions`: what was added to them since the last commit would be counted twice."""
        self._windows.forget(partitions)

    def _process(self, records: Sequence[KafkaRecord]) -> list[Output]:
        decoded, outputs = self._events.decode_all(records)
        events: defaultdict[WindowKey, list[RoutingEvent]] = defaultdict(list)
        for record, event in decoded:
            start = event.recorded_at // self._length_ms * self._length_ms
            events[WindowKey(start, record.partition)].append(event)
        self._windows.read_back(events)
        now = self._clock()
        for key, added in events.items():
            window = self._windows.open(key)
            window.add(added)
            outputs.append(Output(self._topic, key.encoded(), self._monitoring.encode(window.to_record(now))))
        self._windows.trim()  # by the next batch what was dropped is committed, or the partition is forgotten
        return outputs


async def build(settings: Settings, read_back: ReadBack) -> MonitorAgent:
    """The agent, which reads its windows back when it needs them."""
    return MonitorAgent(settings, read_back)
