"""Fault 1: workers killed (-9)."""

from streams.worker import AGENTS
from tests.faults.line import SLOTS
from tests.faults.scene import Fault, Scene


def kill_under_load(scene: Scene) -> None:
    """A worker, edge, cloud and monitor in turn, is killed while events flow, and started again.

    Seen to fail with the group's metadata read at commit time instead of the chunk's own generation.
    """
    for number in scene.times():
        agent, slot = AGENTS[number % len(AGENTS)], scene.rng.choice(SLOTS)
        ups = scene.line.ups(agent, slot)
        with scene.fault():
            scene.line.kill(agent, slot)
            scene.must_go_on()
            scene.line.start(agent, slot)
            scene.line.wait_until_up(agent, slot, ups + 1)


FAULTS = (Fault(1, "kill-under-load", kill_under_load),)
