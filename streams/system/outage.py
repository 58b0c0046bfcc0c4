"""Brokers that are away, in a few lines: one when it begins, one a minute, one when they are back.

librdkafka logs every try to connect, of each client: 20 s without a broker were 7,058 lines.
"""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock, Thread

from schemas.errors import EdgewiseError

logger = logging.getLogger(__name__)

# Whether the brokers answer is asked so often during an outage.
LOOK_S = 1.0

# They are back when they answer and no client has complained for so long. After its broker's return a worker is told
# that it is a member no more and joins its group again, a matter of three seconds.
CALM_S = 5.0

# Clients that complain for so long, though the brokers answer, have trouble of their own, which is to be seen.
PATIENCE_S = 10.0

REMIND_S = 60.0

# librdkafka's lines begin with the facility and the client: `FAIL [edgewise#consumer-3] [thrd:host:9092/1]: …`. Those
# of mode, which Faust is built on, begin with the service: `[^--Consumer]: …`. Both may bear one of our loggers.
_LIBRDKAFKA = re.compile(
    r"(?P<facility>[A-Z0-9_]+) \[\S+#(?:producer|consumer)-\d+\] \[thrd:[^\]]*\]: (?P<text>.*)", re.DOTALL
)
_MODE = re.compile(r"\[\^")
_OURS = ("edgewise", "models", "schemas", "streams", "training")
_CLIENTS = ("asyncio", "faust", "mode")

# librdkafka's facilities for a connection that fails or an answer that does not come, and what it then says:
# `host:9092/1: Connect to ipv4#10.0.0.1:9092 failed: Connection refused (after 0ms in state CONNECT)`.
_FAILS = ("FAIL", "REQTMOUT")
# Under others it says that all brokers are down, or that one which has just come back is not ready.
_NOT_READY = ("brokers are down", "not found in cache", "retrying")
_PLACE = re.compile(
    r"(?:\w+Coordinator(?:/\d+)?: )?(?:\w+://)?(?P<address>(?:[\w.-]+|\[[0-9a-fA-F:.]+\]):\d+)(?:/\w+)?: "
    r"(?P<cause>.*?)(?:: probably due to broker version .*| \(after .*)?$",
    re.DOTALL,
)

# A client that is stopped while it waits for a broker leaves tasks behind, which asyncio complains about.
_PENDING = "Task was destroyed but it is pending!"


def is_of_a_library(record: logging.LogRecord) -> bool:
    """Whether what logs is no code of Edgewise's, whatever the logger is called."""
    text = record.getMessage()
    ours = record.name.partition(".")[0] in _OURS
    return not ours or _LIBRDKAFKA.match(text) is not None or _MODE.match(text) is not None


@dataclass(slots=True)
class _Outage:
    began_s: float
    last_s: float  # when a client last complained
    cause: str = ""  # what was the last to say why
    brokers: set[str] = field(default_factory=set)  # host:port, those that librdkafka named
    answer_since_s: float | None = None  # when the brokers were first found to answer again
    told_s: float | None = None  # when the last line about it was logged; None: none was
    left_out: int = 0

    def who(self) -> str:
        if not self.brokers:
            return "the Kafka cluster"
        return f"Kafka broker{'s' if len(self.brokers) > 1 else ''} {', '.join(sorted(self.brokers))}"


