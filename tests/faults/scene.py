"""A fault, and the scene that it is played on: a line of two workers an agent under load, watched, and judged after."""

import contextlib
import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from schemas.topics import TRANSCRIPTS
from streams.agents.topology import VERIFIED_AGENTS as AGENTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka import client
from streams.kafka.reader import read_topic
from streams.operate.topics import create
from streams.verify.drain import wait_until_drained
from streams.verify.read_line import verify
from streams.verify.verdict import Verdict
from tests.faults.clusters import Cluster
from tests.faults.line import SLOTS, Line
from tests.faults.load import Load
from tests.faults.network import HOSTS
from tests.faults.registry import schema_registry
from tests.faults.removed import Removed
from tests.faults.watch import Watch
from tests.kafka.kafka_server import bootstrap_servers
from tests.tiny_artifact import tiny_artifact

# Two cores carry the brokers, six workers, the load and the watch; the faults are delivery's to stand, not the model's.
RATE = 200.0
DRAIN_S = 180.0

# No longer than this is the short form: most faults are then injected once.
SHORT_S = 3.0

# What was published when a fault began is seen within moments; a watch that shares two cores with all else needs more.
SETTLE_S = 30.0
QUIET_S = 3.0  # without a result: what the cloud was asked has come


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, and how the line is set up for it."""

    number: int
    """Of the list in docs/faults.md."""
    name: str
    play: Callable[["Scene"], None]
    """Makes it go wrong while the load runs; its docstring says what and, of most, which break of the product it was
    seen to find."""
    brokers: tuple[int, ...] = (1, 3)
    """On clusters of which sizes."""
    settings: Mapping[str, object] = field(default_factory=dict)
    slots: tuple[int, ...] = SLOTS
    agents: tuple[str, ...] = AGENTS
    rate: float = RATE
    restarts: bool = False
    """Whether workers may end by themselves, and are then started again as a process manager does."""
    module: str = "streams.cli"
    """What the workers run."""
    registry: bool = False
    """Whether there is a schema registry, which the workers, the watch and `edgewise verify` use."""
    proxied: bool = False
    """Whether the workers reach the brokers through the network that can be broken, each slot's from a host of its own;
    the load and the watch never do."""


class Outcome(NamedTuple):
    """A row of the table; times in seconds."""

    number: int
    fault: str
    brokers: int
    seed: int
    injected: int
    events: int
    lost: int
    duplicated: int
    out_of_order: int
    other: int
    """Of the audit trail, of the totals, unknown and unreadable results."""
    dead_letters: int
    longest_stop_s: float
    """The longest that an event had to wait for its result to be seen."""
    recovery_s: float
    """The longest from a fault's end until everything sent before that had its result."""

    @property
    def holds(self) -> bool:
        """Nothing lost, nothing twice, in order, all totals equal."""
        return not (self.lost or self.duplicated or self.out_of_order or self.other)


class Scene:
    """What a fault's `play` works with."""

    def __init__(
        self,
        *,
        settings: Settings,
        cluster: Cluster,
        folder: Path,
        line: Line,
        load: Load,
        watch: Watch,
        seed: int,
        seconds: float,
    ) -> None:
        self.settings = settings
        self.servers = cluster.servers
        self.network = cluster.network
        self.folder = folder
        self.line = line
        self.load = load
        self.watch = watch
        self.seed = seed
        self.rng = random.Random(seed)
        self.seconds = seconds
        self.injected = 0
        self.recoveries: list[float] = []
        self.checks: list[Callable[[Verdict], None]] = []
        """Called with the verdict when all has drained: what else must be true then."""
        self.removed = Removed()

    @property
    def short(self) -> bool:
        """Whether this is the short form, which CI plays."""
        return self.seconds <= SHORT_S

    def times(self, at_least: int = 1) -> Iterator[int]:
        """Numbers of the faults to inject: so many at least, and as many as begin within `seconds`."""
        begun = time.monotonic()
        while self.injected < at_least or time.monotonic() < begun + self.seconds:
            yield self.injected

    @contextlib.contextmanager
    def fault(self, timeout_s: float = 120.0, *, count: int = 1) -> Iterator[None]:
        """A fault, or so many at once: the block begins and ends it. Then waits until all sent before has its result.

        Raises RuntimeError when that takes longer than `timeout_s`.
        """
        self.injected += count
        yield
        ended = time.monotonic()
        before = set(self.load.sent) - self.removed.unread
        try:
            self.watch.wait_for_all(before, timeout_s)
        except RuntimeError as error:
            raise RuntimeError(f"{error}; {self.load.waiting():,} events no broker had taken") from error
        self.recoveries.append(max((self.watch.seen[each] for each in before), default=ended) - ended)

    def note_read(self, others: AbstractSet[str] = frozenset()) -> None:
        """Note what of the load, or of `others`, has a result and is gone from `transcripts`; when all is at rest."""
        decode = codec(self.settings, TRANSCRIPTS).decode
        present = {
            decode(message.value()).event_id for message in read_topic(client.Cluster(self.settings), TRANSCRIPTS)
        }
        self.removed.read |= self.watch.seen.keys() & (self.load.sent.keys() | others) - present

    def must_go_on(self, events: int = 50, timeout_s: float = 60.0) -> None:
        """Wait, in the middle of a fault, until so many more events have a result."""
        self.watch.wait_for(events, timeout_s)

    def must_stand(self, seconds: float) -> None:
        """The line must publish nothing for so long, once what was under way is through; raises RuntimeError if not."""
        deadline = time.monotonic() + SETTLE_S
        before = -1
        while self.watch.count() != before and time.monotonic() < deadline:
            before = self.watch.count()
            time.sleep(QUIET_S)
        time.sleep(seconds)
        if (more := self.watch.count() - before) > 0:
            raise RuntimeError(f"{more} results came while the line had to stand still")


