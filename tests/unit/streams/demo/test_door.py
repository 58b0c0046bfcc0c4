"""The demo's client of its own door."""

from pathlib import Path

import pytest

from streams.demo.door import Door, door_settings
from streams.demo.processes import Processes
from tests.events import TRANSCRIPT
from tests.http_server import raw, serve


class Running(Processes):
    """None, and all of them run."""

    def __init__(self) -> None: ...

    def require(self, *names: str) -> None: ...


def test_the_door_is_asked_past_the_proxy_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(door_settings(tmp_path)["ingest_secrets_folder"])
    with serve(raw(b"")) as server, serve(raw(b"")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        door = Door(Running(), folder, server.server_address[1])
        assert door.is_ready()
        door.send([TRANSCRIPT], lambda: None)
    assert [request.path for request in server.requests] == ["/readyz", "/v1/events"]
    assert not proxy.requests
