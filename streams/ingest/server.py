"""`edgewise ingest`: the HTTP door as a process, from its checks to a shutdown that loses nothing."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import uvicorn

from schemas.errors import UsageError
from streams.config.settings import Settings
from streams.files.formats.roles import parse_roles
from streams.ingest.app import Door
from streams.ingest.intake import Intake
from streams.ingest.once import OnceWriter, require_door
from streams.ingest.protocol import options
from streams.ingest.secrets import Secrets
from streams.kafka.client import Cluster
from streams.kafka.refusals import is_listening
from streams.system.threads import in_daemon_thread

logger = logging.getLogger(__name__)

_DRAIN_S: Final = 2.0  # for a transaction under way; requests have been answered by then


class Server(uvicorn.Server):
    """uvicorn's, which leaves signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals alone: uvicorn would raise them again at the end, and a stop would look like a crash."""
        yield


async def serve(settings: Settings, on_listening: Callable[[int], None] = lambda _port: None) -> None:
    """Serves until SIGTERM or SIGINT; then takes no more, answers what it has, and ends.

    `on_listening` is told the port.

    Raises UsageError: nobody may come in, nothing can listen there, a topic is missing, the brokers refuse the login.
    EdgewiseError: no broker answers, a right is missing.
    """
    secrets = Secrets(settings.ingest_secrets_folder)
    roles = parse_roles(filter(None, settings.ingest_role_map.split(",")))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    cluster = Cluster(settings)
    await in_daemon_thread(partial(require_door, cluster))
    writer = OnceWriter(cluster)
    opening = asyncio.create_task(in_daemon_thread(writer.open))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({opening, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not opening.done():
        opening.cancel()
        return
    await opening
    with listening(settings.ingest_host, settings.ingest_port, "INGEST") as listener:
        intake = Intake(writer, partial(is_listening, settings))
        door = Door(settings, secrets, intake, roles)
        server = Server(uvicorn.Config(door.application(), **options(settings.ingest_connections)))
        serving = asyncio.create_task(server.serve([listener]))
        logger.info("ingest: listening at %s", address(listener))
        on_listening(listener.getsockname()[1])
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
        await intake.close(_DRAIN_S)
        logger.info("ingest: stops after %d requests", server.server_state.total_requests)


def listening(host: str, port: int, what: str) -> socket.socket:
    """A socket that listens there; `what` is what the settings of both begin with. Raises UsageError."""
    try:
        family, *_, found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server((str(found[0]), port), family=family, backlog=1024)
    except OSError as error:
        raise UsageError(
            f"nothing can listen at {host}, port {port} ({error.strerror}): set EDGEWISE_{what}_PORT to a free port "
            f"and EDGEWISE_{what}_HOST to an address of this machine"
        ) from None


def address(listener: socket.socket) -> str:
    """Where it listens, as an address of HTTP."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
