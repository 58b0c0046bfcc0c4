"""`python -m models.backends.scoring_process FOLDER THREADS TOKEN_BUDGET`: a classifier by standard input and output.

A request is a frame whose payload is a JSON array of two, the texts and their roles; the answer to it is one frame. The
process ends at the end of its input, so it outlives its parent, however that dies, by one request at most.
"""

import json
import os
import struct
import sys
from typing import BinaryIO, Final

from schemas.errors import EdgewiseError

HEADER: Final = struct.Struct(">cI")  # kind, length of the payload in bytes

REQUEST: Final = b"q"
READY: Final = b"r"  # sent once, when the model is loaded and warm; no payload
ANSWER: Final = b"a"  # float32 probabilities in native order, three a text
FAILED: Final = b"e"  # UTF-8, why; without customer text
REFUSED: Final = b"u"  # UTF-8, why: the artifact is not one that can be run, and trying again cannot help

LONGEST_MESSAGE: Final = 65_536  # bytes of a payload that is no answer; the longest has a path and a library's reason


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    """One frame, as it is written."""
    return HEADER.pack(kind, len(payload)) + payload


def main(folder: str, threads: str, token_budget: str) -> int:
    """Answers requests until standard input ends; returns the exit code."""
    requests = sys.stdin.buffer
    # Frames keep standard output to themselves: what a library prints there goes to standard error.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        return _serve(folder, int(threads), int(token_budget), requests, answers)
    except BrokenPipeError:
        os._exit(1)  # the parent is gone; a regular exit would fail to flush the rest, and print that


def _serve(folder: str, threads: int, token_budget: int, requests: BinaryIO, answers: BinaryIO) -> int:
    # Here and not above, so that the parent, which needs the frames only, does not load onnxruntime too.
    from models.artifact import ArtifactError, load_artifact
    from models.classifier import Classifier

    try:
        classifier = Classifier(load_artifact(folder), threads=threads, token_budget=token_budget)
        classifier.score(["The first call allocates; let it not be a customer's."])
    except EdgewiseError as error:
        kind = REFUSED if isinstance(error, ArtifactError) else FAILED
        _send(answers, frame(kind, str(error).encode("utf-8", "replace")[:LONGEST_MESSAGE]))
        return 1
    _send(answers, frame(READY))
    while len(header := requests.read(HEADER.size)) == HEADER.size:
        _, length = HEADER.unpack(header)
        payload = requests.read(length)
        if len(payload) < length:
            break
        try:
            answer = frame(ANSWER, classifier.score(*json.loads(payload)).tobytes())
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors share no base; its text may quote the input
            answer = frame(FAILED, type(error).__name__.encode())
        _send(answers, answer)
    return 0


def _send(answers: BinaryIO, message: bytes) -> None:
    answers.write(message)
    answers.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
