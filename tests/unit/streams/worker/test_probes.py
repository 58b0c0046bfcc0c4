"""What a worker tells over HTTP; tests/unit/streams/agents/test_metrics.py asks a real worker."""

import socket
import urllib.error
import urllib.request
from wsgiref.util import setup_testing_defaults

import pytest
from prometheus_client import CollectorRegistry, Counter

from schemas.errors import UsageError
from streams.config.settings import Settings
from streams.worker.probes import HANGS_S, STUCK_S, Health, application, probes


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    """Of a worker with which all is well."""
    health = Health(clock)
    health.joined = True
    return health


def ask(health: Health, path: str, method: str = "GET") -> tuple[int, str]:
    """The status and the body that a worker answers with."""
    registry = CollectorRegistry()
    Counter("asked", "How often.", registry=registry)
    environ: dict[str, object] = {"PATH_INFO": path, "REQUEST_METHOD": method}
    setup_testing_defaults(environ)
    statuses: list[str] = []

    def start_response(status: str, _headers: object, _caught: object = None) -> None:
        statuses.append(status)

    body = b"".join(application(health, registry)(environ, start_response))  # type: ignore[arg-type]
    return int(statuses[0].split()[0]), body.decode()


def test_a_worker_that_is_well_is_alive_and_ready(health: Health) -> None:
    assert ask(health, "/livez") == (200, "ok\n")
    assert ask(health, "/readyz") == (200, "ok\n")
    assert ask(health, "/readyz", "HEAD") == (200, "")
    status, text = ask(health, "/metrics")
    assert status == 200
    assert "asked_total 0.0" in text


@pytest.mark.parametrize("path", ["/", "", "/metrics/", "/readyz/x", "/livezz", "/favicon.ico"])
def test_any_other_path_is_not_found(path: str, health: Health) -> None:
    """Seen to fail with prometheus_client's own server: metrics at every path."""
    assert ask(health, path) == (404, "/metrics, /livez, /readyz\n")


def test_one_that_has_not_joined_is_alive_and_not_ready(health: Health) -> None:
    health.joined = False
    assert ask(health, "/livez") == (200, "ok\n")
    assert ask(health, "/readyz") == (503, "the consumer group is not joined\n")


def test_without_brokers_it_is_alive_and_not_ready(health: Health) -> None:
    """To start it again would help nobody."""
    health.brokers_answer = False
    assert ask(health, "/livez") == (200, "ok\n")
    assert ask(health, "/readyz") == (503, "no Kafka broker answers\n")


def test_one_whose_batch_is_stuck_is_not_ready(health: Health, clock: Clock) -> None:
    health.batch_since_s = lambda: 1000.0
    clock.now_s += STUCK_S
    health.turned()
    assert ask(health, "/readyz") == (200, "ok\n")
    clock.now_s += 1
    assert ask(health, "/readyz") == (503, "the batch under way has taken 61 s\n")


def test_one_whose_event_loop_hangs_is_not_alive(health: Health, clock: Clock) -> None:
    clock.now_s += HANGS_S
    assert ask(health, "/livez") == (200, "ok\n")
    clock.now_s += 1
    assert ask(health, "/livez") == (503, "the event loop has stood still for 61 s\n")
    assert ask(health, "/readyz")[0] == 503
    health.turned()
    assert ask(health, "/livez") == (200, "ok\n")


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def _status(host: str, port: int) -> int:
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/readyz", timeout=10) as answer:
            status: int = answer.status
    except urllib.error.HTTPError as refused:
        return refused.code
    return status


@pytest.fixture
def loopbacks() -> list[tuple[str, str]]:
    """This machine's loopback addresses, as a setting and in an URL."""
    found = [("127.0.0.1", "127.0.0.1"), ("localhost", "localhost")]
    if socket.has_ipv6:
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            pass
        else:
            found.append(("::1", "[::1]"))
    return found


def test_it_listens_at_the_address_of_the_settings_only(
    health: Health, free_port: int, loopbacks: list[tuple[str, str]]
) -> None:
    for host, in_url in loopbacks:
        with probes(Settings(metrics_host=host, metrics_port=free_port), health):
            assert _status(in_url, free_port) == 200
        with pytest.raises(urllib.error.URLError):  # and it no longer does
            _status(in_url, free_port)
    with probes(Settings(metrics_host="127.0.0.1", metrics_port=free_port), health):
        socket.create_server(("127.0.0.2", free_port)).close()  # seen to fail with 0.0.0.0


def test_without_a_port_nothing_listens(health: Health, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", None)
    with probes(Settings(), health):
        pass


def test_an_address_that_nothing_can_listen_at_is_wrong_usage(health: Health) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        wanted = probes(Settings(metrics_port=port), health)
        with (
            pytest.raises(UsageError, match=f"at 127.0.0.1, port {port} .*in use.*: set EDGEWISE_METRICS_PORT"),
            wanted,
        ):
            pytest.fail("it was entered")
    elsewhere = probes(Settings(metrics_host="192.0.2.1", metrics_port=port), health)  # an address of documentation
    with pytest.raises(UsageError, match=r"at 192\.0\.2\.1, port \d+ \(.+\): set .* EDGEWISE_METRICS_HOST"), elsewhere:
        pytest.fail("it was entered")
