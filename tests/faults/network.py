"""A network that can be broken: a TCP proxy on the way from each host of workers to each broker.

A host is a slot of the line. What the proxy does to a way is what a network does to TCP: it delivers late, it loses the
connection, or it delivers nothing for a while and then, where both ends still wait, all of it.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, NamedTuple, Self

HOSTS = (0, 1)

# A piece that is lost is sent again by TCP after some 200 ms, and after twice that when it is lost again.
RETRANSMIT_S = 0.2

_PIECE_BYTES = 65_536
_PIECES = 64  # on the way at a time: 4 MB a connection
_HEAD = struct.Struct(">ih")  # a request's length and the key of its kind
_RESET = struct.pack("ii", 1, 0)


class Trouble(NamedTuple):
    """What a way does to what is sent over it, in each direction; the default is none."""

    delay_s: float = 0.0
    jitter_s: float = 0.0
    """Up to so much later still; what was sent after it waits, too."""
    loss: float = 0.0
    """Share of pieces that have to be sent again."""
    holds_requests: bool = False
    """What a client sends is not delivered until this ends, nor that it closed the connection."""
    holds_answers: bool = False
    """Likewise what a broker sends."""
    refuses: bool = False
    """New connections are refused."""


# The client's name in a request's header, behind its length: a producer is `edgewise` alone, a member of a group adds
# its worker's name.
_PRODUCER = b"\x00\x08edgewise"


@dataclass(eq=False)
class Connection:
    """One that is open: whether what the client sends passes, and whether the client is a producer, or asks things."""

    passes: asyncio.Event = field(default_factory=asyncio.Event)
    of_producer: bool = False


@dataclass(eq=False)
class Way:
    """From one host to one broker; `target` is the broker's own port."""

    host: int
    broker: int
    listener: socket.socket
    target: int = 0
    trouble: Trouble = field(default_factory=Trouble)
    requests: asyncio.Event = field(default_factory=asyncio.Event)
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    connections: set[asyncio.StreamWriter] = field(default_factory=set)
    open: set[Connection] = field(default_factory=set)
    strands: int | None = None
    """Kafka's key of the request that is held when it next comes."""
    stranded: threading.Event = field(default_factory=threading.Event)

    @property
    def port(self) -> int:
        """Where the proxy listens."""
        port: int = self.listener.getsockname()[1]
        return port


