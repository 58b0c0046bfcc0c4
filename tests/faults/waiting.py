"""Waiting for what must come."""

import time
from collections.abc import Callable

# Generous: a busy machine is no fault of the line's.
PATIENCE_S = 60.0


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = PATIENCE_S) -> None:
    """Wait until `condition` holds. Raises RuntimeError, naming `what` was waited for, when it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {timeout_s:g} s in vain for {what}")
        time.sleep(0.02)
