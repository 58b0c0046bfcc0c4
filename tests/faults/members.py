"""Fault 4: workers that come and go, and partitions that are added."""

import time

from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined]

from schemas.topics import TRANSCRIPTS
from streams.agents.topology import VERIFIED_AGENTS as AGENTS
from streams.kafka.client import Cluster
from streams.kafka.reader import watermarks
from tests.faults.scene import SHORT_S, Fault, Scene

THIRD = 2  # the slot of the worker that comes and goes
ADDED = 4
PATIENCE_S = 60.0


def join_and_leave(scene: Scene) -> None:
    """A third worker of each agent joins and leaves in a storm, twice in the long form, a step every second or so: it
    leaves in good order, killed, or told to before it has come up.

    Seen to fail with positions that a worker keeps from when it had a partition before.
    """
    for _ in scene.times():
        present: dict[str, int] = {}
        with scene.fault():
            for agent in AGENTS * (2 if scene.seconds <= SHORT_S else 4):
                if agent in present:
                    _leave(scene, agent, present.pop(agent))
                else:
                    present[agent] = scene.line.ups(agent, THIRD) + 1
                    scene.line.start(agent, THIRD)
                time.sleep(scene.rng.uniform(0, 2))
                scene.must_go_on(10)


def _leave(scene: Scene, agent: str, ups: int) -> None:
    how = scene.rng.choice(("in good order", "killed", "early"))
    if how != "early":
        scene.line.wait_until_up(agent, THIRD, ups)
    if how == "killed":
        scene.line.kill(agent, THIRD)
    elif (code := scene.line.stop(agent, THIRD)) and how != "early":
        raise RuntimeError(
            f"the third {agent} worker left with exit code {code}: {scene.line.log(agent, THIRD)[-500:]}"
        )


def grow(scene: Scene) -> None:
    """`transcripts` gets four partitions more, which the line must find and read from their beginning by itself.

    Events of one conversation are on two partitions then, whose results have no order between them; within a partition,
    before and after, order must hold.
    Seen to fail with a partition without a commit being started at its end, not at its beginning.
    """
    admin = AdminClient({"bootstrap.servers": scene.settings.bootstrap_servers, "log_level": 0})
    topic = scene.settings.topic(TRANSCRIPTS)
    for _ in scene.times():
        partitions = len(watermarks(Cluster(scene.settings), TRANSCRIPTS)) + ADDED
        with scene.fault():
            [grown] = admin.create_partitions([NewPartitions(topic, partitions)]).values()
            grown.result(PATIENCE_S)
            _wait_until_filled(scene, partitions)
            scene.must_go_on()


def _wait_until_filled(scene: Scene, partitions: int) -> None:
    """Wait until each of so many partitions has an event."""
    deadline = time.monotonic() + PATIENCE_S
    while sum(mark.high > 0 for mark in watermarks(Cluster(scene.settings), TRANSCRIPTS).values()) < partitions:
        if time.monotonic() > deadline:
            raise RuntimeError(f"after {PATIENCE_S:g} s not each of {partitions} partitions has an event")
        time.sleep(0.1)


FAULTS = (
    Fault(4, "join-and-leave", join_and_leave),
    Fault(4, "join-and-leave-kip-848", join_and_leave, brokers=(1,), settings={"group_protocol": "consumer"}),
    Fault(4, "partitions-grow", grow),
)
