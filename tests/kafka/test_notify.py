"""The notify agent as a process: each state of an alert reaches a real server once, whatever is stopped between."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.config.settings import Settings
from streams.ingest.signatures import Signed, verify
from streams.operate.topics import create
from tests.alerts import KEY, alert, raise_alerts
from tests.faults.line import Line
from tests.http_server import Request, Server, answer, hang, serve

BROKERS = ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)]


def named(settings: Settings, folder: Path, **servers: Server) -> Settings:
    """`settings` with a webhook for each of `servers`."""
    (folder / "key").write_text(f"{KEY.decode()}\n")
    text = ""
    for name, server in servers.items():
        (folder / f"{name}-url").write_text(f"{server.url}/{name}/SECRET\n")
        text += f'[[webhook]]\nname = "{name}"\nkind = "json"\nurl_file = "{name}-url"\nsecret_file = "key"\n'
    (folder / "webhooks.toml").write_text(text)
    return settings.model_copy(update={"webhooks": str(folder / "webhooks.toml")})


def wait(until: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 90
    while not until():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def said(requests: list[Request]) -> list[tuple[str, str]]:
    return [(request.body["data"]["alert_id"], request.body["data"]["state"]) for request in requests]


@pytest.mark.parametrize("broker", BROKERS, indirect=True)
@pytest.mark.timeout(300)
def test_each_state_once_over_restarts_and_no_secret_in_the_log(settings: Settings, tmp_path: Path) -> None:
    create(settings)
    with serve(answer({})) as good, serve(answer({}, 500)) as down, serve(hang) as stuck:
        told = named(settings, tmp_path, good=good, down=down, stuck=stuck)
        raise_alerts(told, alert())
        with Line(told, tmp_path, slots=(0,), agents=("notify",)) as line:
            for turn, heard in enumerate([alert(over=True), alert(firing=2), alert(firing=2, over=True)], 1):
                wait(lambda turn=turn: len(good.requests) >= turn, "it is told")  # type: ignore[misc]
                assert line.stop("notify", 0) == 0
                raise_alerts(told, heard)
                line.start("notify", 0)
            wait(lambda: len(good.requests) >= 4, "it is told of the last")
            raise_alerts(told, alert("marker"))  # what came before it has been told, too
            wait(lambda: ("marker-1", "firing") in said(good.requests), "it is told of the marker")
            assert line.stop("notify", 0) == 0
            log = line.log("notify", 0)
    assert said(good.requests) == [
        ("edge_share-1", "firing"), ("edge_share-1", "resolved"),
        ("edge_share-2", "firing"), ("edge_share-2", "resolved"), ("marker-1", "firing"),
    ]  # fmt: skip
    for request in good.requests:
        at_ms = int(request.headers["webhook-timestamp"]) * 1000
        assert verify("generic", Signed(request.headers, request.content), [KEY.decode()], at_ms)
    assert down.requests
    assert stuck.requests
    assert "webhook down was not told" in log
    assert "SECRET" not in log
    assert KEY.decode() not in log


@pytest.mark.kafka
@pytest.mark.timeout(300)
def test_killed_in_a_request_it_sends_the_same_id_again(settings: Settings, tmp_path: Path) -> None:
    create(settings)
    with serve(hang, answer({})) as server:
        told = named(settings, tmp_path, own=server)
        raise_alerts(told, alert())
        with Line(told, tmp_path, slots=(0,), agents=("notify",)) as line:
            wait(lambda: len(server.requests) == 1, "it is told")
            line.kill("notify", 0)
            line.start("notify", 0)
            wait(lambda: len(server.requests) >= 2, "it is told again")
            raise_alerts(told, alert("marker"))
            wait(lambda: ("marker-1", "firing") in said(server.requests), "it is told of the marker")
    assert said(server.requests) == [("edge_share-1", "firing"), ("edge_share-1", "firing"), ("marker-1", "firing")]
    first, second, _ = (request.headers["webhook-id"] for request in server.requests)
    assert first == second
