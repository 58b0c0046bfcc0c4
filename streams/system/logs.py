"""What is logged, and how a log line looks: text, or a JSON object."""

import json
import logging
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType

from schemas.errors import EdgewiseError
from streams.system.outage import OutageHandler, is_of_a_library

_Caught = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class LogFormatter(logging.Formatter):
    """One line, and the traceback of an exception that nobody foresaw.

    Faust logs what ends an agent with its traceback. An `EdgewiseError` says what was wrong in its own words, and the
    command ends with them: the calls that led there tell a user nothing.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatException(self, ei: _Caught) -> str:  # noqa: N802 - logging's name
        """The traceback; empty for an `EdgewiseError`."""
        return "" if isinstance(ei[1], EdgewiseError) else super().formatException(ei)


class JsonFormatter(LogFormatter):
    """One JSON object: `time` (ISO 8601, UTC), `level`, `logger`, `message`, and `exception` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        traceback = self.formatException(record.exc_info) if record.exc_info else record.exc_text
        return json.dumps(line | ({"exception": traceback} if traceback else {}), ensure_ascii=False)


def set_up(level: str, log_format: str, brokers_answer: Callable[[str | None], bool]) -> None:
    """Has this process log to standard error, from `level` on, in `log_format` (`text` or `json`).

    At `info` libraries log only warnings, and what they say of brokers that are away is summed up (`OutageHandler`,
    which asks `brokers_answer`). At `debug` all is as it comes. In JSON an exception that ends the process or a thread
    is logged, too: Python would print a traceback.
    """
    shown = logging.StreamHandler()
    shown.setFormatter(JsonFormatter() if log_format == "json" else LogFormatter())
    handler: logging.Handler = shown
    if level != "debug":
        shown.addFilter(lambda record: record.levelno >= logging.WARNING or not is_of_a_library(record))
        handler = OutageHandler(shown, brokers_answer)
    logging.basicConfig(level=level.upper(), handlers=[handler])
    if log_format == "json":
        sys.excepthook, threading.excepthook = _log_exception, _log_thread


def log_error(message: str) -> None:
    """Logs what a command ends with."""
    logging.getLogger("edgewise").error(message)


def logs_json() -> bool:
    """Whether `set_up` was called, for JSON."""
    return sys.excepthook is _log_exception


def _log_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is not SystemExit and args.exc_value is not None:
        name = args.thread.name if args.thread else "?"
        caught = (args.exc_type, args.exc_value, args.exc_traceback)
        logging.getLogger("edgewise").error("thread %s ended with %r", name, args.exc_value, exc_info=caught)


def _log_exception(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    logging.getLogger("edgewise").critical("%s", kind.__name__, exc_info=(kind, error, traceback))
