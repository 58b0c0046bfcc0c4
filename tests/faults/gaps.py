"""Fault 14: offsets without a record, of transactions and of compaction."""

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from schemas.topics import TRANSCRIPTS
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from tests.faults.line import SLOTS
from tests.faults.load import events
from tests.faults.scene import Fault, Scene
from tests.faults.waiting import wait_until

IN_A_TRANSACTION = 50
TRANSACTIONS = 3  # of each kind in a row
STANDS_S = 1.0

FILLERS = 400  # a partition, all of one key: compaction leaves the last, and what it does not come to
GAP = 200  # of them at least must be gone
COMPACTED = {
    "cleanup.policy": "compact",
    "segment.ms": "1000",  # a segment that is still being written is not compacted
    "min.cleanable.dirty.ratio": "0.01",
}


def transactional_input(scene: Scene) -> None:
    """Beside the usual load, input comes in transactions: committed ones, aborted ones, and one that is left open for a
    while. The line must stand then, for nobody may read past it. In the end aborted records are the last of all.

    Of an aborted event nothing is ever seen.
    """
    sender = _Transactions(scene)
    for _ in scene.times():
        with scene.fault():
            for _ in range(TRANSACTIONS):
                for commit in (True, False):
                    with sender.transaction(commit=commit):
                        pass
            with sender.transaction(commit=scene.rng.random() < 0.5):
                scene.must_stand(STANDS_S)
            scene.must_go_on()
    scene.load.stop()
    with sender.transaction(commit=False):
        pass


class _Transactions:
    """Puts events into `transcripts` in transactions; those that are committed count as sent by the load."""

    def __init__(self, scene: Scene) -> None:
        self._load = scene.load
        self._events = events("transactional")
        self._producer = Producer(
            {
                "bootstrap.servers": scene.settings.bootstrap_servers,
                "transactional.id": f"{self._load.topic}-load",
                "log_level": 0,
            }
        )
        self._producer.init_transactions(60)

    @contextlib.contextmanager
    def transaction(self, *, commit: bool) -> Iterator[None]:
        """A transaction of some events in every partition, open during the block."""
        self._producer.begin_transaction()
        batch = list(islice(self._events, IN_A_TRANSACTION))
        for event in batch:
            self._producer.produce(self._load.topic, self._load.codec.encode(event), event.conversation_id.encode())
        self._producer.flush(60)
        yield
        if commit:
            now = time.monotonic()
            self._load.sent.update((event.event_id, now) for event in batch)
            self._producer.commit_transaction(60)
        else:
            self._producer.abort_transaction(60)


def gaps_of_compaction(scene: Scene) -> None:
    """`transcripts` is compacted while no worker reads it: most offsets that are read next hold no record."""
    scene.load.shape = lambda event, producer: scene.load.put(producer, event.event_id, scene.load.codec.encode(event))
    scene.watch.wait_for_all(set(scene.load.sent))  # compaction may have them: those to come have keys of their own
    _configure(scene, COMPACTED)
    fillers: set[str] = set()
    for number in scene.times():
        with scene.fault():
            ups = [scene.line.ups("edge", slot) for slot in SLOTS]
            for slot in SLOTS:
                scene.line.stop("edge", slot)
            fillers |= _compact(scene, f"filler-{number}")
            for slot in SLOTS:
                scene.line.start("edge", slot)
            for slot in SLOTS:
                scene.line.wait_until_up("edge", slot, ups[slot] + 1)
            scene.must_go_on()
    scene.checks.append(lambda _: scene.note_read(fillers))


def _configure(scene: Scene, config: dict[str, str]) -> None:
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in config.items()]
    resource = ConfigResource(ResourceType.TOPIC, scene.settings.topic(TRANSCRIPTS), incremental_configs=entries)
    admin = AdminClient({"bootstrap.servers": scene.settings.bootstrap_servers, "log_level": 0})
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(30)


def _compact(scene: Scene, key: str) -> set[str]:
    """Put so many events into each partition, all under one key, and wait until most are gone; their ids."""
    producer = Producer({"bootstrap.servers": scene.settings.bootstrap_servers, "enable.idempotence": True})
    ids: set[str] = set()
    for partition in range(scene.settings.transcripts_partitions):
        for event in islice(events(f"{key}-{partition}"), FILLERS):
            producer.produce(scene.load.topic, scene.load.codec.encode(event), key.encode(), partition)
            ids.add(event.event_id)
    if producer.flush(60):
        raise RuntimeError("the broker did not take the fillers")
    wait_until(lambda: _left(scene, key) <= FILLERS - GAP, "the compaction of the input")
    return ids


def _left(scene: Scene, key: str) -> int:
    """How many of the fillers of a key are left where most are."""
    found = Counter(m.partition() for m in read_topic(Cluster(scene.settings), TRANSCRIPTS) if m.key() == key.encode())
    return max(found.values())


FAULTS = (
    Fault(14, "transactional-input", transactional_input),
    Fault(14, "gaps-of-compaction", gaps_of_compaction),
)
