"""A worker forked from a process that has imported what workers import: most of a start's processor time is imports.

The short forms of the faults start some hundred workers one after another. What is forked runs the module as
`python -m` would, with an environment and an output of its own; its process ends as that of any command.
"""

import atexit
import multiprocessing
import os
import runpy
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from streams.agents.topology import AGENTS

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    ["streams.cli.main", "streams.cli.context", "streams.worker.build", *(spec.module for spec in AGENTS.values())]
)


class Forked:
    """`python -m module` with `arguments`, in `environment`, its output appended to `log`.

    It has the methods of `subprocess.Popen` that a line needs, with their meaning.
    """

    def __init__(self, module: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._process = _SERVER.Process(target=_run, args=(module, list(arguments), dict(environment), log))
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """The exit code, a signal's number negated; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the end; the exit code. Raises TimeoutError after `timeout` seconds."""
        self._process.join(timeout)
        if (code := self.poll()) is None:
            raise TimeoutError(f"process {self.pid} runs after {timeout} s")
        return code

    def send_signal(self, number: int) -> None:
        """Sends a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Ends it at once."""
        self.send_signal(signal.SIGKILL)


def _end_with_the_tests() -> None:
    # By themselves the server of forks and what it forked would go on when the tests are killed.
    tests = multiprocessing.parent_process()
    assert tests is not None
    tests.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _run(module: str, arguments: list[str], environment: dict[str, str], log: Path) -> None:
    threading.Thread(target=_end_with_the_tests, name="tests", daemon=True).start()
    with log.open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()  # which a fork of multiprocessing leaves out
