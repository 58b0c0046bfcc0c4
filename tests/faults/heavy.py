"""Fault 13: more than a line is made for: a hot key, a burst, a backlog."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from confluent_kafka import Producer

from schemas.records import TranscriptEvent
from schemas.topics import SENTIMENT
from streams.agents.topology import VERIFIED_AGENTS as AGENTS
from streams.config.codecs import codec
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from tests.faults.line import SLOTS
from tests.faults.load import Shape
from tests.faults.proc import taken
from tests.faults.scene import RATE, Fault, Scene

HOT = "hot-conversation"
BURST = 10
BURST_EVENTS = 2 * BURST * int(RATE)  # two seconds of it

# The backlog: events in the short form, and a second of the long one.
BACKLOG = 10_000
BACKLOG_A_SECOND = 3_500
# What a worker has in hand must be little beside what it would have kept if it kept everything: 4 chunks of 100 events
# of 16 KB are 6 MB, and half of the backlog is 80 MB.
BACKLOG_BYTES = 160_000_000
CHUNK_RECORDS = 100

# How much higher a worker's peak may be than that of its predecessor, which had the usual load, and at the end than it
# was half way. Full batches take some 20 MiB.
MORE_THAN_USUAL_MIB = 60.0
MORE_THAN_HALF_WAY_MIB = 25.0


def hot_key_burst(scene: Scene) -> None:
    """Half of all events are of one conversation, and so of one partition; then everything comes ten times as fast.

    The hot conversation's results must stand in one partition, each route's in the order of its events.

    Seen to fail with results published without their key, which scatters a conversation over the partitions.
    """
    usual = scene.load.shape
    for _ in scene.times():
        with scene.fault():
            scene.load.shape = _half_hot(usual)
            scene.must_go_on(int(RATE))
            scene.load.rate = BURST * RATE
            _wait_until_sent(scene, BURST_EVENTS)
            scene.must_go_on(int(RATE))
            scene.load.rate = RATE
        scene.load.shape = usual
    scene.checks.append(lambda _: _hot_in_order(scene))


def _half_hot(usual: Shape) -> Shape:
    def send(event: TranscriptEvent, producer: Producer) -> None:
        hot = int(event.event_id.rpartition("-")[2]) % 2 == 0
        usual(replace(event, conversation_id=HOT) if hot else event, producer)

    return send


def _hot_in_order(scene: Scene) -> None:
    partitions: set[int] = set()
    last: dict[str, int] = {}
    decode: Callable[[bytes | None], Any] = codec(scene.settings, SENTIMENT).decode
    for message in read_topic(Cluster(scene.settings), SENTIMENT):
        result = decode(message.value())
        if result.conversation_id == HOT:
            number = int(result.event_id.rpartition("-")[2])
            if number <= last.get(result.route, -1):
                raise RuntimeError(
                    f"{result.event_id} of the hot conversation stands behind event-{last[result.route]}"
                )
            last[result.route] = number
            partitions.add(message.partition() or 0)
    if len(partitions) != 1:
        raise RuntimeError(f"the hot conversation's results are in the partitions {sorted(partitions)}")


def lag_caught_up(scene: Scene) -> None:
    """The whole line is down while a backlog grows; it starts again and catches up, with the usual load on top.

    Each worker's memory is flat meanwhile: its peak at the end is near that half way, and near that of the worker
    before it, which had no backlog.

    Its bounds of memory were seen to fail with an edge agent that keeps the events that it has scored.
    """
    usual = scene.load.shape
    backlog = max(BACKLOG, int(scene.seconds * BACKLOG_A_SECOND))
    for _ in scene.times():
        before = _peaks(scene)
        ups = {(agent, slot): scene.line.ups(agent, slot) for agent in AGENTS for slot in SLOTS}
        with scene.fault(timeout_s=120 + backlog / 200):
            for agent in AGENTS:
                for slot in SLOTS:
                    scene.line.stop(agent, slot)
            scene.load.shape = _padded(usual, BACKLOG_BYTES // backlog)
            scene.load.rate = 1_000_000.0  # as fast as it can
            _wait_until_sent(scene, backlog)
            scene.load.shape, scene.load.rate = usual, RATE
            for agent in AGENTS:
                for slot in SLOTS:
                    scene.line.start(agent, slot)
            for agent in AGENTS:
                for slot in SLOTS:
                    scene.line.wait_until_up(agent, slot, starts=ups[agent, slot] + 1)
            left = len(scene.load.sent) - scene.watch.count()
            scene.must_go_on(left // 2, timeout_s=120 + backlog / 200)
            half_way = _peaks(scene)
        for worker, peak in _peaks(scene).items():
            told = f"{before[worker]:.0f} MiB before it, {half_way[worker]:.0f} half way, {peak:.0f} at the end"
            if peak > before[worker] + MORE_THAN_USUAL_MIB or peak > half_way[worker] + MORE_THAN_HALF_WAY_MIB:
                raise RuntimeError(f"{worker} did not stay flat while it caught up with {backlog:,} events: {told}")


def _padded(usual: Shape, size: int) -> Shape:
    padding = "x" * size

    def send(event: TranscriptEvent, producer: Producer) -> None:
        usual(replace(event, attributes={"padding": padding}), producer)

    return send


def _peaks(scene: Scene) -> dict[str, float]:
    """The most that each worker has taken so far, in MiB."""
    workers = {f"{agent}-{slot}": taken(scene.line.pid(agent, slot)) for agent in AGENTS for slot in SLOTS}
    return {name: now.peak_mib for name, now in workers.items() if now is not None}


def _wait_until_sent(scene: Scene, events: int, timeout_s: float = 120.0) -> None:
    """Wait until so many more events than now are sent."""
    goal, deadline = len(scene.load.sent) + events, time.monotonic() + timeout_s
    while len(scene.load.sent) < goal:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{events:,} events were not sent within {timeout_s:g} s")
        time.sleep(0.01)


FAULTS = (
    Fault(13, "hot-key-burst", hot_key_burst),
    Fault(13, "lag-caught-up", lag_caught_up, brokers=(1,), settings={"chunk_records": CHUNK_RECORDS}),
)
