"""What the tests tell a worker to do, and at which point: one file a worker, read by `tests.faults.faulty_worker`."""

from pathlib import Path
from typing import Literal

FOLDER = "FAULTS_FOLDER"
"""The variable that tells a worker of a line where its orders are."""

Deed = Literal["kill", "freeze", "raise"]
Point = Literal[
    "fetched",  # records are fetched, and the group is about to be asked by which right; it then says: by none
    "any",  # the first record of a batch of any size
    "first",  # the first record of a batch of three or more; then a middle one, the last
    "middle",
    "last",
    "produced",  # the transaction's records are with the broker, its offsets are not
    "offsets",  # its offsets too; it is not committed
    "committing",  # the broker was asked to commit; it may have or not
    "committed",  # it has; the worker has not noted it
    "revoking",  # a rebalance takes the worker's partitions
    "assigning",  # a rebalance has given it partitions
]


def order_file(folder: Path, agent: str, worker_id: str) -> Path:
    """Where the order for a worker is."""
    return folder / f"{agent}-{worker_id}.order"


def give(folder: Path, agent: str, slot: int, deed: Deed, point: Point, *, lasting: bool = False) -> None:
    """Tell the worker of a slot what to do the next time that it comes to `point`, or each time: `lasting`."""
    path = order_file(folder, agent, f"slot-{slot}")
    new = path.with_suffix(".new")
    new.write_text(f"{deed} {point} {'lasting' if lasting else 'once'}")
    new.replace(path)


def take_back(folder: Path, agent: str, slot: int) -> None:
    """Let the worker of a slot work."""
    order_file(folder, agent, f"slot-{slot}").unlink(missing_ok=True)


def is_done(folder: Path, agent: str, slot: int) -> bool:
    """Whether the worker of a slot has come to the point of an order that was to be done once."""
    return not order_file(folder, agent, f"slot-{slot}").exists()
