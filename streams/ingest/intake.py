"""From many requests to one transaction at a time: what waits is bounded, and each request learns what became of it."""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from threading import Condition, Thread
from typing import Final, NamedTuple

from confluent_kafka import KafkaException

from schemas.errors import EdgewiseError
from streams.ingest import metrics
from streams.ingest.once import EventRefusedError, Item, OnceWriter
from streams.system.threads import in_daemon_thread

logger = logging.getLogger(__name__)

# A transaction of so much is committed within a second, however slow the link.
_TRANSACTION_EVENTS: Final = 2_000
_TRANSACTION_BYTES: Final = 8 * 1024 * 1024

# What may wait, for some transactions' time.
_WAITING_EVENTS: Final = 20_000
_WAITING_BYTES: Final = 64 * 1024 * 1024

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2.0

# Whether a broker can be reached at all is looked at once for all who ask, for so long, and no more often than so.
_LOOK_S: Final = 0.5
_LOOK_AGAIN_S: Final = 1.0

# A transaction is given up after 30 s, and one of another server that died ends after 30 s at the latest.
_STUCK_S: Final = 120.0


class KafkaSlowError(EdgewiseError):
    """Events were not taken in time, or too many wait already: they may come again in a while."""


class KafkaAwayError(EdgewiseError):
    """No broker takes events now."""


class _Submission(NamedTuple):
    items: Sequence[Item]
    answer: asyncio.Future[list[bool]]
    size: int


