"""Fault 5: workers are told to stop while events flow: SIGTERM, Ctrl-C, once and twice."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from streams.agents.topology import VERIFIED_AGENTS as AGENTS
from streams.system.processes import die_with_parent
from tests.faults.group import Group
from tests.faults.line import SLOTS, environ
from tests.faults.scene import Fault, Scene
from tests.kafka.kafka_server import REPOSITORY

# What container platforms grant before they kill.
GRACE_S = 10.0

# The second signal comes before the first was handled, while the batch under way is finished, or while the group is
# left: that takes a tenth of a second to a second in all.
PAUSES_S = (0.0, 0.05, 0.3)

COMPLAINTS = ("Traceback", "ERROR", "not clean", "aborted", "was killed")

SUPERVISED = "supervised"


def stop(scene: Scene) -> None:
    """A worker of each agent is stopped, by SIGTERM, SIGTERM twice, or Ctrl-C twice: it finishes its batch, commits and
    leaves its group within 10 s, ends with 0 and without complaint. Its partitions go to the other worker at once: when
    it has ended the group knows it no more, and waits for no session to time out. The group is at rest before: what a
    worker that leaves in the midst of a rebalance asks for waits behind its request to join.

    Seen to fail with the process ended without leaving the group.
    """
    ways = ((signal.SIGTERM, False), (signal.SIGTERM, True), (signal.SIGINT, True))
    for number in scene.times(at_least=len(AGENTS)):
        stopped = {agent: scene.rng.choice(SLOTS) for agent in AGENTS}
        ups = {agent: scene.line.ups(agent, slot) for agent, slot in stopped.items()}
        for agent in AGENTS:
            Group(scene.settings, agent).wait_until_shared_out(len(SLOTS))
        with scene.fault(count=len(AGENTS)):
            for place, (agent, slot) in enumerate(stopped.items()):
                which, twice = ways[(number // len(AGENTS) + place) % len(ways)]
                _stop_one(scene, agent, slot, which, scene.rng.choice(PAUSES_S) if twice else None)
            scene.must_go_on()
        for agent, slot in stopped.items():
            scene.line.start(agent, slot)
        for agent, slot in stopped.items():
            scene.line.wait_until_up(agent, slot, ups[agent] + 1)


def _stop_one(scene: Scene, agent: str, slot: int, number: signal.Signals, again_after_s: float | None) -> None:
    group, before = Group(scene.settings, agent), len(scene.line.log(agent, slot))
    begun = time.monotonic()
    code = scene.line.stop(agent, slot, number, again_after_s)
    seconds, members, said = time.monotonic() - begun, group.members(), scene.line.log(agent, slot)[before:]
    what = f"{agent}-{slot}, told to stop by {number.name}{'' if again_after_s is None else ' twice'},"
    if code != 0 or seconds > GRACE_S or any(complaint in said for complaint in COMPLAINTS):
        raise RuntimeError(f"{what} ended with {code} after {seconds:.1f} s: {said[-800:]}")
    if f"slot-{slot}" in members:
        raise RuntimeError(f"{what} ended and is still in its group: {members}")


def stop_supervisor(scene: Scene) -> None:
    """`edgewise worker` runs all agents beside the line's own workers and is stopped: by Ctrl-C, which a terminal sends
    to it and to its workers alike, by Ctrl-C twice, or by SIGTERM to it alone. It ends with 0 within 10 s and without
    complaint; its workers have left their groups, and no process is left.

    Seen to fail with workers that are killed instead of told to stop.
    """
    ways = [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGINT, False)]
    for number in scene.times(at_least=2):
        which, twice = ways[number % len(ways)]
        log = scene.folder / f"supervisor-{number}.log"
        with scene.fault(), _supervisor(scene, log) as supervisor:
            _wait_until_up(supervisor, log)
            for agent in AGENTS:
                Group(scene.settings, agent).wait_until_shared_out(2)  # the line's worker, and this one's
            scene.must_go_on()
            _stop_all(scene, supervisor, log, which, scene.rng.choice(PAUSES_S) if twice else None)
            scene.must_go_on()


@contextlib.contextmanager
def _supervisor(scene: Scene, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`edgewise worker`, in a process group of its own, as a shell starts it."""
    variables = environ(scene.settings) | {"EDGEWISE_WORKER_ID": SUPERVISED, "EDGEWISE_LOG_LEVEL": "info"}
    with log.open("wb") as file:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "streams.cli", "worker"],
            cwd=REPOSITORY,
            env=variables,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(),  # noqa: PLW1509
        )
    try:
        yield supervisor
    finally:
        supervisor.kill()  # its workers end with it
        supervisor.wait()


def _wait_until_up(supervisor: subprocess.Popen[bytes], log: Path, timeout_s: float = 90.0) -> None:
    deadline = time.monotonic() + timeout_s
    while log.read_text().count("is up") < len(AGENTS):
        if time.monotonic() > deadline or supervisor.poll() is not None:
            raise RuntimeError(f"edgewise worker did not come up: {log.read_text()[-800:]}")
        time.sleep(0.05)


def _stop_all(
    scene: Scene, supervisor: subprocess.Popen[bytes], log: Path, number: signal.Signals, again_after_s: float | None
) -> None:
    groups = {agent: Group(scene.settings, agent) for agent in AGENTS}
    send = os.killpg if number == signal.SIGINT else os.kill
    begun = time.monotonic()
    send(supervisor.pid, number)
    if again_after_s is not None:
        time.sleep(again_after_s)
        send(supervisor.pid, number)
    code = supervisor.wait(60)
    seconds, said = time.monotonic() - begun, log.read_text()
    if code != 0 or seconds > GRACE_S or any(complaint in said for complaint in COMPLAINTS):
        raise RuntimeError(f"edgewise worker ended with {code} after {seconds:.1f} s: {said[-800:]}")
    members = [member for group in groups.values() for member in group.members()]
    if any(SUPERVISED in member for member in members):
        raise RuntimeError(f"edgewise worker ended, and its workers are still in their groups: {members}")
    with contextlib.suppress(ProcessLookupError):
        os.killpg(supervisor.pid, 0)
        raise RuntimeError("edgewise worker ended, and left processes")


FAULTS = (
    Fault(5, "stop", stop),
    Fault(5, "stop-supervisor", stop_supervisor, slots=(0,)),
)
