"""Workers that end by themselves in a fault: which, and with what words."""

import re
import time

from tests.faults.line import Exit
from tests.faults.scene import Scene

# What the command line says of an error that it knows; anything else ends in a traceback.
_PLAIN = re.compile(r"edgewise: ")


def wait_for_end(scene: Scene, agent: str, words: str, since: int, *, times: int = 1, timeout_s: float = 120.0) -> Exit:
    """Wait until workers of `agent` have ended so many times with `words` (a regular expression); the last such end.

    `since` is how many ends, of all workers, had come before. Raises RuntimeError: they don't, or one does not say why.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        ends = scene.line.exits[since:]
        for end in ends:
            if not _PLAIN.match(end.last_words):
                raise RuntimeError(f"a worker ended without a plain word: {end}")
        found = [end for end in ends if end.agent == agent and re.search(words, end.last_words)]
        if len(found) >= times:
            return found[-1]
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(found)} of {times} ends of {agent} said {words!r}: {ends}")
        time.sleep(0.05)


def wait_until_all_up(scene: Scene, agent: str, ups: dict[int, int], timeout_s: float = 120.0) -> None:
    """Wait until the worker of each slot has come up more often than `ups` says."""
    for slot, before in ups.items():
        scene.line.wait_until_up(agent, slot, before + 1, timeout_s)
