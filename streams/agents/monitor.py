"""The monitor agent: aggregates the audit trail into windows."""

import asyncio
import math
from collections import defaultdict
from collections.abc import Sequence

from schemas.codec import DecodeError
from schemas.records import RoutingEvent
from schemas.topics import MONITORING, ROUTING_EVENTS
from streams.agents.dead_letter import dead_letter, first_failures
from streams.agents.dead_letter_limit import DeadLetterLimit
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.monitoring.open_windows import Key, OpenWindows, window_key
from streams.system.clock import Clock, now_ms
from streams.worker.delivery import Output
from streams.worker.transport import Record


class MonitorAgent:
    """routing-events -> monitoring: each window that a batch changes, whole; what is poison -> dead-letters.

    A window is named by when its events were recorded and by their partition. The latest record of a window replaces
    those before it, and is committed with the offsets of the events that it counts: `monitoring` is the agent's state,
    and an event is in it exactly when its offset is committed.
    """

    name = "monitor"
    # Nobody waits for a window to the millisecond. Without it, every few events would be a transaction of its own that
    # writes windows of some kilobytes: at 200 events/s on two cores that took half a core of the broker's and ours.
    gather_s = 0.5

    def __init__(self, settings: Settings, clock: Clock = now_ms) -> None:
        self.source = settings.topic(ROUTING_EVENTS)
        self.chunk_records = settings.chunk_records
        self._settings = settings
        self._clock = clock
        self._limit = DeadLetterLimit(settings.dead_letter_limit)
        self._audit = codec(settings, ROUTING_EVENTS)
        self._monitoring = codec(settings, MONITORING)
        self._topic = settings.topic(MONITORING)
        self._windows = OpenWindows(settings, clock)

    async def process(self, records: Sequence[Record]) -> list[Output]:
        """The windows that `records` change. Raises what reading them back raises, and `TooManyDeadLettersError`."""
        # In a thread: reading windows back takes as long as it takes, and the group's heartbeats must go on.
        return await asyncio.to_thread(self._process, records, self._windows)

    def reset(self) -> None:
        """Forget all windows: what was added to them since the last commit would be counted twice."""
        self._windows = OpenWindows(self._settings, self._clock)

    async def close(self) -> None:
        """Holds nothing that outlives the process."""

    def _process(self, records: Sequence[Record], windows: OpenWindows) -> list[Output]:
        outputs: list[Output] = []
        events: defaultdict[Key, list[RoutingEvent]] = defaultdict(list)
        length_ms = self._settings.window_s * 1000
        for record in records:
            try:
                event = self._audit.decode(record.value)
                _require_finite(event)
            except DecodeError as error:
                outputs.append(dead_letter(self._settings, self.name, record, error.reason, str(error)))
            else:
                events[event.recorded_at // length_ms * length_ms, record.partition].append(event)
        self._limit.check(self.name, len(records), first_failures(outputs))
        windows.read_back(events)
        now = self._clock()
        for key, added in events.items():
            window = windows.open(key)
            window.add(added)
            outputs.append(Output(self._topic, window_key(key), self._monitoring.encode(window.to_record(now))))
        windows.trim()  # by the next batch what was dropped is committed, or everything is forgotten
        return outputs


def _require_finite(event: RoutingEvent) -> None:
    """Raises `DecodeError` for a figure that cannot be added up: Avro's doubles may hold infinity and NaN."""
    if not math.isfinite(event.cost_usd + event.cloud_only_cost_usd + event.inference_ms + event.end_to_end_ms):
        raise DecodeError("undecodable", "a RoutingEvent with a cost or duration that is not a finite number")
