import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streams.config.settings import Settings
from streams.kafka.client import BrokerUnreachableError, Cluster
from streams.kafka.embedded_broker import BrokerStartError, EmbeddedBroker


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_it_answers_while_the_context_is_entered_and_not_after() -> None:
    with EmbeddedBroker() as broker:
        assert answers(broker.port)
        assert list(Cluster(Settings(bootstrap_servers=broker.bootstrap_servers)).metadata().brokers)
    assert not answers(broker.port)
    broker.stop()  # to stop it again is no error


def test_two_at_once_have_ports_of_their_own() -> None:
    with EmbeddedBroker() as one, EmbeddedBroker() as other:
        assert one.port != other.port
        assert answers(one.port)


def test_a_taken_port_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(BrokerStartError, match=rf"port {port} of 127\.0\.0\.1 can't be opened: Address already"):
            EmbeddedBroker(port).__enter__()


def test_a_broker_that_ends_while_starting_is_told_with_what_it_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = tmp_path / "tansu"
    binary.write_text("#!/bin/sh\necho first\necho no room for me >&2\nexit 3\n")
    binary.chmod(0o755)
    monkeypatch.setenv("CALF_TANSU_BIN", str(binary))
    with pytest.raises(BrokerStartError, match=r"ended while it started \(exit status 3\): first \| no room for me"):
        EmbeddedBroker().__enter__()


def test_a_broker_that_never_answers_is_given_up_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = tmp_path / "tansu"
    binary.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    binary.chmod(0o755)
    monkeypatch.setenv("CALF_TANSU_BIN", str(binary))
    monkeypatch.setattr("streams.kafka.embedded_broker._ASK_TIMEOUT_S", 0.2)
    ticks = iter([0.0, 10.0, 20.0, 30.5])
    broker = EmbeddedBroker(clock_s=ticks.__next__)
    with pytest.raises(BrokerStartError, match=r"does not answer after 30 s"):
        broker.__enter__()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_no_broker_for_this_platform_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALF_TANSU_BIN", "/nowhere/tansu")
    with pytest.raises(BrokerStartError, match=r"/nowhere/tansu.*set EDGEWISE_BOOTSTRAP_SERVERS"):
        EmbeddedBroker().__enter__()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process whose parent was killed")
def test_it_does_not_outlive_a_killed_parent(repository: Path) -> None:
    imports = "from streams.kafka.embedded_broker import EmbeddedBroker"
    program = f"{imports}\nwith EmbeddedBroker() as b:\n print(b.port, flush=True)\n b.wait()"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=repository) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline())
        assert answers(port)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 30
    while answers(port):
        assert time.monotonic() < deadline


def test_an_unreachable_broker_is_told_in_one_line() -> None:
    with EmbeddedBroker() as broker:
        settings = Settings(bootstrap_servers=broker.bootstrap_servers)
    with pytest.raises(BrokerUnreachableError) as refused:
        Cluster(settings).metadata(timeout_s=0.5)
    assert str(refused.value).startswith(f"no Kafka broker answers at {broker.bootstrap_servers} within 0.5 s")
    assert "\n" not in str(refused.value)
