"""The network that the faults break does what it says: here between a client and a server that answers in kind.

Seen to fail where what is held passes, delays are left out, a cut resets nothing, or a refusal lets the client in.
"""

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.network import HOSTS, Network, Trouble, listener


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        connection: socket.socket = self.request
        while piece := connection.recv(1024):
            connection.sendall(piece)


@pytest.fixture
def network() -> Iterator[Network]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server, Network(1) as network:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        network.connect([{listener(host): server.server_address[1] for host in HOSTS}])
        yield network
        network.cut()
        server.shutdown()
        thread.join()


def connected(network: Network, host: int = 0) -> socket.socket:
    address, _, port = network.bootstrap_servers(host).rpartition(":")
    client = socket.create_connection((address, int(port)))
    client.settimeout(30)
    return client


def test_what_is_sent_arrives_and_comes_back_in_order(network: Network) -> None:
    network.trouble(Trouble(jitter_s=0.01, loss=0.05))
    sent = bytes(range(256)) * 1000
    with connected(network) as client:
        client.sendall(sent)
        received = b""
        while len(received) < len(sent):
            received += client.recv(65536)
    assert received == sent


def test_a_delay_is_waited_out_in_each_direction(network: Network) -> None:
    network.trouble(Trouble(delay_s=0.1))
    with connected(network) as client:
        begun = time.monotonic()
        client.sendall(b"late")
        assert client.recv(4) == b"late"
        assert time.monotonic() - begun >= 0.2


@pytest.mark.parametrize("trouble", [Trouble(holds_requests=True), Trouble(holds_answers=True)])
def test_what_is_held_comes_when_the_split_ends(network: Network, trouble: Trouble) -> None:
    with connected(network) as client, connected(network, host=1) as other:
        network.trouble(trouble, hosts=[0])
        client.sendall(b"held")
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(4)
        other.sendall(b"goes")
        assert other.recv(4) == b"goes"
        network.heal()
        client.settimeout(30)
        assert client.recv(4) == b"held"


def test_a_cut_resets_what_is_open_and_refusing_what_is_new(network: Network) -> None:
    with connected(network) as client, connected(network, host=1) as other:
        for each in (client, other):
            each.sendall(b"up")
            assert each.recv(2) == b"up"
        network.trouble(Trouble(refuses=True), hosts=[0])
        network.cut(hosts=[0])
        with pytest.raises(ConnectionResetError):
            client.recv(2)
        with connected(network) as late, pytest.raises(ConnectionResetError):
            late.recv(2)
        other.sendall(b"on")
        assert other.recv(2) == b"on"
    network.heal()
    with connected(network) as again:
        again.sendall(b"back")
        assert again.recv(4) == b"back"


def test_a_network_that_ends_closes_what_it_accepted_last() -> None:
    """Seen to fail: sockets that asyncio had accepted, but not handed over yet, were left open."""
    for _ in range(20):
        with contextlib.ExitStack() as clients:
            broker = clients.enter_context(socket.create_server(("127.0.0.1", 0)))
            with Network(1) as network:
                network.connect([{listener(host): broker.getsockname()[1] for host in HOSTS}])
                last = [clients.enter_context(connected(network)) for _ in range(5)]
            for client in last:
                with contextlib.suppress(ConnectionResetError):
                    assert client.recv(1) == b""
