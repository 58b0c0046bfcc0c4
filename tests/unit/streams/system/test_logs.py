import logging

import pytest

from schemas.errors import UsageError
from streams.cli.context import start


def logged(error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What a command prints when somebody logs `error` with its traceback."""
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.root.level)
    start()
    with pytest.raises(type(error)) as caught:
        raise error
    logging.getLogger("a library").error("crashed: %r", error, exc_info=caught.value)
    return capsys.readouterr().err.splitlines()


def test_an_error_that_speaks_for_itself_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seen to fail with logging's own formatter."""
    [line] = logged(UsageError("no such topic"), monkeypatch, capsys)
    assert line.endswith(" ERROR a library: crashed: UsageError('no such topic')")


def test_one_that_nobody_foresaw_keeps_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seen to fail with an empty traceback for every exception."""
    lines = logged(ZeroDivisionError("by zero"), monkeypatch, capsys)
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-1] == "ZeroDivisionError: by zero"