class Network:
    """The ways of `HOSTS` to so many brokers, which are numbered from 0; it lives in a thread of its own."""

    def __init__(self, brokers: int) -> None:
        self._ways = [Way(host, broker, _listening()) for host in HOSTS for broker in range(brokers)]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="network")
        self._ending = False
        self._acceptors: list[asyncio.Task[None]] = []
        self._handlers: set[asyncio.Task[None]] = set()
        self._rng = random.Random(0)

    @property
    def advertised(self) -> dict[str, list[int]]:
        """For each host the name of its listener, and the port that each broker has to advertise there."""
        return {listener(host): [way.port for way in self._ways if way.host == host] for host in HOSTS}

    def connect(self, listeners: Sequence[Mapping[str, int]]) -> None:
        """Say where the ways lead to: each broker's listeners, by their names."""
        for way in self._ways:
            way.target = listeners[way.broker][listener(way.host)]

    def bootstrap_servers(self, host: int) -> str:
        """What clients on a host are given to find the cluster."""
        return ",".join(f"127.0.0.1:{way.port}" for way in self._ways if way.host == host)

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def trouble(self, trouble: Trouble, hosts: Collection[int] = HOSTS, brokers: Collection[int] | None = None) -> None:
        """Bring `trouble` on the ways of these hosts to these brokers (None: to all), in place of what was there."""

        def bring(way: Way) -> None:
            way.trouble = trouble
            for passes, held in ((way.requests, trouble.holds_requests), (way.answers, trouble.holds_answers)):
                (passes.clear if held else passes.set)()

        self._do(self._each(hosts, brokers, bring))

    def heal(self) -> None:
        """No more trouble anywhere; what was held is delivered."""
        self.trouble(Trouble())

        def free(way: Way) -> None:
            for connection in way.open:
                connection.passes.set()

        self._do(self._each(HOSTS, None, free))

    def strand(self, hosts: Collection[int]) -> None:
        """Hold what producers on these hosts send over the connections that are open now; new ones are not held."""

        def hold(way: Way) -> None:
            for connection in way.open:
                if connection.of_producer:
                    connection.passes.clear()

        self._do(self._each(hosts, None, hold))

    def strand_next(self, key: int, host: int, broker: int) -> threading.Event:
        """Hold the next request of that kind (Kafka's API key), and what its connection sends after it, until `heal`.

        The event is set when one is held.
        """
        (way,) = [way for way in self._ways if (way.host, way.broker) == (host, broker)]

        async def arm() -> None:
            way.strands = key
            way.stranded.clear()

        self._do(arm())
        return way.stranded

    def cut(self, hosts: Collection[int] = HOSTS, brokers: Collection[int] | None = None) -> None:
        """Reset every connection that is open between these hosts and brokers (None: all)."""

        def reset(way: Way) -> None:
            for connection in way.connections:
                _reset(connection)

        self._do(self._each(hosts, brokers, reset))

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _each(
        self, hosts: Collection[int], brokers: Collection[int] | None, change: Callable[[Way], None]
    ) -> None:
        for way in self._ways:
            if way.host in hosts and (brokers is None or way.broker in brokers):
                change(way)

    async def _start(self) -> None:
        for way in self._ways:
            way.requests.set()
            way.answers.set()
            way.listener.listen()
            way.listener.setblocking(False)
            self._acceptors.append(self._loop.create_task(self._accept(way)))

    async def _end(self) -> None:
        # A connection a way, for an acceptor that is cancelled may lose the socket that it was just given.
        self._ending = True
        for way in self._ways:
            socket.create_connection(way.listener.getsockname()).close()
        await asyncio.gather(*self._acceptors)
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await asyncio.sleep(0)  # sockets are closed in the loop's next turn

    async def _accept(self, way: Way) -> None:
        """Each connection gets its handler, until the first after the network began to end.

        Not asyncio's server: when it is closed it leaves open what it accepted last.
        """
        with way.listener:
            while True:
                client, _ = await self._loop.sock_accept(way.listener)
                if self._ending:
                    client.close()
                    return
                self._handle(way, client)

    def _handle(self, way: Way, client: socket.socket) -> None:
        handler = self._loop.create_task(self._carry(way, client))
        self._handlers.add(handler)
        handler.add_done_callback(self._handlers.discard)
        handler.add_done_callback(lambda _: client.close())  # one that ends before it begins closes nothing

    async def _carry(self, way: Way, accepted: socket.socket) -> None:
        """One connection, until an end closes it and the other has been told."""
        async with _connection(asyncio.open_connection(sock=accepted)) as (client, to_client):
            if way.trouble.refuses:
                _reset(to_client)
                return
            try:
                async with _connection(asyncio.open_connection("127.0.0.1", way.target)) as (broker, to_broker):
                    await self._exchange(way, client, to_client, broker, to_broker)
            except OSError:
                _reset(to_client)  # the broker is down: its host would refuse the connection

    async def _exchange(
        self,
        way: Way,
        client: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
        broker: asyncio.StreamReader,
        to_broker: asyncio.StreamWriter,
    ) -> None:
        """Both directions, until one ends: Kafka has no use for half a connection."""
        way.connections |= {to_client, to_broker}
        connection = Connection()
        connection.passes.set()
        way.open.add(connection)
        directions = [
            asyncio.create_task(self._deliver(way, client, to_broker, way.requests, connection)),
            asyncio.create_task(self._deliver(way, broker, to_client, way.answers)),
        ]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)
            way.connections -= {to_client, to_broker}
            way.open.discard(connection)
            for writer in (to_client, to_broker):  # each at once: one may have to wait for the other end
                writer.close()

    async def _deliver(
        self,
        way: Way,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        passes: asyncio.Event,
        connection: Connection | None = None,
    ) -> None:
        """One direction of a connection: returns once its end has been delivered or the connection is lost."""
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_PIECES)
        reading = asyncio.create_task(self._read(way, reader, pieces))
        try:
            while True:
                due, piece = await pieces.get()
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                await passes.wait()
                if connection is not None:
                    connection.of_producer |= _PRODUCER in piece
                    if way.strands is not None and way.strands in _keys(piece):
                        way.strands = None
                        connection.passes.clear()
                        way.stranded.set()
                    await connection.passes.wait()
                if not piece:
                    return
                writer.write(piece)
                await writer.drain()
        except OSError:
            return
        finally:
            reading.cancel()

    async def _read(self, way: Way, reader: asyncio.StreamReader, pieces: asyncio.Queue[tuple[float, bytes]]) -> None:
        """Puts what comes with the time at which it is due; b"" is the end."""
        due, piece = 0.0, b"-"
        while piece:
            try:
                piece = await reader.read(_PIECE_BYTES)
            except OSError:
                piece = b""
            delay_s = way.trouble.delay_s + self._rng.random() * way.trouble.jitter_s
            resent_s = RETRANSMIT_S
            while self._rng.random() < way.trouble.loss:
                delay_s += resent_s
                resent_s *= 2
            due = max(due, self._loop.time() + delay_s)
            await pieces.put((due, piece))


def listener(host: int) -> str:
    """The name of the brokers' listener for a host."""
    return f"HOST{host}"


@contextlib.asynccontextmanager
async def _connection(
    opening: Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]],
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """What is read from and written to; at the end it closes, once what was written is sent or the other end lost."""
    reader, writer = await opening
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _keys(piece: bytes) -> list[int]:
    """The keys of the requests in what a client sent: of those that begin in it, if the first begins with it."""
    keys = []
    while len(piece) >= _HEAD.size:
        length, key = _HEAD.unpack_from(piece)
        keys.append(key)
        piece = piece[4 + max(0, length) :]
    return keys


def _listening() -> socket.socket:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    return listening


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection with a reset (RST), and with what is still to be sent lost."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
