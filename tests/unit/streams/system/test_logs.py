import json
import logging
import os
import re
import subprocess
import sys
import threading

import pytest

from schemas.errors import UsageError
from streams.cli.context import start
from tests.kafka.kafka_server import REPOSITORY


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


def log_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.root.level)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setenv("EDGEWISE_LOG_FORMAT", "Json")
    start()


def test_a_json_line_is_an_object_with_what_is_known(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log_json(monkeypatch)
    logging.getLogger("streams.worker").warning("two\nlines of %s", "Ünicode")
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        logging.getLogger("a library").exception("crashed")
    logging.getLogger("a library").error("ours", exc_info=UsageError("no such topic"))
    first, second, third = map(json.loads, capsys.readouterr().err.splitlines())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first.pop("time"))
    assert first == {"level": "warning", "logger": "streams.worker", "message": "two\nlines of Ünicode"}
    assert second["exception"].startswith("Traceback (most recent call last):\n")
    assert second["exception"].endswith("ZeroDivisionError: division by zero")
    assert "exception" not in third


def test_an_exception_that_ends_the_process_is_an_object_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seen to fail with Python's own hook: a traceback of several lines."""
    log_json(monkeypatch)
    error = ZeroDivisionError("by zero")
    sys.excepthook(type(error), error, None)
    [line] = map(json.loads, capsys.readouterr().err.splitlines())
    assert (line["level"], line["exception"]) == ("critical", "ZeroDivisionError: by zero")


def test_an_exception_that_ends_a_thread_is_an_object_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seen to fail with Python's own hook."""
    log_json(monkeypatch)
    error = ZeroDivisionError("by zero")
    threading.excepthook(threading.ExceptHookArgs((type(error), error, None, threading.current_thread())))
    [line] = map(json.loads, capsys.readouterr().err.splitlines())
    assert line["message"] == "thread MainThread ended with ZeroDivisionError('by zero')"
    assert line["exception"] == "ZeroDivisionError: by zero"


@pytest.mark.parametrize(
    ("level", "shown"), [("INFO", ["ours", "a warning"]), ("debug", ["ours", "a library's", "a warning"])]
)
def test_of_libraries_only_warnings_are_shown_but_for_debugging(
    level: str, shown: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.root.level)
    monkeypatch.setenv("EDGEWISE_LOG_LEVEL", level)
    start()
    logging.getLogger("streams.worker.app").info("ours")
    logging.getLogger("faust.app").info("a library's")
    logging.getLogger("faust.app").warning("a warning")
    assert [line.partition(": ")[2] for line in capsys.readouterr().err.splitlines()] == shown


def test_what_kubernetes_sets_for_a_service_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.root.level)
    monkeypatch.setenv("EDGEWISE_PORT", "tcp://10.0.0.11:9464")
    monkeypatch.setenv("EDGEWISE_SERVICE_HOST", "10.0.0.11")
    start()
    [line] = capsys.readouterr().err.splitlines()
    assert "EDGEWISE_PORT and the like are no settings and are ignored" in line


def test_a_command_that_fails_says_so_in_json_where_all_else_is() -> None:
    """Seen to fail with the error printed as it is."""
    variables = {"EDGEWISE_LOG_FORMAT": "json"}
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", "worker", "no-such-agent"],
        cwd=REPOSITORY, env=os.environ | variables, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    [line] = map(json.loads, done.stderr.splitlines())
    assert line["level"] == "error"
    assert line["message"].startswith("there is no agent 'no-such-agent'")
