"""Fault 7: a network that is slow and lossy, loses connections, or splits.

The workers of slot 0 are on one host and those of slot 1 on another, each with its own way to each broker.
"""

import time
from collections.abc import Collection
from typing import NamedTuple

from tests.faults.network import HOSTS, Trouble
from tests.faults.scene import Fault, Scene

# Longer than a session (6 s) and than a transaction may take (20 s): others have taken over, and what was held arrives
# late, from a member that is none and in a transaction that is over.
SPLIT_S = 22.0


def slow(scene: Scene) -> None:
    """What both hosts, or one, send and get comes 200 to 300 ms late, and one piece in fifty has to be sent again.

    Seen to fail with a transaction time-out of one second.
    """
    for number in scene.times():
        with scene.fault():
            scene.network.trouble(Trouble(delay_s=0.2, jitter_s=0.1, loss=0.02), _turn(number))
            scene.must_go_on(600)
            scene.network.heal()


def cut(scene: Scene) -> None:
    """Connections of both hosts, or of one, are reset three times, and new ones refused for up to two seconds.

    Seen to fail with librdkafka's own pause before it connects again, which grows to ten seconds, and now and then
    without `_UNKNOWN_PARTITION` in `streams.kafka.client`.
    """
    for number in scene.times():
        hosts = _turn(number)
        with scene.fault():
            for _ in range(3):
                scene.network.trouble(Trouble(refuses=True), hosts)
                scene.network.cut(hosts)
                time.sleep(scene.rng.uniform(0, 2))
                scene.network.heal()
                scene.must_go_on()


def split(scene: Scene) -> None:
    """Nothing passes for longer than a session and a transaction may take, and then everything that was held arrives:
    of one host the brokers' answers or both directions, of both hosts, of one host's way to one broker of three. The
    seed says which is first, and in the long form another follows.

    Seen to fail with results produced by a second producer that has no transactional id.
    """
    one = (scene.rng.choice(HOSTS),)
    splits = [
        Split(one, holds_requests=False),
        Split(HOSTS, holds_requests=True),
        Split(one, holds_requests=True),
        Split(HOSTS, holds_requests=False),
    ]
    if len(scene.servers) > 1:
        splits.append(Split(one, holds_requests=True, brokers=(scene.rng.randrange(len(scene.servers)),)))
    for number in scene.times(at_least=1 if scene.short else 2):
        hosts, holds_requests, brokers = splits[(scene.seed + number) % len(splits)]
        with scene.fault(180):
            scene.network.trouble(Trouble(holds_requests=holds_requests, holds_answers=True), hosts, brokers)
            ends = time.monotonic() + SPLIT_S
            if len(hosts) < len(HOSTS):
                scene.must_go_on(500)
            else:
                scene.must_stand(SPLIT_S / 2)
            time.sleep(max(0.0, ends - time.monotonic()))
            scene.network.heal()


class Split(NamedTuple):
    """Whose ways hold what."""

    hosts: Collection[int]
    holds_requests: bool
    brokers: Collection[int] | None = None


def _turn(number: int) -> Collection[int]:
    """Both hosts, then one, then the other."""
    return (HOSTS, HOSTS[:1], HOSTS[1:])[number % 3]


FAULTS = (
    Fault(7, "network-slow", slow, proxied=True),
    Fault(7, "connections-cut", cut, proxied=True),
    Fault(7, "network-split", split, proxied=True, restarts=True),
)
