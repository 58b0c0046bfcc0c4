"""Fault 3: a worker that stands still for longer than its session, and comes back as a zombie."""

import signal
import time
from collections.abc import Callable

from streams.agents.topology import VERIFIED_AGENTS as AGENTS
from tests.faults.group import Group
from tests.faults.line import SLOTS
from tests.faults.orders import Point, give, is_done
from tests.faults.scene import Fault, Scene

POINTS: tuple[Point, ...] = ("middle", "produced", "offsets")

# A broker ends an open transaction after 20 s, and looks for such every 10 s.
OVERDUE_S = 31.0

# What a zombie says: it goes on as a member of the next generation, or ends, fenced or too late for what it had asked
# of the broker.
READ_AGAIN = "its input is read again"
CRASHED = "Crashed reason="  # Faust's word for an agent that raised
ENDS = ("transactions were taken over", "the worker must start again")


def freeze(scene: Scene) -> None:
    """A worker of each agent freezes: in the middle of a batch, in a transaction before its offsets are sent, after it.

    Another takes its partitions over. One comes back as soon as it is out of its group, another when the broker has
    long ended its transaction: what they then try to commit must be refused, or, where the broker had its offsets, not
    be done again. In the long form all of an agent's workers freeze at once then, so that nobody takes over.

    Seen to fail with offsets sent without the group's generation, as by one who is in no group.
    """
    begin = scene.rng.randrange(len(POINTS))
    for turn, _ in enumerate(scene.times()):
        points = {agent: POINTS[(begin + turn + place) % len(POINTS)] for place, agent in enumerate(AGENTS)}
        _one_of_each(scene, points, late=scene.rng.choice(AGENTS))
        if not scene.short:
            _all_of_one(scene, AGENTS[turn % len(AGENTS)])
    if wrong := [each for each in scene.line.exits if each.code != 1 or not _ends(each.last_words)]:
        raise RuntimeError(f"workers ended, and not because they were fenced: {wrong}")


def _one_of_each(scene: Scene, points: dict[str, Point], late: str) -> None:
    line = scene.line
    victims = {agent: scene.rng.choice(SLOTS) for agent in points}
    before = {agent: _fenced(scene, agent, slot) for agent, slot in victims.items()}
    with scene.fault(count=len(victims)):
        for agent, slot in victims.items():
            give(scene.folder, agent, slot, "freeze", points[agent])
        for agent, slot in victims.items():
            _wait_until_frozen(scene, agent, slot)
        frozen = time.monotonic()
        for agent, slot in victims.items():
            Group(scene.settings, agent).wait_until(_without(f"slot-{slot}"))
            if agent != late:
                line.send_signal(agent, slot, signal.SIGCONT)
        scene.must_go_on()
        time.sleep(max(0.0, frozen + OVERDUE_S - time.monotonic()))
        line.send_signal(late, victims[late], signal.SIGCONT)
        for agent, slot in victims.items():
            # With its offsets at the broker a transaction counts, as long as the broker has not ended it.
            if agent == late or points[agent] != "offsets":
                _wait_until_fenced(scene, agent, slot, before[agent])
    for agent in victims:
        _wait_for_both(scene, agent)


def _all_of_one(scene: Scene, agent: str) -> None:
    with scene.fault():
        for slot in SLOTS:
            scene.line.send_signal(agent, slot, signal.SIGSTOP)
        Group(scene.settings, agent).wait_until(lambda members: not members)
        if agent == "edge":
            scene.must_stand(1)
        for slot in SLOTS:
            scene.line.send_signal(agent, slot, signal.SIGCONT)
    _wait_for_both(scene, agent)


def _without(worker_id: str) -> Callable[[dict[str, int]], bool]:
    return lambda members: worker_id not in members and sum(members.values()) > 0


def _wait_for_both(scene: Scene, agent: str) -> None:
    """Wait until both workers share the partitions, after a restart too; one that ends may still be in the group."""
    for slot in SLOTS:
        scene.line.wait_until_up(agent, slot, 1 + scene.line.log(agent, slot).count(CRASHED))
    Group(scene.settings, agent).wait_until(lambda members: len(members) == 2 and all(members.values()))


def _wait_until_frozen(scene: Scene, agent: str, slot: int, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_done(scene.folder, agent, slot):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{agent}-{slot} did not come to the point within {timeout_s:g} s")
        time.sleep(0.02)


def _fenced(scene: Scene, agent: str, slot: int) -> int:
    """How often a slot's worker was told that what it did was not its to do."""
    log = scene.line.log(agent, slot)
    return sum(READ_AGAIN in line or _ends(line) for line in log.splitlines())


def _ends(line: str) -> bool:
    return any(words in line for words in ENDS)


def _wait_until_fenced(scene: Scene, agent: str, slot: int, before: int, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while _fenced(scene, agent, slot) <= before:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the zombie {agent}-{slot} was not fenced: {scene.line.log(agent, slot)[-800:]}")
        time.sleep(0.05)


def no_member(scene: Scene) -> None:
    """A worker of each agent freezes with records that it has just fetched, until others have taken over and done
    them. When it asks by which right it fetched them, the group's metadata names no member and no generation. By that
    a broker fences nobody: the worker itself must refuse to commit.

    Seen to fail with metadata taken as it comes.
    """
    for _ in scene.times():
        victims = {agent: scene.rng.choice(SLOTS) for agent in AGENTS}
        before = {agent: _fenced(scene, agent, slot) for agent, slot in victims.items()}
        with scene.fault(count=len(victims)):
            for agent, slot in victims.items():
                give(scene.folder, agent, slot, "freeze", "fetched")
            for agent, slot in victims.items():
                _wait_until_frozen(scene, agent, slot)
            for agent, slot in victims.items():
                Group(scene.settings, agent).wait_until(_without(f"slot-{slot}"))
            scene.must_go_on()
            scene.watch.wait_for_all(set(scene.load.sent))
            for agent, slot in victims.items():
                scene.line.send_signal(agent, slot, signal.SIGCONT)
                _wait_until_fenced(scene, agent, slot, before[agent])
        for agent in victims:
            _wait_for_both(scene, agent)


FAULTS = (
    Fault(3, "no-member", no_member, module="tests.faults.faulty_worker", restarts=True),
    Fault(3, "freeze", freeze, module="tests.faults.faulty_worker", restarts=True),
)
