"""Clients that take their time: they are given up, and what they do costs no memory."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from streams.ingest import protocol
from streams.ingest.protocol import options

SOON_S = 0.2
ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def _answer(_request: Request) -> Response:
    return PlainTextResponse("x" * 10_000)


async def _refuse(_request: Request) -> Response:
    return PlainTextResponse("no", 413)


class Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """In a thread there are none."""


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server in a thread that gives clients up soon, with two connections at most."""
    monkeypatch.setattr(protocol, "HEADERS_S", SOON_S)
    monkeypatch.setattr(protocol, "UNREAD_S", SOON_S)
    monkeypatch.setattr(protocol, "_REFUSED_CONNECTIONS", 2)
    routes = [Route("/", _answer), Route("/no", _refuse, methods=["POST"])]
    server = Server(uvicorn.Config(Starlette(routes=routes), **options(2)))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
    thread.start()
    yield int(listener.getsockname()[1])
    server.should_exit = True
    thread.join()


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 60)


def ended(connection: socket.socket) -> bool:
    """Whether the server ends the connection; it waits for that."""
    try:
        while connection.recv(65_536):
            pass
    except ConnectionResetError:
        pass
    return True


def send_without_end(connection: socket.socket, what: bytes, sent: list[int] | None = None) -> None:
    for _ in range(100_000):
        connection.sendall(what)
        if sent is not None:
            sent.append(len(what))


def memory_kb() -> int:
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1])


@pytest.mark.parametrize("sent", [b"", b"GET / HT", ASK[:-2], ASK + b"GET /"])
def test_headers_that_do_not_come_end_the_connection(port: int, sent: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(sent)
        assert ended(connection)


def test_a_connection_between_requests_is_kept(port: int) -> None:
    with connected(port) as connection:
        for _ in range(3):
            connection.sendall(ASK)
            received = connection.recv(65_536)
            assert received.startswith(b"HTTP/1.1 200")
            while received.count(b"x") < 10_000:
                received += connection.recv(65_536)
            threading.Event().wait(2 * SOON_S)  # longer than headers may take


def test_a_client_that_never_reads_is_given_up_and_costs_no_memory(port: int) -> None:
    with connected(port) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(60)
        before_kb = memory_kb()
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            send_without_end(connection, ASK * 100)
        assert memory_kb() - before_kb < 20_000


def test_what_is_sent_behind_a_refusal_is_thrown_away_up_to_a_bound(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(b"POST /no HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000000\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 413")
        sent: list[int] = []
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            send_without_end(connection, b" " * 65_536, sent)
        assert sum(sent) < 64 * 1024 * 1024


def test_a_refused_body_that_does_not_come_ends_the_connection(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(b"POST /no HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n x")
        assert ended(connection)


def test_a_body_that_is_no_http_is_answered_once_and_no_failure_of_ours(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    with connected(port) as connection:
        connection.sendall(b"POST /no HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\nzz\r\n")
        received = b""
        while part := connection.recv(65_536):
            received += part
    assert received.startswith(b"HTTP/1.1 400")
    assert received.count(b"HTTP/1.1") == 1
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_too_many_connections_are_answered_503_and_still_more_are_closed(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEADERS_S", 60.0)
    held = [connected(port) for _ in range(2)]
    with connected(port) as third:
        third.sendall(ASK)
        assert third.recv(1000).startswith(b"HTTP/1.1 503")
    held += [connected(port) for _ in range(2)]
    with connected(port) as last:
        assert ended(last)
    for connection in held:
        connection.close()
