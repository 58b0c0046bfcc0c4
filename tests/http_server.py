"""A real HTTP server on this machine that answers by a script, faults among the answers."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

LONGEST_FAULT_S = 20.0  # what hangs ends with the test, or after this


@dataclass
class Request:
    """What a client sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    content: bytes = b""  # what the body was read from


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Standard error is for faults of the tests."""

    def send(self, status: int, content: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def wait(self) -> None:
        """Until the test is over."""
        self.server.over.wait(LONGEST_FAULT_S)
        self.close_connection = True

    def _answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, json.loads(content) if content else None, content)
        try:
            self.server.next_answer(request)(self, request)
        except OSError:  # the client has gone
            self.close_connection = True
        except Exception as error:  # noqa: BLE001 - of the script; `serve` raises it
            self.server.mistakes.append(error)
            self.close_connection = True


Fault = Callable[[Handler, Request], None]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, script: Sequence[Fault]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[Request] = []
        self.mistakes: list[Exception] = []
        self.over = threading.Event()
        self.scheme = "http"
        self._script = list(script)
        self._lock = threading.Lock()
        self.in_flight = Counted()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def next_answer(self, request: Request) -> Fault:
        """The script's next entry; its last one answers everything that comes after."""
        with self._lock:
            self.requests.append(request)
            return self._script.pop(0) if len(self._script) > 1 else self._script[0]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A handshake that the client broke off is what some tests are about."""


@dataclass
class Counted:
    """How many requests were held at once, at most."""

    now: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def leave(self) -> None:
        with self.lock:
            self.now -= 1


@contextmanager
def serve(*script: Fault, certificate: Path | None = None, client_ca: Path | None = None) -> Iterator[Server]:
    """The server, which plays `script`; with the certificate and key of the file `certificate` over TLS.

    `client_ca` has issued the certificates of those that it answers; without it everybody is answered.
    """
    server = Server(script)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if client_ca is not None:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.scheme = "https"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
    if server.mistakes:
        raise server.mistakes[0]


def answer(body: Any, status: int = 200, **headers: str) -> Fault:
    """A JSON answer; `_` in a header's name stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler, _: handler.send(status, json.dumps(body).encode(), named)


def raw(content: bytes, status: int = 200) -> Fault:
    """An answer that may be no JSON."""
    return lambda handler, _: handler.send(status, content)


def hang(handler: Handler, _: Request) -> None:
    """No answer."""
    handler.wait()


def drip(handler: Handler, _: Request) -> None:
    """An answer that never ends, a byte at a time: each read is quick, and all of them are not."""
    handler.send(200, b"", {"Content-Length": "1000000"})
    while not handler.server.over.wait(0.01):
        handler.wfile.write(b" ")
    handler.close_connection = True


def cut(handler: Handler, _: Request) -> None:
    """Half an answer, and the connection is closed."""
    handler.send(200, b'{"half":', {"Content-Length": "1000"})
    handler.close_connection = True


def flood(handler: Handler, _: Request) -> None:
    """More bytes than any answer has."""
    handler.send(200, b" " * (4 << 20))


def echo_error(status: int, **headers: str) -> Fault:
    """An error that quotes the whole request, as servers do, in every place that an error has."""

    def fault(handler: Handler, request: Request) -> None:
        quoted = json.dumps(request.body)
        error = {"message": quoted, "type": quoted, "code": quoted, "param": quoted}
        content = json.dumps({"error": error, "error_type": quoted, "detail": quoted}).encode()
        handler.send(status, content, {name.replace("_", "-"): value for name, value in headers.items()})

    return fault
