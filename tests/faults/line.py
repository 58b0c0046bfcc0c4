"""The workers of a line as processes, kept running as a process manager would, until a test ends them."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from streams.agents.topology import VERIFIED_AGENTS as AGENTS
from streams.config.settings import Settings
from streams.system.processes import die_with_parent
from tests.faults.forked import Forked
from tests.faults.orders import FOLDER
from tests.kafka.kafka_server import REPOSITORY

SLOTS = (0, 1)

# As `edgewise worker` waits before the first restart.
RESTART_S = 1.0


class Exit(NamedTuple):
    """A worker that ended by itself."""

    agent: str
    slot: int
    code: int
    last_words: str


def environ(settings: Settings) -> dict[str, str]:
    """This process's variables, with `settings` in the place of its own."""
    fields = type(settings).model_fields
    changed = {
        name: value
        for name, value in settings.model_dump(exclude={"worker_id"}).items()
        if getattr(settings, name) != fields[name].default
    }
    variables = {name: value for name, value in os.environ.items() if not name.startswith("EDGEWISE_")}
    return variables | {f"EDGEWISE_{name.upper()}": str(value) for name, value in changed.items()}


class Line:
    """For each of `agents` one process in each of `slots`, which names its worker id; logs go to `folder`.

    A worker that ends by itself is written to `exits`, and started again unless `restarts` is false. `hosts` has the
    settings of the slots that do not go by the line's. With `forked` the workers of this code are forked from a process
    that has imported it.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        slots: Sequence[int] = SLOTS,
        agents: Sequence[str] = AGENTS,
        *,
        restarts: bool = False,
        module: str = "streams.cli",
        hosts: Mapping[int, Settings] | None = None,
        forked: bool = False,
    ) -> None:
        self.exits: list[Exit] = []
        self.restarts = restarts
        self._module = module
        self._forked = forked
        self._settings = settings
        self._hosts = hosts or {}
        self._folder = folder
        self._wanted = [(agent, slot) for agent in agents for slot in slots]
        self._workers: dict[tuple[str, int], subprocess.Popen[bytes] | Forked] = {}
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="line")

    def __enter__(self) -> Self:
        for agent, slot in self._wanted:
            self.start(agent, slot)
        self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing.set()
        self._keeper.join()
        for worker in self._workers.values():
            worker.kill()  # a frozen one too
            worker.wait()

    def start(
        self,
        agent: str,
        slot: int,
        *,
        settings: Settings | None = None,
        module: str | None = None,
        environment: Mapping[str, str] | None = None,
        code: Path = REPOSITORY,
        python: str = sys.executable,
    ) -> None:
        """Start the worker of a slot: `python -m module worker AGENT`, by the slot's settings if none are given.

        `code` is the folder of the code that it runs, by `python`.
        """
        settings = settings or self._hosts.get(slot, self._settings)
        variables = environ(settings) | {"EDGEWISE_WORKER_ID": f"slot-{slot}", "EDGEWISE_LOG_LEVEL": "info"}
        variables |= {FOLDER: str(self._folder), **(environment or {})}
        name, path = module or self._module, self._log(agent, slot)
        with self._lock, path.open("ab") as log:
            if self._forked and (code, python) == (REPOSITORY, sys.executable):
                self._workers[agent, slot] = Forked(name, ["worker", agent], variables, path)
                return
            self._workers[agent, slot] = subprocess.Popen(
                [python, "-m", name, "worker", agent],
                cwd=code,
                env=variables,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(),  # noqa: PLW1509
            )

    def pid(self, agent: str, slot: int) -> int:
        """The process of a slot's worker."""
        return self._workers[agent, slot].pid

    def kill(self, agent: str, slot: int) -> None:
        """Kill a worker (-9); it stays down until it is started."""
        with self._lock:
            worker = self._workers.pop((agent, slot))
        worker.kill()
        worker.wait()

    def send_signal(self, agent: str, slot: int, number: signal.Signals) -> None:
        """Send a worker a signal: `SIGSTOP` freezes it, `SIGCONT` lets it go on."""
        self._workers[agent, slot].send_signal(number)

    def stop(
        self, agent: str, slot: int, number: signal.Signals = signal.SIGTERM, again_after_s: float | None = None
    ) -> int:
        """Send a worker a signal, perhaps again after a pause, and wait for its end; the exit code.

        It stays down until it is started.
        """
        with self._lock:
            worker = self._workers.pop((agent, slot))
        try:
            worker.send_signal(number)
            if again_after_s is not None:
                time.sleep(again_after_s)
                worker.send_signal(number)
            return worker.wait(60)
        finally:
            worker.kill()
            worker.wait()

    def wait_until_up(self, agent: str, slot: int, starts: int = 1, timeout_s: float = 90.0) -> None:
        """Wait until the slot's log says for the time number `starts` that a worker is up."""
        deadline = time.monotonic() + timeout_s
        while self.ups(agent, slot) < starts:
            if time.monotonic() > deadline or (self.exits and not self.restarts):
                raise RuntimeError(f"{agent}-{slot} did not come up: {self.log(agent, slot)[-500:]}")
            time.sleep(0.05)

    def wait_for_exits(self, number: int, timeout_s: float = 90.0) -> None:
        """Wait until so many workers in all have ended by themselves."""
        deadline = time.monotonic() + timeout_s
        while len(self.exits) < number:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(self.exits)} of {number} workers ended by themselves: {self.exits}")
            time.sleep(0.02)

    def ups(self, agent: str, slot: int) -> int:
        """How often a worker of the slot has come up."""
        return self.log(agent, slot).count("is up")

    def log(self, agent: str, slot: int) -> str:
        """What the workers of a slot have logged."""
        path = self._log(agent, slot)
        return path.read_text(errors="replace") if path.exists() else ""

    def _log(self, agent: str, slot: int) -> Path:
        return self._folder / f"{agent}-{slot}.log"

    def _keep(self) -> None:
        """Notes who ended by itself, and starts it again after a pause."""
        due: dict[tuple[str, int], float] = {}
        while not self._closing.wait(0.05):
            with self._lock:
                for (agent, slot), worker in list(self._workers.items()):
                    if (code := worker.poll()) is not None:
                        del self._workers[agent, slot]
                        words = self.log(agent, slot).splitlines()[-1:] or [""]
                        self.exits.append(Exit(agent, slot, code, words[0]))
                        due[agent, slot] = time.monotonic() + RESTART_S
                for (agent, slot), moment in list(due.items()):
                    if (agent, slot) in self._workers or not self.restarts:
                        del due[agent, slot]
                    elif time.monotonic() >= moment:
                        del due[agent, slot]
                        self.start(agent, slot)
