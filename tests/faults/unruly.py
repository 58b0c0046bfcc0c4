"""Fault 11: input as senders and clocks make it: twice, late, out of order, from the past and from the future."""

import random
import time
from collections import deque
from dataclasses import replace

from confluent_kafka import Producer

from schemas.records import RoutingEvent, TranscriptEvent
from schemas.topics import ROUTING_EVENTS
from schemas.validation import EARLIEST_MS
from streams.config.codecs import codec
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from streams.system.clock import now_ms
from streams.verify.verdict import Verdict
from tests.faults.load import Load
from tests.faults.scene import Fault, Scene
from tests.faults.skewed_worker import SKEWS_MS
from tests.faults.waiting import wait_until

HOUR_MS = 3_600_000
YEAR_MS = 365 * 24 * HOUR_MS

# A second's worth of events are held back at most, and of as many an earlier one comes again.
HELD = 200
REMEMBERED = 2_000

# Each is well beyond a day from now, before 2000, or no time at all.
IMPOSSIBLE_MS = (72 * HOUR_MS, 1_000 * YEAR_MS)  # from now
NO_TIMES_MS = (0, -1, EARLIEST_MS - 1, 2**63 - 1, -(2**63))

EVENTS = 1_000  # of a fault


def unruly_input(scene: Scene) -> None:
    """Events come twice at once and again later, a second late, with turns in any order, with times of their own that
    are hours or years off or impossible, and in records whose timestamps are; clocks of workers are minutes off, too.

    Every record has one result, those of impossible times a dead letter each; results stand in the order in which the
    records came. Windows are no more than the time that passed makes them, for each of the clocks, and add up; nobody
    is told of an event that took years.

    Seen to fail with windows named by `occurred_at`, and with topics that keep the sender's timestamps.
    """
    begun = time.monotonic()
    unruly = _Unruly(scene.load, scene.rng.randrange(2**32))
    scene.load.shape = unruly.send
    for _ in scene.times():
        with scene.fault():
            unruly.calm = False
            scene.must_go_on(EVENTS)
            unruly.calm = True
            wait_until(lambda: not unruly.held, "the late events to be sent")
    scene.checks.append(lambda verdict: _as_sent(scene, verdict, unruly))
    scene.checks.append(lambda verdict: _bounded(scene, verdict, time.monotonic() - begun))


class _Unruly:
    """Sends each event in one of many ways, or all as they are while `calm`."""

    def __init__(self, load: Load, seed: int) -> None:
        self.calm = True
        self.impossible = 0
        self.repeated = 0
        self.held: deque[tuple[int, TranscriptEvent]] = deque()  # with the number of the event to come after
        self._load = load
        self._rng = random.Random(seed)
        self._number = 0
        self._earlier: deque[TranscriptEvent] = deque(maxlen=REMEMBERED)

    def send(self, event: TranscriptEvent, producer: Producer) -> None:
        """Puts the event, and what else is due, into `transcripts`; a `Shape`."""
        self._number += 1
        while self.held and (self.calm or self.held[0][0] <= self._number):
            self._put(self.held.popleft()[1], producer)
        if self.calm:
            self._put(event, producer)
            return
        rng = self._rng
        match rng.randrange(8):
            case 0:
                self._put(event, producer)
                self._put(event, producer)
                self.repeated += 1
            case 1:
                self._put(event, producer)
                self._put(rng.choice(self._earlier), producer)
                self.repeated += 1
            case 2:
                self.held.append((self._number + HELD, event))
            case 3:
                self._put(replace(event, turn=rng.randrange(2**31)), producer)
            case 4:
                off_ms = rng.choice((rng.randrange(-48, 20) * HOUR_MS, -rng.randrange(1, 20) * YEAR_MS))
                self._put(replace(event, occurred_at=now_ms() + off_ms), producer)
            case 5:
                self._put(event, producer)
                at = rng.choice((*NO_TIMES_MS, *(now_ms() + off for off in IMPOSSIBLE_MS)))
                self._put(replace(event, event_id=f"{event.event_id}-impossible", occurred_at=at), producer)
                self.impossible += 1
            case 6:
                off_ms = rng.choice((rng.randrange(-48, 48) * HOUR_MS, -rng.randrange(1, 20) * YEAR_MS, YEAR_MS))
                self._put(event, producer, now_ms() + off_ms)
            case _:
                self._put(event, producer)

    def _put(self, event: TranscriptEvent, producer: Producer, timestamp_ms: int = 0) -> None:
        self._load.put(producer, event.conversation_id, self._load.codec.encode(event), timestamp_ms)
        if not event.event_id.endswith("-impossible"):
            self._earlier.append(event)


def _as_sent(scene: Scene, verdict: Verdict, unruly: _Unruly) -> None:
    """As many dead letters and repeated records as there were sent."""
    if (verdict.dead_letters, verdict.repeated) != (unruly.impossible, unruly.repeated):
        raise RuntimeError(
            f"{verdict.dead_letters} dead letters and {verdict.repeated} repeated events where {unruly.impossible} "
            f"and {unruly.repeated} were sent"
        )
    if verdict.events != len(scene.load.sent) + unruly.impossible + unruly.repeated:
        raise RuntimeError(f"{verdict.events} records are in transcripts, others than were sent")


def _bounded(scene: Scene, verdict: Verdict, seconds: float) -> None:
    """Windows are as many as the time makes them, and durations are of the workers' clocks at worst."""
    clocks = len({skew for (agent, _), skew in SKEWS_MS.items() if agent != "monitor"} | {0})
    most = scene.settings.routing_events_partitions * clocks * (seconds / scene.settings.window_s + 2)
    if verdict.windows > most:
        raise RuntimeError(f"{verdict.windows} windows, of {clocks} clocks and {seconds:.0f} s, are over {most:.0f}")
    decode = codec(scene.settings, ROUTING_EVENTS).decode
    events: list[RoutingEvent] = [
        decode(message.value()) for message in read_topic(Cluster(scene.settings), ROUTING_EVENTS)
    ]
    longest_ms = max(event.end_to_end_ms for event in events)
    if longest_ms > max(SKEWS_MS.values()) + HOUR_MS:
        raise RuntimeError(f"an event took {longest_ms:,.0f} ms by the audit trail")


FAULTS = (Fault(11, "unruly-input", unruly_input, settings={"window_s": 5}, module="tests.faults.skewed_worker"),)
