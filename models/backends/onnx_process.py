"""The cloud backend that needs no account: the larger ONNX model, in a process of its own."""

import asyncio
import contextlib
import json
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import rules
from models.allowance import Allowance, Unlimited
from models.artifact import Artifact, ArtifactError
from models.backends.bill import Bill, Tariff
from models.backends.scoring_process import ANSWER, FAILED, HEADER, LONGEST_MESSAGE, READY, REFUSED, REQUEST, frame
from models.cloud import Answer, CloudError, Failure, Question, require_probabilities
from models.spending import Spending
from schemas.records import LABELS, Role

logger = logging.getLogger(__name__)

# Loading takes a second; on a machine that is swapping, tens. Longer, and it hangs.
START_TIMEOUT_S = 60.0

# After a failed start, an answer that makes no sense, or none in time, calls fail at once for this long, doubled with
# each such failure until there is a good answer. A start costs a second of processor time, and what makes it fail (a
# missing file, no memory) seldom mends itself sooner; and what came in while one batch waited for its deadline shall
# not wait for two more, that of the batch ahead of it and its own.
FIRST_BACKOFF_S = 1.0
LAST_BACKOFF_S = 30.0

# The shipped model reads some 40,000 characters (10,000 tokens) a second on one core: a call takes a fifth of a second.
CALL_CHARS = 8_000

_BYTES_A_TEXT = len(LABELS) * np.dtype(np.float32).itemsize


class _GarbageError(Exception):
    """The child sent what no scoring process sends."""


