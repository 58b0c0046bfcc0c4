"""Runs agents as processes and restarts what crashes: for one machine; in production the container platform does it."""

import asyncio
import logging
import os
import signal
from collections.abc import Sequence

from streams.config.loading import service_links
from streams.config.settings import Settings
from streams.system.exit_codes import EXIT_USAGE
from streams.system.processes import die_with_parent, edgewise_child
from streams.system.signals import ignore_stop_signals

logger = logging.getLogger(__name__)

# 1 s lets a broker that restarts come back; 30 s keeps a worker that cannot start from filling logs and loading the
# broker. Doubling, the bound is reached after five crashes in a row.
FIRST_BACKOFF_S = 1.0
LONGEST_BACKOFF_S = 30.0

# A worker that ran for this long was healthy: its next crash starts the backoff anew.
HEALTHY_S = 60.0

# A worker gets this long to finish its batch and leave the group before it is killed: what container platforms grant.
GRACE_S = 10.0

# What a worker writes to the file descriptor that its supervisor gave it, once it has joined its group.
JOINED = b"1"


def backoff_s(crashes: int) -> float:
    """Seconds to wait before the restart after `crashes` crashes in a row (1 or more)."""
    return float(min(FIRST_BACKOFF_S * 2 ** (crashes - 1), LONGEST_BACKOFF_S))


def supervise(settings: Settings, agents: Sequence[str], processes: int = 1) -> int:
    """Runs `processes` processes of each of `agents` until SIGTERM or SIGINT, or until none is left; the exit code.

    A process gets the worker id of this one with its index behind it, and with more than one process in all, metrics
    ports that count up from the configured one. One that ends with exit code 2 (wrong set-up) ends them all, unless one
    has joined its group in its place before: its set-up was right then, and may be again.
    """
    return asyncio.run(_Supervisor(settings, agents, processes).run())


class _Supervisor:
    def __init__(self, settings: Settings, agents: Sequence[str], processes: int) -> None:
        self._environments = [
            (agent, _environment(settings, index, port))
            for port, (agent, index) in enumerate((agent, index) for agent in agents for index in range(processes))
        ]
        self._stop = asyncio.Event()
        self._exit_code = 0

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        await asyncio.gather(*(self._keep(agent, environment) for agent, environment in self._environments))
        ignore_stop_signals()
        return self._exit_code

    async def _keep(self, agent: str, environment: dict[str, str]) -> None:
        crashes, joined_once = 0, False
        loop = asyncio.get_running_loop()
        while not self._stop.is_set():
            begun = loop.time()
            code, joined = await self._run_once(agent, environment)
            joined_once |= joined
            if self._stop.is_set() or code == 0:
                return
            if code == EXIT_USAGE and not joined_once:
                self._exit_code = EXIT_USAGE
                self._stop.set()
                return
            crashes = 1 if loop.time() - begun > HEALTHY_S else crashes + 1
            pause = backoff_s(crashes)
            logger.warning("%s ended with exit code %d; starting it again in %g s", agent, code, pause)
            try:
                await asyncio.wait_for(self._stop.wait(), pause)
            except TimeoutError:
                continue

    async def _run_once(self, agent: str, environment: dict[str, str]) -> tuple[int, bool]:
        """The exit code of a worker of `agent`, and whether it had joined its group."""
        reader, writer = os.pipe()
        with os.fdopen(reader, "rb", buffering=0) as joined:
            try:
                child = edgewise_child("worker", agent, "--joined-fd", str(writer), environment=environment)
                process = await asyncio.create_subprocess_exec(
                    *child.command, env=child.environment, pass_fds=(writer,), preexec_fn=die_with_parent()
                )
            finally:
                os.close(writer)
            code = await self._end(process, agent)
            return code, joined.read() == JOINED

    async def _end(self, process: asyncio.subprocess.Process, agent: str) -> int:
        """The exit code of `process`, which is told to end when the supervisor is."""
        ended = asyncio.create_task(process.wait())
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not ended.done():
            process.terminate()
            await asyncio.wait({ended}, timeout=GRACE_S)
        if not ended.done():
            logger.warning(
                "%s did not stop within %g s and was killed; its open transaction is aborted", agent, GRACE_S
            )
            process.kill()
        return await ended


def _environment(settings: Settings, index: int, port: int) -> dict[str, str]:
    ignored = service_links()  # which this process has told of
    environment = {name: value for name, value in os.environ.items() if name not in ignored}
    environment["EDGEWISE_WORKER_ID"] = f"{settings.worker_id}-{index}"
    if settings.metrics_port:
        environment["EDGEWISE_METRICS_PORT"] = str(settings.metrics_port + port)
    return environment
