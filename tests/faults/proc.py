"""What a process and its children take, from /proc (Linux)."""

from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
_KIB_A_MIB = 1024


class Taken(NamedTuple):
    """What a process and its children hold at one moment; `peak_mib` is the most that each of them has ever held."""

    resident_mib: float
    peak_mib: float
    files: int
    threads: int


def taken(pid: int) -> Taken | None:
    """What process `pid` and its children take now; None when it has ended."""
    try:
        own = _one(pid)
        children = [child for task in _tasks(pid) for child in _children(task)]
    except (FileNotFoundError, ProcessLookupError):
        return None
    parts = [own, *(part for child in children if (part := taken(child)) is not None)]
    return Taken(
        sum(part.resident_mib for part in parts),
        sum(part.peak_mib for part in parts),
        sum(part.files for part in parts),
        sum(part.threads for part in parts),
    )


def _one(pid: int) -> Taken:
    lines = (PROC / str(pid) / "status").read_text().splitlines()
    status = {name: value for name, _, value in (line.partition(":") for line in lines)}
    if "VmRSS" not in status:  # it has ended, and nobody has waited for it yet
        raise ProcessLookupError(pid)
    return Taken(
        int(status["VmRSS"].split()[0]) / _KIB_A_MIB,
        int(status["VmHWM"].split()[0]) / _KIB_A_MIB,
        len(list((PROC / str(pid) / "fd").iterdir())),
        int(status["Threads"]),
    )


def _tasks(pid: int) -> list[Path]:
    return list((PROC / str(pid) / "task").iterdir())


def _children(task: Path) -> list[int]:
    try:
        return [int(each) for each in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):  # a thread that has ended since, of a process that goes on
        return []
