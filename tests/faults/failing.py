"""Fault 2: an agent raises an exception on an event."""

import signal
import time

from streams.agents.topology import VERIFIED_AGENTS as AGENTS
from tests.faults.line import SLOTS, Exit
from tests.faults.orders import Point, give, take_back
from tests.faults.scene import Fault, Scene

POINTS: tuple[Point, ...] = ("first", "middle", "last")

# A frozen worker comes back to a batch of many; a tenth of its session.
PILE_UP_S = 0.6


def raise_in_a_batch(scene: Scene) -> None:
    """A worker of each agent raises on the first, a middle or the last event of a batch, and, started again, on the
    first event that it is given. It must end with a message each time, and its batch must be done by another.

    Seen to fail with a batch's offsets committed before the agent is asked.
    """
    begin = scene.rng.randrange(len(POINTS))
    line = scene.line
    for number in scene.times():
        victims = {agent: scene.rng.choice(SLOTS) for agent in AGENTS}
        ups = {agent: line.ups(agent, slot) for agent, slot in victims.items()}
        died = len(line.exits)
        with scene.fault(count=2 * len(victims)):
            for place, (agent, slot) in enumerate(victims.items()):
                give(scene.folder, agent, slot, "raise", POINTS[(begin + number + place) % len(POINTS)])
                _pile_up(scene, agent, slot)
            line.wait_for_exits(died + len(victims))
            for agent, slot in victims.items():
                give(scene.folder, agent, slot, "raise", "any")
            line.wait_for_exits(died + 2 * len(victims))
            scene.must_go_on()
            for agent, slot in victims.items():
                line.wait_until_up(agent, slot, ups[agent] + 2)
        _require_message(line.exits[died:])


def raise_on_every_event(scene: Scene) -> None:
    """Every worker of an agent, the edge's first, raises on every event, however often it is started again, until the
    cause is mended: no progress, no loss, and the line goes on by itself.

    Seen to fail with an agent's exception swallowed and its batch committed without output.
    """
    line = scene.line
    for number in scene.times():
        agent = AGENTS[number % len(AGENTS)]
        died = len(line.exits)
        with scene.fault():
            for slot in SLOTS:
                give(scene.folder, agent, slot, "raise", "any", lasting=True)
            line.wait_for_exits(died + len(SLOTS))
            if agent == "edge":
                scene.must_stand(5)
            line.wait_for_exits(died + 2 * len(SLOTS))
            for slot in SLOTS:
                take_back(scene.folder, agent, slot)
        _require_message(line.exits[died:])


def _pile_up(scene: Scene, agent: str, slot: int) -> None:
    """Have a worker come to a batch of several events: a first, a middle and a last one."""
    scene.line.send_signal(agent, slot, signal.SIGSTOP)
    time.sleep(PILE_UP_S)
    scene.line.send_signal(agent, slot, signal.SIGCONT)


def _require_message(exits: list[Exit]) -> None:
    for each in exits:
        if each.code != 1 or "a fault of the tests" not in each.last_words:
            raise RuntimeError(f"a worker did not say what was wrong: {each}")


FAULTS = (
    Fault(
        2,
        "exception-in-a-batch",
        raise_in_a_batch,
        settings={"random_cloud_rate": 0.5},  # the cloud's batches are of several events, too
        module="tests.faults.faulty_worker",
        restarts=True,
    ),
    Fault(2, "exception-on-every-event", raise_on_every_event, module="tests.faults.faulty_worker", restarts=True),
)
