"""Child processes: how one that runs `edgewise` is started, and that none outlives its parent."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

_PR_SET_PDEATHSIG = 1  # linux/prctl.h

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Child(NamedTuple):
    """A child process: its command line and its environment."""

    command: tuple[str, ...]
    environment: dict[str, str]


def edgewise_child(*arguments: str, environment: Mapping[str, str]) -> Child:
    """The child that runs `edgewise` with `arguments`, by the code that runs here.

    Python puts the working directory before everything else that it imports from: a `schemas.py` or a `typer.py` there
    would be run. `-P` leaves the working directory out, and PYTHONPATH says where these packages are. Of the one in
    `environment` only that is kept which does not depend on the working directory.
    """
    given = environment.get("PYTHONPATH", "").split(os.pathsep)
    path = [str(Path(__file__).parents[2]), *filter(os.path.isabs, given)]
    return Child(
        (sys.executable, "-P", "-m", "edgewise", *arguments), {**environment, "PYTHONPATH": os.pathsep.join(path)}
    )


def die_with_parent() -> Callable[[], None]:
    """A child's `preexec_fn`: the kernel ends it with its parent, even when that is killed (Linux; else nothing)."""
    parent = os.getpid()

    def in_child() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
            if os.getppid() != parent:  # it died before the call
                os._exit(1)

    return in_child
