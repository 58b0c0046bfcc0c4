"""One HTTP connection, with limits on what a client may take its time for. uvicorn itself waits without end."""

import asyncio
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from streams.ingest import metrics

# From a connection's start, or a request's first byte, to the end of its headers.
HEADERS_S: Final = 10.0

# An answer is some hundred bytes: who has not read so far by then reads no more.
UNREAD_S: Final = 10.0

# What is sent behind an answer that refused it is read and thrown away, so that the client sees the answer; not more.
_THROWN_AWAY: Final = 8 * 1024 * 1024

# Connections that may be open beyond those that are served: these are answered 503.
_REFUSED_CONNECTIONS: Final = 100


class BoundedProtocol(H11Protocol):
    """uvicorn's, which gives up a client that sends its headers too slowly, or does not read."""

    _waiting: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _thrown_away = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for headers; one connection too many is closed at once."""
        super().connection_made(transport)
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency + _REFUSED_CONNECTIONS:
            transport.abort()
            return
        self._wait_for_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits for nothing any more."""
        self._stop_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes what came."""
        answered = self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY
        self._thrown_away = self._thrown_away + len(data) if answered else 0
        super().data_received(data)
        if self._thrown_away > _THROWN_AWAY:
            self.transport.abort()
        else:
            self._watch()

    def on_response_complete(self) -> None:
        """Goes on with what the client has sent behind the request that is answered now."""
        super().on_response_complete()
        if not self.transport.is_closing():
            self._watch()

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP, and counts it."""
        metrics.MALFORMED.inc()
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            super().send_400_response(msg)
            if self.cycle is not None:  # a request whose body is no HTTP has its answer now
                self.cycle.disconnected = True
                self.cycle.message_event.set()
        else:  # it came behind a request that is answered, or being answered
            self.transport.close()

    def pause_writing(self) -> None:
        """Called when the client does not read."""
        self.flow.pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(UNREAD_S, self._give_up, "reading")

    def resume_writing(self) -> None:
        """Called when it has read."""
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        self.flow.resume_writing()

    def _watch(self) -> None:
        theirs = self.conn.their_state
        refused = theirs is h11.SEND_BODY and self.conn.our_state is h11.DONE
        if refused or (theirs is h11.IDLE and self.conn.trailing_data[0]):
            self._wait_for_headers()
        elif theirs is not h11.IDLE:
            self._stop_waiting()

    def _wait_for_headers(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(HEADERS_S, self._give_up, "headers")

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self, doing: str) -> None:
        metrics.LATE.labels(doing).inc()
        self.transport.abort()


def options(limit: int) -> dict[str, Any]:
    """How uvicorn is to serve: `limit` connections, nothing logged by itself, nothing told of the server."""
    return {
        "http": BoundedProtocol,
        "ws": "none",
        "lifespan": "off",
        "log_config": None,
        "access_log": False,
        "proxy_headers": False,
        "server_header": False,
        "limit_concurrency": limit,
        "timeout_keep_alive": 75,  # load balancers keep a connection for 60 s, and must not be the later ones
        "timeout_graceful_shutdown": 8,  # what container platforms grant is 10 s
    }