class Intake:
    """Hands events of requests to a writer, which works in a thread of its own.

    `listening` tells, in a thread, whether a broker can be reached at all. Use it in one event loop.
    """

    def __init__(
        self, writer: OnceWriter, listening: Callable[[], bool], clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._writer = writer
        self._listening = listening
        self._clock_s = clock_s
        self._loop = asyncio.get_running_loop()
        self._changed = Condition()
        self._waiting: deque[_Submission] = deque()
        self._events = self._bytes = 0
        self._closed = False
        self._failure: str | None = None
        self._since_s: float | None = None  # when the transaction under way was begun
        self._look: asyncio.Task[bool] | None = None
        self._looked_s = 0.0
        self._thread = Thread(target=self._run, name="intake", daemon=True)
        self._thread.start()

    async def put(self, items: Sequence[Item], deadline_s: float) -> list[bool]:
        """Whether each of `items` is new, once Kafka has all of them.

        Raises KafkaSlowError, KafkaAwayError: it has not within `deadline_s`, or too many wait; some may be written all
        the same, and make no second event when they come again. EventRefusedError: it takes one of them never.
        """
        if not items:
            return []
        submission = _Submission(items, self._loop.create_future(), sum(len(item.value) for item in items))
        with self._changed:
            full = self._events > 0 and (
                self._events + len(items) > _WAITING_EVENTS or self._bytes + submission.size > _WAITING_BYTES
            )
            if not full:
                self._add(submission)
                self._changed.notify()
        if not full:
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(submission.answer, deadline_s)
        if self._failure is not None or not await self._is_listening():
            raise KafkaAwayError("no Kafka broker takes events now")
        raise KafkaSlowError("Kafka takes events more slowly than they come")

    async def _is_listening(self) -> bool:
        if self._look is None or (self._look.done() and self._clock_s() - self._looked_s >= _LOOK_AGAIN_S):
            self._look, self._looked_s = asyncio.create_task(in_daemon_thread(self._listening)), self._clock_s()
        try:
            return await asyncio.wait_for(asyncio.shield(self._look), _LOOK_S)
        except TimeoutError:  # a broker that drops what it is sent is away, and a vendor waits for a few seconds only
            return False

    def why_not_alive(self) -> str | None:
        """Why a restart would help; None where it would not."""
        if not self._thread.is_alive():
            return "the thread that writes has ended"
        since_s = self._since_s
        if since_s is not None and (took_s := self._clock_s() - since_s) > _STUCK_S:
            return f"the transaction under way has taken {took_s:.0f} s"
        return None

    def why_not_ready(self) -> str | None:
        """Why no events are taken now; None where they are."""
        if self._closed:
            return "it is being stopped"
        return self.why_not_alive() or self._failure

    async def close(self, timeout_s: float) -> None:
        """Writes what waits, for `timeout_s` at most, and ends."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        await in_daemon_thread(partial(self._thread.join, timeout_s))

    def _add(self, submission: _Submission, *, first: bool = False) -> None:
        (self._waiting.appendleft if first else self._waiting.append)(submission)
        self._count(len(submission.items), submission.size)

    def _count(self, events: int, size: int) -> None:
        self._events += events
        self._bytes += size
        metrics.WAITING.set(self._events)

    def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while (batch := self._next()) is not None:
            self._since_s = self._clock_s()
            try:
                if not self._writer.is_open:
                    self._writer.open()
                if batch:
                    self._write(batch)
                else:
                    self._recover()
            except (EdgewiseError, KafkaException) as error:
                self._fail(error, batch)
                with self._changed:
                    self._changed.wait_for(lambda: self._closed, pause_s)
                    if self._closed:
                        return
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                pause_s = _FIRST_PAUSE_S
            finally:
                self._since_s = None

    def _next(self) -> list[_Submission] | None:
        """What goes into the next transaction; None when it is closed and all is written.

        It is nothing where Kafka has failed and nobody waits: a door that is not ready gets no requests, and would
        never hear that Kafka is back.
        """
        with self._changed:
            batch: list[_Submission] = []
            while not batch:
                pause_s = None if self._failure is None else _LONGEST_PAUSE_S
                if not self._changed.wait_for(lambda: self._waiting or self._closed, pause_s):
                    return []
                if not self._waiting:
                    return None
                events = size = 0
                while self._waiting and (
                    not batch
                    or (
                        events + len(self._waiting[0].items) <= _TRANSACTION_EVENTS
                        and size + self._waiting[0].size <= _TRANSACTION_BYTES
                    )
                ):
                    submission = self._waiting.popleft()
                    self._count(-len(submission.items), -submission.size)
                    if not submission.answer.done():  # else its request has been answered, and comes again
                        batch.append(submission)
                        events, size = events + len(submission.items), size + submission.size
            return batch

    def _write(self, batch: Sequence[_Submission]) -> None:
        """Writes `batch` and answers. Where Kafka refuses an event, each request is tried by itself."""
        items = [item for submission in batch for item in submission.items]
        begun_s = self._clock_s()
        try:
            new = self._writer.write(items)
        except EventRefusedError as error:
            self._writer.open()
            if len(batch) == 1:
                self._tell([(batch[0], error)])
                return
            for submission in batch:
                self._write([submission])
            return
        self._recover()
        metrics.TRANSACTION_EVENTS.observe(len(items))
        metrics.TRANSACTION_SECONDS.observe(self._clock_s() - begun_s)
        answers: list[tuple[_Submission, list[bool] | EventRefusedError]] = []
        at = 0
        for submission in batch:
            answers.append((submission, new[at : at + len(submission.items)]))
            at += len(submission.items)
        self._tell(answers)

    def _tell(self, answers: Sequence[tuple[_Submission, list[bool] | EventRefusedError]]) -> None:
        def tell() -> None:
            for submission, answer in answers:
                if submission.answer.done():
                    continue
                if isinstance(answer, EventRefusedError):
                    submission.answer.set_exception(answer)
                else:
                    submission.answer.set_result(answer)

        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(tell)

    def _fail(self, error: Exception, batch: Sequence[_Submission]) -> None:
        metrics.FAILURES.inc()
        if self._failure is None:
            logger.warning("%s; it is tried again until it succeeds", error)
        self._failure = str(error)
        with self._changed:
            for submission in reversed(batch):
                if not submission.answer.done():
                    self._add(submission, first=True)

    def _recover(self) -> None:
        if self._failure is not None:
            logger.info("Kafka takes events again")
            self._failure = None
