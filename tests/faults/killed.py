"""Fault 1: workers killed (-9)."""

from streams.agents.topology import VERIFIED_AGENTS as AGENTS
from streams.verify.drain import wait_until_drained
from tests.faults.line import SLOTS
from tests.faults.orders import Point, give
from tests.faults.scene import Fault, Scene

POINTS: tuple[Point, ...] = ("middle", "produced", "offsets", "committing", "committed", "revoking", "assigning")

STAY_DOWN_EVERY = 3

# So few events a second that between two of them every agent has nothing to do.
IDLE_RATE = 0.5


def kill_under_load(scene: Scene) -> None:
    """A worker of each agent in turn is killed while events flow, and started again."""
    for number in scene.times():
        agent, slot = AGENTS[number % len(AGENTS)], scene.rng.choice(SLOTS)
        ups = scene.line.ups(agent, slot)
        with scene.fault():
            scene.line.kill(agent, slot)
            scene.must_go_on()
            scene.line.start(agent, slot)
            scene.line.wait_until_up(agent, slot, ups + 1)


def kill_at_each_point(scene: Scene) -> None:
    """A worker of each agent dies at a point: in the middle of a batch, in the transaction before or after its offsets
    are sent, while it commits, after that, and in a rebalance, as it loses or is given its partitions.

    Each agent comes to each point in turn. It is started again, but every third time stays down until the other worker
    has done all. At last one of each dies while there is nothing to do: six deaths in the short form, in which all are
    started again, twelve or more in the long one.

    Seen to fail with results produced by a second producer that has no transactional id.
    """
    begin = scene.rng.randrange(len(POINTS))
    rounds = 1 if scene.short else STAY_DOWN_EVERY
    for number in scene.times(at_least=rounds * len(AGENTS)):
        points = [POINTS[(begin + number + place) % len(POINTS)] for place in range(len(AGENTS))]
        last = number // len(AGENTS) % STAY_DOWN_EVERY == STAY_DOWN_EVERY - 1
        _die(scene, dict(zip(AGENTS, points, strict=True)), stay_down=last)
    _kill_idle(scene)


def _die(scene: Scene, points: dict[str, Point], *, stay_down: bool) -> None:
    line = scene.line
    line.restarts = not stay_down
    victims = {agent: scene.rng.choice(SLOTS) for agent in points}
    ups = {agent: line.ups(agent, slot) for agent, slot in victims.items()}
    died = len(line.exits)
    with scene.fault(count=len(victims)):
        for agent, point in points.items():
            give(scene.folder, agent, victims[agent], "kill", point)
            if point in ("revoking", "assigning"):
                other = 1 - victims[agent]
                line.stop(agent, other)
                line.start(agent, other)
        line.wait_for_exits(died + len(victims))
        scene.must_go_on()
    wrong = [each for each in line.exits[died:] if each.code != -9 or victims[each.agent] != each.slot]
    if wrong or len(line.exits) != died + len(victims):
        raise RuntimeError(f"not these were to end: {line.exits[died:]}")
    line.restarts = True
    for agent, slot in victims.items():
        if stay_down:
            line.start(agent, slot)
        line.wait_until_up(agent, slot, ups[agent] + 1)


def _kill_idle(scene: Scene) -> None:
    scene.load.rate, rate = IDLE_RATE, scene.load.rate
    scene.watch.wait_for_all(set(scene.load.sent))
    scene.watch.wait_for(1)
    wait_until_drained(scene.settings, 60)  # the next event is a second away, or more
    slots = {agent: scene.rng.choice(SLOTS) for agent in AGENTS}
    ups = {agent: scene.line.ups(agent, slot) for agent, slot in slots.items()}
    with scene.fault(count=len(AGENTS)):
        for agent, slot in slots.items():
            scene.line.kill(agent, slot)
        scene.load.rate = rate
        scene.must_go_on()
        for agent, slot in slots.items():
            scene.line.start(agent, slot)
    for agent, slot in slots.items():
        scene.line.wait_until_up(agent, slot, ups[agent] + 1)


FAULTS = (
    Fault(1, "kill-under-load", kill_under_load),
    Fault(1, "kill-under-load-kip-848", kill_under_load, brokers=(1,), settings={"group_protocol": "consumer"}),
    Fault(1, "kill-at-each-point", kill_at_each_point, module="tests.faults.faulty_worker", restarts=True),
)
