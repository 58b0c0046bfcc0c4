"""What a worker tells over HTTP: `/metrics` for Prometheus, `/livez` and `/readyz` for the platform that runs it."""

import asyncio
import socket
import socketserver
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from threading import Thread
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import prometheus_client

from schemas.errors import UsageError
from streams.config.settings import Settings

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# A batch takes milliseconds to seconds. One transaction is given up after 45 s (`delivery.STUCK_S`), and the time
# that a cloud is given is its own: a batch that lasts longer is stuck.
STUCK_S = 60.0

# The event loop turns many times a second. One that has stood still for so long hangs for good: a look at the swapping
# machine that it may be elsewhere costs more than a restart.
HANGS_S = 60.0

# A client that connects and asks nothing is let go.
_REQUEST_TIMEOUT_S = 10.0


class Health:
    """How a worker is. Its event loop writes, the threads that answer HTTP read."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._turned_s = clock_s()
        self.joined = False  # its consumer group
        self.brokers_answer = True  # at the last look; a worker that starts asks them first
        self.batch_since_s: Callable[[], float | None] = lambda: (
            None
        )  # when the batch under way was begun, by `clock_s`

    async def beat(self) -> None:
        """Notes once a second, without end, that the event loop turns."""
        while True:
            self.turned()
            await asyncio.sleep(1)

    def turned(self) -> None:
        """Notes that the event loop turns."""
        self._turned_s = self._clock_s()

    def why_not_alive(self) -> str | None:
        """Why a restart would help; None where it would not."""
        stood_s = self._clock_s() - self._turned_s
        return f"the event loop has stood still for {stood_s:.0f} s" if stood_s > HANGS_S else None

    def why_not_ready(self) -> str | None:
        """Why no events are processed now; None where they are."""
        if (why := self.why_not_alive()) is not None:
            return why
        if not self.joined:
            return "the consumer group is not joined"
        if not self.brokers_answer:
            return "no Kafka broker answers"
        since_s = self.batch_since_s()
        if since_s is not None and (took_s := self._clock_s() - since_s) > STUCK_S:
            return f"the batch under way has taken {took_s:.0f} s"
        return None


@contextmanager
def probes(settings: Settings, health: Health) -> Iterator[None]:
    """Serves metrics and probes at the settings' address while the context is entered; at port 0 nothing.

    Raises UsageError: nothing can listen there.
    """
    if not settings.metrics_port:
        yield
        return
    with _server(settings) as server:
        server.set_app(application(health))
        thread = Thread(target=server.serve_forever, name="probes", daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()


def application(
    health: Health, registry: prometheus_client.CollectorRegistry = prometheus_client.REGISTRY
) -> "WSGIApplication":
    """The WSGI application that answers `/metrics`, `/livez` and `/readyz`; a 503 says why in its body."""
    metrics: WSGIApplication = prometheus_client.make_wsgi_app(registry)
    probed = {"/livez": health.why_not_alive, "/readyz": health.why_not_ready}

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            return metrics(environ, start_response)
        if path not in probed:
            status, text = HTTPStatus.NOT_FOUND, "/metrics, /livez, /readyz"
        else:
            why_not = probed[path]()
            status, text = (HTTPStatus.OK, "ok") if why_not is None else (HTTPStatus.SERVICE_UNAVAILABLE, why_not)
        body = f"{text}\n".encode()
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return answer


class _Handler(WSGIRequestHandler):
    timeout = _REQUEST_TIMEOUT_S

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Logs nothing: a probe every few seconds is no news."""


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    """A thread a request: a scrape that is slow holds up no probe."""

    daemon_threads = True

    def __init__(self, family: socket.AddressFamily, address: tuple[str, int]) -> None:
        self.address_family = family
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing of a client that broke off; the library would print a traceback."""

    def server_bind(self) -> None:
        """Binds without a look at the host's full name, which a broken DNS server holds up for seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()


def _server(settings: Settings) -> _Server:
    host, port = settings.metrics_host, settings.metrics_port
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return _Server(family, (str(address[0]), port))
    except OSError as error:
        raise UsageError(
            f"metrics can't be served at {host}, port {port} ({error.strerror}): set EDGEWISE_METRICS_PORT to a free "
            "port, or to 0 for no metrics, and EDGEWISE_METRICS_HOST to an address of this machine"
        ) from None
