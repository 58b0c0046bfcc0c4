import logging

from schemas.errors import UsageError
from streams.log_format import LogFormatter


def fail(error: Exception) -> None:
    raise error


def formatted(error: Exception) -> str:
    try:
        fail(error)
    except Exception as raised:  # noqa: BLE001 - whichever was given
        exc_info = type(raised), raised, raised.__traceback__
        record = logging.LogRecord("faust.agents", logging.ERROR, __file__, 1, "crashed: %r", (raised,), exc_info)
        return LogFormatter().format(record)
    raise AssertionError


def test_an_error_that_speaks_for_itself_is_one_line() -> None:
    """Seen to fail with logging's own formatter."""
    assert formatted(UsageError("no such topic")).endswith(" ERROR faust.agents: crashed: UsageError('no such topic')")


def test_one_that_nobody_foresaw_keeps_its_traceback() -> None:
    """Seen to fail with an empty traceback for every exception."""
    lines = formatted(ZeroDivisionError("by zero")).splitlines()
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-1] == "ZeroDivisionError: by zero"