class OnnxProcessBackend:
    """Scores in a child process, which is started again when it dies, answers nonsense or does not answer in time.

    A crash or a hang of the model so costs the calls in flight, never the worker, and nonsense or a hang those of the
    next second, or of longer when it comes again. A call waits for a start as long as
    its own deadline lets it; once a start has outlasted a call, calls fail at once until it is done, so that a model
    that cannot load doesn't hold each batch to its deadline. Calls take turns; all of them, and `close`, belong to one
    event loop.

    The child runs in a session of its own, out of reach of the terminal's Ctrl-C, and ends when its standard input
    does: neither `close`, nor a crash, nor a kill -9 of the parent leaves one behind.
    """

    batch = 256  # some 0.4 s on one core; each call of them has a deadline of its own

    def __init__(
        self,
        artifact: Artifact,
        *,
        threads: int = 1,
        token_budget: int = 256,
        tariff: Tariff = Tariff(0.0),  # noqa: B008 - it is frozen
        allowance: Allowance | None = None,
    ) -> None:
        self.id = artifact.id
        self._tariff = tariff
        self._allowance = allowance or Unlimited()
        self._command: tuple[str, ...] = (
            *(sys.executable, "-P", "-m", "models.backends.scoring_process"),
            *(str(artifact.folder.resolve()), str(threads), str(token_budget)),
        )
        self._turn = asyncio.Lock()
        self._process: Process | None = None  # ready for a request
        self._lost: Process | None = None  # killed or dead, to be waited for before the next is started
        self._starting: asyncio.Task[None] | None = None
        self._start_outlasted_a_call = False
        self._why_not = ""  # there is no child, when no start is under way
        self._refused = False  # the artifact is why
        self._warns = True  # of a failed start; not when its caller is told at once
        self._backoff_s = FIRST_BACKOFF_S
        self._no_start_before = 0.0  # by the event loop's clock
        self._closed = False

    async def start(self) -> None:
        """Returns when the child is ready, so that the first call finds it warm.

        Raises ArtifactError: its artifact is not one that it can run; CloudError: it cannot start.
        """
        self._warns = False
        try:
            await self._ready()
        except CloudError as error:
            if self._refused:
                raise ArtifactError(str(error)) from error
            raise
        finally:
            self._warns = True

    def most_nanodollars(self, texts: int, size_bytes: int, deadline_s: float) -> int:
        """The most that `texts` questions can cost."""
        return self._tariff.most_nanodollars(texts, 0, 0, deadline_s)

    async def answer(self, questions: Sequence[Question], deadline_s: float) -> list[Answer | Failure]:
        """An answer or a failure for each of `questions`, in their order; see `CloudBackend.answer`.

        Short texts come first, in calls of `CALL_CHARS` characters at most: so a long text, which may take the model a
        second, has a call and a deadline of its own, and the others do not fail with it.
        """
        clock_s = asyncio.get_running_loop().time
        gave_up = Failure("cloud_error", f"{self.id} was not asked, after calls that failed for {deadline_s:g} s")
        answers: list[Answer | Failure] = [gave_up] * len(questions)
        left_s = deadline_s  # which failed calls use up
        for call in _calls([len(question.text) for question in questions]):
            if left_s == 0:
                break
            begun_s = clock_s()
            bill = Bill(self._tariff, len(call), self._allowance)
            if not bill.reserve(0, 0, left_s):
                failure = Failure("budget_exhausted", f"{self.id} is not asked: the budget is spent")
                answers = [failure if index in call else known for index, known in enumerate(answers)]
                continue
            try:
                asked = [questions[index] for index in call]
                rows = await self.score([each.text for each in asked], left_s, [each.role for each in asked])
            except CloudError as error:
                left_s = max(0.0, left_s - (clock_s() - begun_s))
                bill.close()  # it is our own processor: nobody bills it
                failure = Failure("cloud_error", str(error), Spending(calls=1))
                answers = [failure if index in call else known for index, known in enumerate(answers)]
            else:
                bill.reached(clock_s() - begun_s)
                bill.charge(None)
                for index, (negative, neutral, positive), spent in zip(call, rows.tolist(), bill.shares(), strict=True):
                    answered_by = rules.answered_by(questions[index].text, questions[index].role, self.id)
                    answers[index] = Answer((negative, neutral, positive), answered_by, spent)
        return answers

    async def score(
        self, texts: Sequence[str], timeout_s: float, roles: Sequence[Role] | None = None
    ) -> NDArray[np.float32]:
        """Calibrated probabilities (n, 3) of negative, neutral, positive, in the order of `texts`, said by `roles`.

        Raises CloudError: the child died, failed, answered nonsense, or did not answer within `timeout_s` seconds, a
        start and the wait for other calls included; or it did so a moment ago.
        """
        if not texts:
            return np.empty((0, len(LABELS)), np.float32)
        try:
            async with asyncio.timeout(timeout_s), self._turn:
                return await self._exchange(await self._ready(), texts, roles or ["unknown"] * len(texts))
        except TimeoutError as error:
            self._start_outlasted_a_call = self._starting is not None
            why_not = f"{self.id} did not answer {len(texts)} texts within {timeout_s:g} s"
            if self._process is None and self._starting is None:  # it was this call that it did not answer
                self._back_off(why_not)
            raise CloudError(why_not) from error

    async def close(self) -> None:
        """Ends the child and waits until it is gone; a later `score` raises CloudError."""
        self._closed = True
        self._why_not = f"{self.id} is closed"
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
            self._starting = None
        for process in (self._process, self._lost):
            if process is not None:
                await _end(process)
        self._process = None

    async def _ready(self) -> Process:
        """The child, when it can take a request."""
        if self._process is not None and self._process.returncode is not None:
            logger.warning("the process of %s ended on its own; it is started again", self.id)
            self._lose(self._process)
        self._begin_start()
        if self._starting is not None:
            if self._start_outlasted_a_call:
                raise CloudError(f"{self.id} is still starting")
            await asyncio.wait([self._starting])  # which goes on when this call is cancelled
        if self._process is None:
            raise CloudError(self._why_not)
        return self._process

    async def _exchange(self, process: Process, texts: Sequence[str], roles: Sequence[Role]) -> NDArray[np.float32]:
        assert process.stdin is not None  # noqa: S101 - for mypy: it was started with a pipe
        size = len(texts) * _BYTES_A_TEXT
        try:
            process.stdin.write(frame(REQUEST, json.dumps([list(texts), list(roles)]).encode()))
            await process.stdin.drain()
            kind, payload = await _read_frame(process, max(size, LONGEST_MESSAGE))
            if kind == FAILED:
                raise CloudError(f"{self.id} failed on {len(texts)} texts: {payload.decode('utf-8', 'replace')}")
            answer = _probabilities(kind, payload, size)
        except (OSError, EOFError) as error:
            self._lose(process)
            self._begin_start()
            raise CloudError(f"the process of {self.id} died on {len(texts)} texts") from error
        except _GarbageError as error:
            # Whatever it says next can't be trusted either; and a new process may well say the same again.
            self._lose(process)
            self._back_off(f"{self.id} answered {len(texts)} texts with garbage: {error}")
            raise CloudError(self._why_not) from error
        except asyncio.CancelledError:
            # The deadline, or the caller's own end. The answer may still come, and must not meet the next request.
            self._lose(process)
            raise
        self._backoff_s = FIRST_BACKOFF_S
        return answer

    def _lose(self, process: Process) -> None:
        _kill(process)
        self._process, self._lost = None, process

    def _begin_start(self) -> None:
        """Starts a child in the background unless there is one, or the last start failed a moment ago."""
        idle = self._process is None and self._starting is None and not self._closed
        if idle and asyncio.get_running_loop().time() >= self._no_start_before:
            self._start_outlasted_a_call = False
            self._starting = asyncio.create_task(self._start())

    async def _start(self) -> None:
        """Starts a child and waits until it is ready; on failure leaves the reason in `_why_not`."""
        process = None
        self._refused = False
        try:
            if self._lost is not None:
                await _end(self._lost)
                self._lost = None
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=PIPE, start_new_session=True, env=_environment()
            )
            async with asyncio.timeout(START_TIMEOUT_S):
                kind, payload = await _read_frame(process, LONGEST_MESSAGE)
            if kind == READY:
                self._process = process
                return
            self._refused = kind == REFUSED
            failure = payload.decode("utf-8", "replace") if kind in (FAILED, REFUSED) else f"a frame of kind {kind!r}"
        except TimeoutError:
            failure = f"it was not ready within {START_TIMEOUT_S:g} s"
        except EOFError:
            failure = "its process ended while it loaded"
        except (OSError, _GarbageError) as error:
            failure = str(error)
        finally:
            if process is not None and process is not self._process:
                await _end(process)
            self._starting = None
        self._back_off(f"{self.id} cannot start: {failure}")

    def _back_off(self, why_not: str) -> None:
        self._why_not = why_not
        self._no_start_before = asyncio.get_running_loop().time() + self._backoff_s
        if self._warns:
            logger.warning("%s (the next attempt is %g s away)", why_not, self._backoff_s)
        self._backoff_s = min(2 * self._backoff_s, LAST_BACKOFF_S)


