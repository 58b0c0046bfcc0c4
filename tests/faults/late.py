"""Fault 7, a network that delivers late: a producer's request that comes in a later transaction."""

import time

from tests.faults.late_worker import slow_file
from tests.faults.network import HOSTS
from tests.faults.scene import Fault, Scene

SLOT = HOSTS[0]
PATIENCE_S = 90.0

# For the broker to act on what comes late; the worker stands still for four times as long.
DELIVERY_S = 1.0


def late_request(scene: Scene) -> None:
    """A producer's request to commit is held by the network. It times out, is made again over another connection, and
    answered. In the producer's next transaction, when its records are with the broker and its offsets are not, the held
    one arrives, and the worker is killed: would the broker take it for the open transaction's, that would be committed
    without its offsets, and its events done twice.

    Seen to fail with a producer that is kept after a request of its has timed out.
    """
    for _ in scene.times():
        ups = scene.line.ups("edge", SLOT)
        slow = slow_file(scene.folder, "edge", f"slot-{SLOT}")
        with scene.fault(180):
            slow.touch()
            number = _wait_for(scene, "offsets", 0)
            scene.network.strand([SLOT])
            # Two producers take turns: the next but one transaction is of the same.
            _wait_for(scene, "records", number + 2)
            scene.network.heal()
            time.sleep(DELIVERY_S)
            scene.line.kill("edge", SLOT)
            slow.unlink()
            scene.must_go_on()
            scene.line.start("edge", SLOT)
            scene.line.wait_until_up("edge", SLOT, ups + 1)


def _wait_for(scene: Scene, place: str, number: int) -> int:
    """Wait until the worker stands still at `place` in transaction `number` or a later one; which it is."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        told = slow_file(scene.folder, "edge", f"slot-{SLOT}").read_text().split()
        if len(told) == 2 and told[1] == place and int(told[0]) >= number:
            return int(told[0])
        if time.monotonic() > deadline:
            raise RuntimeError(f"the worker did not come to its {place} in transaction {number}: {told}")
        time.sleep(0.02)


# Who reads back its state while the network holds all that its host sends finds no broker, and is started again.
FAULTS = (
    Fault(
        7, "late-request", late_request, brokers=(1,), proxied=True, restarts=True, module="tests.faults.late_worker"
    ),
)
