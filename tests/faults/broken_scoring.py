"""A scoring process that a file tells how to misbehave; without that file, or when it is empty, it is the real one.

python -m tests.faults.broken_scoring FILE MODEL_FOLDER THREADS TOKEN_BUDGET
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from models.artifact import load_artifact
from models.backends.scoring_process import ANSWER, FAILED, HEADER, READY, frame
from models.classifier import Classifier

# Well within the deadline of the tests that use it, and more than any model takes.
SLOW_S = 0.3


def _edited(edit: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> Callable[[NDArray[np.float32]], bytes]:
    return lambda p: frame(ANSWER, np.ascontiguousarray(edit(p.copy()), np.float32).tobytes())


def _set(*row: float) -> Callable[[NDArray[np.float32]], bytes]:
    """An answer whose last text has these probabilities."""
    return _edited(lambda p: np.vstack([p[:-1], np.array([row], np.float32)]))


# What is said in place of a good answer.
GARBAGE: Mapping[str, Callable[[NDArray[np.float32]], bytes]] = {
    "nan": _set(float("nan"), 0.5, 0.5),
    "infinite": _set(float("inf"), 0, 0),
    "negative": _set(-0.5, 0.5, 1),
    "sum": _set(0.5, 0.5, 0.5),
    "too few": _edited(lambda p: p[:-1]),
    "too many": _edited(lambda p: np.vstack([p, p[-1:]])),
    "odd length": lambda p: frame(ANSWER, p.tobytes()[:-1]),
    "endless length": lambda p: HEADER.pack(ANSWER, 2**32 - 1) + p.tobytes(),
    "unknown kind": lambda p: frame(b"?", p.tobytes()),
    "noise": lambda p: b"\x00\xff" * (HEADER.size + len(p)),
    "ready again": lambda _: frame(READY),
}
MISDEEDS = ("refuses", "dies", "dies in its answer", "hangs", "hangs in its answer", "freezes")  # and "slow"


def main(order: str, folder: str, threads: str, token_budget: str) -> int:
    """Answers requests, each in the mood of the moment, until standard input ends."""
    classifier = Classifier(load_artifact(folder), threads=int(threads), token_budget=int(token_budget))
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    _send(answers, frame(READY))
    while len(header := requests.read(HEADER.size)) == HEADER.size:
        _, length = HEADER.unpack(header)
        probabilities = classifier.score(*json.loads(requests.read(length)))
        _send(answers, _answer(_mood(Path(order)), probabilities, answers))
    return 0


def _mood(order: Path) -> str:
    return order.read_text() if order.exists() else ""


def _answer(mood: str, probabilities: NDArray[np.float32], answers: BinaryIO) -> bytes:
    good = frame(ANSWER, probabilities.tobytes())
    if mood in GARBAGE:
        return GARBAGE[mood](probabilities)
    if mood == "refuses":
        return frame(FAILED, b"over quota")
    if mood == "slow":
        time.sleep(SLOW_S)
    elif mood == "freezes":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif mood.startswith(("dies", "hangs")):
        if mood.endswith("in its answer"):
            _send(answers, good[: len(good) // 2])
        if mood.startswith("dies"):
            os.kill(os.getpid(), signal.SIGKILL)
        parent = os.getppid()
        while os.getppid() == parent:
            time.sleep(1)  # until it is killed, or who would have killed it is
        sys.exit(1)
    return good


def _send(answers: BinaryIO, message: bytes) -> None:
    answers.write(message)
    answers.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