def play(fault: Fault, cluster: Cluster, folder: Path, *, seed: int, seconds: float) -> Outcome:
    """Play `fault` on a cluster for about so long, drain, judge.

    Raises RuntimeError: the line did not come up, go on or recover, or a worker ended by itself that must not.
    """
    with schema_registry() if fault.registry else contextlib.nullcontext() as registry:
        return _play(fault, cluster, folder, registry, seed=seed, seconds=seconds)


def _play(fault: Fault, cluster: Cluster, folder: Path, registry: str | None, *, seed: int, seconds: float) -> Outcome:
    folder.mkdir(parents=True, exist_ok=True)
    models = {f"{name}_model": str(tiny_artifact(folder, name)) for name in ("edge", "cloud")}
    settings = Settings(
        bootstrap_servers=bootstrap_servers(cluster.servers),
        topic_prefix=f"{fault.name}-{uuid.uuid4().hex[:8]}.",
        replication_factor=min(3, len(cluster.servers)),
        schema_registry_url=registry,
    ).model_copy(update={**models, **fault.settings})
    create(settings)
    hosts = {
        host: settings.model_copy(update={"bootstrap_servers": cluster.network.bootstrap_servers(host)})
        for host in HOSTS
        if fault.proxied
    }
    with (
        Line(
            settings,
            folder,
            fault.slots,
            fault.agents,
            restarts=fault.restarts,
            module=fault.module,
            hosts=hosts,
            forked=seconds <= SHORT_S,
        ) as line,
        Load(settings, fault.rate) as load,
        Watch(settings) as watch,
    ):
        for agent in fault.agents:
            for slot in fault.slots:
                line.wait_until_up(agent, slot)
        load.start()
        watch.wait_for(1)
        scene = Scene(
            settings=settings,
            cluster=cluster,
            folder=folder,
            line=line,
            load=load,
            watch=watch,
            seed=seed,
            seconds=seconds,
        )
        fault.play(scene)
        load.stop()
        wait_until_drained(settings, DRAIN_S)
        watch.wait_for_all(set(load.sent) - scene.removed.unread)
        if line.exits and not fault.restarts:
            raise RuntimeError(f"workers ended by themselves: {line.exits}")
    verdict = verify(settings)
    for check in scene.checks:
        check(verdict)
    return _outcome(fault, len(cluster.servers), seed, scene, verdict)


def _outcome(fault: Fault, brokers: int, seed: int, scene: Scene, verdict: Verdict) -> Outcome:
    sent, watch, removed = scene.load.sent, scene.watch, scene.removed
    if verdict.truncated != removed.truncated(scene.settings):
        raise RuntimeError(f"the proof is not complete: {verdict.truncated}")
    if answered := removed.unread & watch.seen.keys():
        raise RuntimeError(f"{len(answered)} events have a result, and were reported as removed before they were read")
    # Twice counted, by the verifier and by the watch, which knows nothing of it: the worse of the two.
    expected = verdict.repeated
    twice = max(0, sum(watch.times.values()) - len(watch.times) - expected)
    judged = ("lost", "duplicated", "out_of_order", "unknown")
    return Outcome(
        number=fault.number,
        fault=fault.name,
        brokers=brokers,
        seed=seed,
        injected=scene.injected,
        events=verdict.events,
        lost=max(verdict.lost.count, len(sent.keys() - watch.seen.keys() - removed.unread)),
        duplicated=max(verdict.duplicated.count, twice),
        out_of_order=verdict.out_of_order.count,
        other=sum(kind.count for name, kind in verdict.faults.items() if name not in judged)
        + abs(verdict.unknown.count - len(removed.read)),
        dead_letters=verdict.dead_letters,
        longest_stop_s=max(watch.seen[each] - sent[each] for each in sent if each in watch.seen),
        recovery_s=max(scene.recoveries, default=0.0),
    )
