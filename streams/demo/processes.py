"""The processes that the demo starts, each with a log of its own; none of them outlives it."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self

from schemas.errors import EdgewiseError
from streams.config.loading import CONFIG_VARIABLE
from streams.config.settings import ENV_PREFIX
from streams.system.processes import die_with_parent, edgewise_child

# What a worker gets to finish its batch and leave its group, as under a container platform.
_GRACE_S = 10.0
_LOG_TAIL_CHARS = 300


class ProcessDiedError(EdgewiseError):
    """A process ended that should be running."""


class Health(NamedTuple):
    """How a process is: `exit_code` is None while it runs, `memory_mb` where it cannot be told (not on Linux)."""

    name: str
    pid: int
    exit_code: int | None
    memory_mb: float | None


class Processes:
    """`edgewise` commands as processes under one configuration file; leaving the context ends them."""

    def __init__(self, folder: Path, config: Path, secrets: Mapping[str, str]) -> None:
        """Their logs go to `folder`. They take the settings in `config` and, by their variables, `secrets`; no others.

        A secret stands in their environment, for a file in `folder` would outlive the demo.
        """
        self.folder = folder
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}
        self._environment |= {CONFIG_VARIABLE: str(config), **secrets}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def log(self, name: str) -> Path:
        """Where the output of process `name` goes."""
        return self.folder / f"{name}.log"

    def start(self, name: str, *arguments: str) -> None:
        """Start `edgewise` with `arguments`, known as `name`."""
        child = edgewise_child(*arguments, environment=self._environment)
        with self.log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                child.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=child.environment,
                preexec_fn=die_with_parent(),  # noqa: PLW1509 - calls the C library only
                start_new_session=True,  # a Ctrl-C in the terminal is for the demo, which ends the rest in order
            )

    def ended(self, name: str) -> bool:
        """Whether `name` has done its work. Raises `ProcessDiedError` when it failed."""
        code = self._running[name].poll()
        if code not in (None, 0):
            raise self._died(name)
        return code == 0

    def require(self, *names: str) -> None:
        """Raises `ProcessDiedError` unless all of `names` are running."""
        for name in names:
            if self._running[name].poll() is not None:
                raise self._died(name)

    def health(self) -> list[Health]:
        """How each process is, in the order that they were started in."""
        return [
            Health(
                name, process.pid, process.poll(), None if process.returncode is not None else _memory_mb(process.pid)
            )
            for name, process in self._running.items()
        ]

    def stop(self) -> None:
        """End all that run, together; what does not within 10 s is killed. To stop again does nothing."""
        running = [process for process in self._running.values() if process.poll() is None]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _died(self, name: str) -> ProcessDiedError:
        tail = self.log(name).read_text(errors="replace").strip().splitlines()[-1:]
        said = tail[0][-_LOG_TAIL_CHARS:] if tail else "it said nothing"
        code = self._running[name].returncode
        how = f"exit code {code}" if code >= 0 else f"signal {-code}"
        return ProcessDiedError(f"{name} ended with {how}: {said} (log: {self.log(name)})")


def _memory_mb(pid: int) -> float | None:
    """Resident memory in MB; None where there is no /proc, or the process has just ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
