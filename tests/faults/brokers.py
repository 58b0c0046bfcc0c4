"""Fault 6: brokers that die."""

import signal
import time
from collections.abc import Callable

from confluent_kafka.admin import AdminClient

from schemas.topics import TRANSCRIPTS
from tests.faults.scene import Fault, Scene
from tests.kafka.kafka_server import KafkaServer

PATIENCE_S = 120.0

# Brokers start slowly on a busy machine, and what was held back meanwhile has to be worked off.
RECOVERY_S = 240.0


def restarted(scene: Scene) -> None:
    """The only broker is killed (-9): the line stands, and goes on once the broker is back. Workers may start again.

    Seen to fail with results produced by a second producer that has no transactional id.
    """
    [server] = scene.servers
    for _ in scene.times():
        with scene.fault(RECOVERY_S):
            server.kill()
            scene.must_stand(scene.rng.choice((1.0, 12.0)) if scene.injected > 1 else 1.0)
            server.start()


def one_of_three_down(scene: Scene) -> None:
    """Of three brokers one is killed that leads partitions and coordinates the edge agents' group, or the active
    controller, or a leader is frozen until others lead in its place: the seed says which is first, and in the long
    form another follows. Two are in sync, and every partition goes on.

    The controller gives a broker up after 9 s, and a transaction may take 20: workers may start again.
    Seen to fail with topics that are made with one replica, whatever the settings say.
    """
    kinds = (_coordinator, _controller, _leader)
    for number in scene.times(at_least=1 if scene.short else 2):
        _wait_until_in_sync(scene)
        kind = kinds[(scene.seed + number) % len(kinds)]
        server, frozen = kind(scene), kind is _leader
        with scene.fault(RECOVERY_S):
            if frozen:
                server.signal(signal.SIGSTOP)
            else:
                server.kill()
            _wait_until_replaced(scene, server)
            scene.watch.wait_for_all(set(scene.load.sent), PATIENCE_S)  # each partition goes on without it
            if frozen:
                server.signal(signal.SIGCONT)
            else:
                server.start()


def two_of_three_down(scene: Scene) -> None:
    """Two of three brokers are killed: with fewer in sync than `min.insync.replicas` the line must stand; it goes on
    once they are back, and nothing that was confirmed is gone. Workers may start again.

    Seen to fail with results produced by a second producer that has no transactional id.
    """
    for _ in scene.times():
        _wait_until_in_sync(scene)
        down = scene.rng.sample(scene.servers, 2)
        with scene.fault(RECOVERY_S):
            for server in down:
                server.kill()
            scene.must_stand(3.0)
            for server in down:
                server.launch()
            for server in down:
                server.wait()


def _leader(scene: Scene) -> KafkaServer:
    """Who leads some partition of `transcripts`."""
    topic = _admin(scene).list_topics(scene.settings.topic(TRANSCRIPTS), timeout=30).topics
    [metadata] = topic.values()
    return _of(scene, scene.rng.choice(list(metadata.partitions.values())).leader)


def _coordinator(scene: Scene) -> KafkaServer:
    """The coordinator of the edge agents' group; each of three brokers leads one of four partitions at least."""
    group = scene.settings.group("edge")
    admin = _admin(scene)  # its futures live as long as it does
    [described] = admin.describe_consumer_groups([group]).values()
    return _of(scene, described.result(PATIENCE_S).coordinator.id)


def _controller(scene: Scene) -> KafkaServer:
    return _of(scene, scene.rng.choice(scene.servers).active_controller())


def _of(scene: Scene, node: int) -> KafkaServer:
    return next(server for server in scene.servers if server.node.id == node)


def _wait_until_replaced(scene: Scene, server: KafkaServer) -> None:
    """Until no partition is led by `server`, as the others say."""

    def replaced() -> bool:
        topics = _admin(scene, without=server).list_topics(timeout=30).topics.values()
        return all(each.leader != server.node.id for topic in topics for each in topic.partitions.values())

    _wait_until(replaced, "no partition is led by the broker that is down")


def _wait_until_in_sync(scene: Scene) -> None:
    """Until every replica of every partition is in sync: what confirms a record is on all of them then."""

    def in_sync() -> bool:
        topics = _admin(scene).list_topics(timeout=30).topics.values()
        return all(len(each.isrs) == len(each.replicas) for topic in topics for each in topic.partitions.values())

    _wait_until(in_sync, "all replicas are in sync")


def _wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not after {PATIENCE_S:g} s: {what}")
        time.sleep(0.2)


def _admin(scene: Scene, without: KafkaServer | None = None) -> AdminClient:
    """A client of the brokers that run; one that is frozen would not answer it."""
    servers = ",".join(each.bootstrap_servers for each in scene.servers if each is not without and each.running())
    return AdminClient({"bootstrap.servers": servers, "log_level": 0})


FAULTS = (
    Fault(6, "broker-restarted", restarted, brokers=(1,), restarts=True),
    Fault(6, "one-of-three-down", one_of_three_down, brokers=(3,), restarts=True),
    Fault(6, "two-of-three-down", two_of_three_down, brokers=(3,), restarts=True),
)
