"""Fault 8: a producer that fails. What a user may not do is in tests/kafka/test_security.py, under load as well."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from functools import partial

from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from schemas.records import TranscriptEvent
from schemas.topics import CLOUD_INFERENCE, DEAD_LETTERS, ROUTING_EVENTS, SENTIMENT
from streams.agents.topology import VERIFIED_AGENTS
from streams.operate.topics import create
from tests.faults.ends import wait_for_end, wait_until_all_up
from tests.faults.frozen import READ_AGAIN
from tests.faults.line import SLOTS
from tests.faults.narrow_worker import FULL
from tests.faults.scene import Fault, Scene
from tests.faults.stalled_worker import stall_file
from tests.faults.waiting import wait_until

# Smaller than any record of the line: 100 bytes.
TOO_SMALL = 100

# The agents that write each topic.
WRITERS: dict[str, str] = {SENTIMENT: "edge", ROUTING_EVENTS: "edge", CLOUD_INFERENCE: "edge"}

# A broker that stands still for 3 s is missed by nobody's time-outs, and the load fills every queue meanwhile.
FROZEN_S = 3.0


def too_large(scene: Scene) -> None:
    """An output topic, each in turn, takes no more records of more than 100 bytes, then again all.

    The worker ends, names the topic, and has committed nothing of the batch.
    Seen to fail with delivery that commits the offsets of a batch whose records were refused.
    """
    topics = list(WRITERS)
    for number in scene.times():
        topic = topics[number % len(topics)]
        name, since = scene.settings.topic(topic), len(scene.line.exits)
        ups = {slot: scene.line.ups(WRITERS[topic], slot) for slot in SLOTS}
        with scene.fault():
            _limit(scene, name, str(TOO_SMALL))
            words = rf"ProduceRequest for {name} .*MSG_SIZE_TOO_LARGE.*raise that topic's max\.message\.bytes"
            wait_for_end(scene, WRITERS[topic], words, since, times=2)
            _limit(scene, name, None)
            wait_until_all_up(scene, WRITERS[topic], ups)


def queue_full(scene: Scene) -> None:
    """A broker stands still for 3 s, and producers with room for a hundred records fill up in the batches that follow.

    Seen to fail with delivery that leaves out the record for which there was no room.
    """
    for _ in scene.times():
        full = _times_full(scene)
        with scene.fault():
            server = scene.rng.choice(scene.servers)
            server.signal(signal.SIGSTOP)
            time.sleep(FROZEN_S)
            server.signal(signal.SIGCONT)
            scene.must_go_on()
        if _times_full(scene) == full:
            raise RuntimeError("no queue was full")


def topic_missing(scene: Scene) -> None:
    """`dead-letters` and `cloud-inference` are deleted under running edge workers, and made again.

    The workers end, and are refused when they start again, with the topics' names; nothing of a batch is committed.
    Both are at rest, so that nothing is deleted that was still to be read: no guarantee outlasts that. For the same
    reason `dead-letters` is deleted the first time only, when it is empty. Whoever reads a topic is stopped before it
    is made anew, for a reader's positions are those of the old one.
    Seen to fail with delivery that takes a record that timed out for produced.
    """
    names = [scene.settings.topic(name) for name in (CLOUD_INFERENCE, DEAD_LETTERS)]
    admin = AdminClient({"bootstrap.servers": scene.settings.bootstrap_servers})
    for number in scene.times():
        deleted = names[: 2 if number == 0 else 1]
        since = len(scene.line.exits)
        ups = {(agent, slot): scene.line.ups(agent, slot) for agent in ("edge", "cloud") for slot in SLOTS}
        with scene.fault():
            with _held_back(scene):
                for slot in SLOTS:
                    scene.line.stop("cloud", slot)
                for future in admin.delete_topics(deleted).values():
                    future.result()
            _poison(scene, 8)
            missing = f"edge: topics? {', '.join(map(repr, deleted))} do(es)? not exist"
            end = wait_for_end(scene, "edge", missing, since, times=4)
            if end.code != 2:
                raise RuntimeError(f"a set-up that is wrong ends with 2: {end}")
            create(scene.settings)
            for slot in SLOTS:
                scene.line.start("cloud", slot)
            for (agent, slot), before in ups.items():
                scene.line.wait_until_up(agent, slot, before + 1)


def transaction_timeout(scene: Scene) -> None:
    """A worker whose heartbeats go on stands still inside a transaction for 32 s; the broker ends it within 12, or, as
    the worker's time-out grows, within 30. The worker reads its input again, and does not start again.
    """
    for number in scene.times():
        slot = SLOTS[number % len(SLOTS)]
        with scene.fault():
            before = scene.line.log("edge", slot).count(READ_AGAIN)
            stall_file(scene.folder, "edge", f"slot-{slot}").touch()
            said = partial(scene.line.log, "edge", slot)
            wait_until(lambda: said().count(READ_AGAIN) > before, "a transaction that the broker ended", 120.0)  # noqa: B023
            scene.must_go_on()


def _limit(scene: Scene, topic: str, value: str | None) -> None:
    """Set what `topic` takes at most, in bytes; None: what it took before."""
    operation = AlterConfigOpType.SET if value else AlterConfigOpType.DELETE
    entry = ConfigEntry("max.message.bytes", value or "", incremental_operation=operation)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": scene.settings.bootstrap_servers})
    for future in admin.incremental_alter_configs([resource]).values():
        future.result()


def _times_full(scene: Scene) -> int:
    return sum(scene.line.log(agent, slot).count(FULL) for agent in VERIFIED_AGENTS for slot in SLOTS)


@contextlib.contextmanager
def _held_back(scene: Scene) -> Iterator[None]:
    """The load holds its next event back until the block ends, which begins when all before it has its result."""
    held, go_on = threading.Event(), threading.Event()
    last: list[str] = []

    def hold(event: TranscriptEvent, producer: Producer) -> None:
        last[:] = [event.event_id]
        held.set()
        go_on.wait(60)
        scene.load.send(event, producer)

    scene.load.shape = hold
    try:
        if not held.wait(60):
            raise RuntimeError("the load did not come to its next event")
        scene.watch.wait_for_all(set(scene.load.sent) - set(last))
        yield
    finally:
        scene.load.shape = scene.load.send
        go_on.set()


def _poison(scene: Scene, records: int) -> None:
    """So many records that are none, spread over the partitions."""
    producer = Producer({"bootstrap.servers": scene.settings.bootstrap_servers, "enable.idempotence": True})
    for number in range(records):
        producer.produce(scene.load.topic, b"no record", f"poison-{number}".encode())
    if producer.flush(60):
        raise RuntimeError("the broker did not take the poison")


FAULTS = (
    Fault(8, "too-large", too_large, restarts=True),
    Fault(8, "queue-full", queue_full, module="tests.faults.narrow_worker"),
    Fault(8, "topic-missing", topic_missing, restarts=True),
    Fault(8, "transaction-timeout", transaction_timeout, module="tests.faults.stalled_worker"),
)