class OutageHandler(logging.Handler):
    """Hands records on to `target`, but for what clients log while brokers are away.

    A first complaint may be of a connection that broke and is made again at once. So it is held back until the brokers
    were asked; where they answer, nothing is logged. `brokers_answer` is given a broker's address, or None for any of
    them. It is called in a thread of its own, every `LOOK_S` seconds for as long as the outage lasts.
    """

    def __init__(
        self,
        target: logging.Handler,
        brokers_answer: Callable[[str | None], bool],
        *,
        clock_s: Callable[[], float] = time.monotonic,
        watched: bool = True,
    ) -> None:
        """With `watched` false no thread is started: the caller calls `look`."""
        super().__init__()
        self._target = target
        self._brokers_answer = brokers_answer
        self._clock_s = clock_s
        self._watched = watched
        self._outage: _Outage | None = None
        self._changing = RLock()

    def emit(self, record: logging.LogRecord) -> None:
        """Hands `record` on, or counts it."""
        with self._changing:
            complaint = _complaint(record)
            if complaint is not None:
                self._begin(*complaint)
            if self._outage is not None and (complaint is not None or _follows(record)):
                self._outage.left_out += 1
                self._outage.last_s = self._clock_s()
                return
        self._target.handle(record)

    def look(self) -> bool:
        """Asks the brokers, and logs what is to be told; whether the outage lasts."""
        with self._changing:
            outage = self._outage
            if outage is None:
                return False
            brokers = sorted(outage.brokers)
        answer = all(map(self._answers, brokers)) if brokers else self._answers(None)
        with self._changing:
            now_s = self._clock_s()
            calm_s = now_s - outage.last_s
            outage.answer_since_s = (outage.answer_since_s or now_s) if answer else None
            if outage.answer_since_s is not None and calm_s >= CALM_S:
                lasted_s = max(outage.last_s, outage.answer_since_s) - outage.began_s
                self._end(outage, f"{outage.who()} is back after {lasted_s:.0f} s")
            elif not answer and calm_s >= REMIND_S and self._answers(None):
                # It may be gone for good, and the clients know of others.
                self._end(outage, f"{outage.who()} is not asked for any more, and others answer")
            else:
                self._tell(outage, answer)
            return self._outage is not None

    def _answers(self, broker: str | None) -> bool:
        try:
            return self._brokers_answer(broker)
        except Exception:  # noqa: BLE001  else the outage would never end, and its lines never be shown again
            return False

    def _begin(self, cause: str, broker: str | None) -> None:
        if self._outage is None:
            now_s = self._clock_s()
            self._outage = _Outage(now_s, now_s)
            if self._watched:
                Thread(target=self._watch, name="outage", daemon=True).start()
        self._outage.cause = cause or self._outage.cause
        if broker is not None:
            self._outage.brokers.add(broker)

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_S)
            if not self.look():
                return

    def _tell(self, outage: _Outage, answer: bool) -> None:
        now_s = self._clock_s()
        lasted_s = now_s - outage.began_s
        why = f" ({outage.cause})" if outage.cause else ""
        if outage.told_s is None:
            if answer and lasted_s < PATIENCE_S:
                return
            what = "answers, but connections keep failing" if answer else "does not answer"
            self._log(logging.ERROR, f"{outage.who()} {what}{why}; there is a line a minute until it is back")
        elif now_s - outage.told_s >= REMIND_S and outage.last_s > outage.told_s:
            self._log(logging.ERROR, f"{outage.who()} has been away for {lasted_s:.0f} s{why}")
        else:
            return
        outage.told_s = now_s

    def _end(self, outage: _Outage, how: str) -> None:
        if outage.told_s is not None:
            self._log(logging.WARNING, f"{how}; {outage.left_out:,} lines of the clients were left out")
        self._outage = None

    def _log(self, level: int, message: str) -> None:
        if logger.isEnabledFor(level):
            self._target.handle(logger.makeRecord(logger.name, level, __file__, 0, message, (), None))


def _complaint(record: logging.LogRecord) -> tuple[str, str | None] | None:
    """Why a connection failed, and to which broker (host:port), as a client says in `record`; None: it does not."""
    if record.levelno < logging.WARNING:
        return None
    text = record.getMessage()
    if found := _LIBRDKAFKA.match(text):
        if found["facility"] not in _FAILS and not any(words in found["text"] for words in _NOT_READY):
            return None
        place = _PLACE.match(found["text"])
        return (found["text"], None) if place is None else (place["cause"], place["address"])
    return None


def _follows(record: logging.LogRecord) -> bool:
    """Whether, in an outage, `record` is of what follows from it. What nobody foresaw is not."""
    if not logging.WARNING <= record.levelno < logging.CRITICAL:
        return False
    text = record.getMessage()
    if _PENDING in text:
        return True
    if record.exc_info:
        return record.name.partition(".")[0] in _CLIENTS and _is_about_connections(record.exc_info[1])
    client = record.name.partition(".")[0] in _CLIENTS and record.name != "asyncio"
    return client or _LIBRDKAFKA.match(text) is not None or _MODE.match(text) is not None


def _is_about_connections(error: BaseException | None) -> bool:
    return isinstance(error, EdgewiseError | OSError) or type(error).__module__ == "cimpl"