def _calls(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The indices of `lengths`, the shortest first, in runs of `CALL_CHARS` together, or of one that is longer."""
    call: list[int] = []
    chars = 0
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if call and chars + lengths[index] > CALL_CHARS:
            yield call
            call, chars = [], 0
        call.append(index)
        chars += lengths[index]
    if call:
        yield call


def _environment() -> dict[str, str]:
    """This process's, with the folder that these packages were imported from on the path, and no relative one."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    path = [str(Path(__file__).parents[2]), *filter(os.path.isabs, given)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


async def _read_frame(process: Process, longest: int) -> tuple[bytes, bytes]:
    """The next frame's kind and payload; EOFError when the process ends before, _GarbageError for one over `longest`.

    Without that limit four wrong bytes would have this process wait for gigabytes, and take in what comes of them.
    """
    assert process.stdout is not None  # noqa: S101 - for mypy: it was started with a pipe
    kind, length = HEADER.unpack(await process.stdout.readexactly(HEADER.size))
    if length > longest:
        raise _GarbageError(f"a frame of {length} bytes")
    return kind, await process.stdout.readexactly(length)


def _probabilities(kind: bytes, payload: bytes, size: int) -> NDArray[np.float32]:
    """What an answer of so many bytes holds; raises _GarbageError when it is none."""
    if kind != ANSWER:
        raise _GarbageError(f"a frame of kind {kind!r}")
    if len(payload) != size:
        raise _GarbageError(f"{len(payload)} bytes in place of {size}")
    answer = np.frombuffer(payload, np.float32).reshape(-1, len(LABELS)).copy()
    try:
        require_probabilities(answer)
    except CloudError as error:
        raise _GarbageError(str(error)) from error
    return answer


def _kill(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()


async def _end(process: Process) -> None:
    _kill(process)
    await process.wait()
