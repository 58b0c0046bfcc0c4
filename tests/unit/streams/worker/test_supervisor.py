"""The supervisor's arithmetic, and what a worker needs no broker for; tests/faults has it restart real workers."""

import signal

import pytest

from schemas.errors import UsageError
from streams.config.settings import Settings
from streams.worker import build
from streams.worker.supervisor import _environment, backoff_s


def test_backoff_doubles_up_to_a_bound() -> None:
    assert [backoff_s(crashes) for crashes in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


def test_every_process_gets_an_id_and_a_port_of_its_own() -> None:
    settings = Settings(worker_id="here", metrics_port=9000)
    environments = [_environment(settings, index, port) for port, index in enumerate([0, 1])]
    assert [e["EDGEWISE_WORKER_ID"] for e in environments] == ["here-0", "here-1"]
    assert [e["EDGEWISE_METRICS_PORT"] for e in environments] == ["9000", "9001"]


def test_without_metrics_no_port_is_named() -> None:
    assert "EDGEWISE_METRICS_PORT" not in _environment(Settings(worker_id="here"), 0, 0)


def test_an_agent_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two would have one worker id, and fence each other."""
    monkeypatch.setattr(build, "supervise", lambda *_: 0)
    with pytest.raises(UsageError, match="agent 'edge' is named twice: --processes says how many"):
        build.run(Settings(), ["edge", "cloud", "edge"])
    assert build.run(Settings(), ["edge", "cloud"]) == 0


def test_a_worker_that_is_told_to_end_while_its_model_loads_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async def loading(*_: object) -> None:
        signal.raise_signal(signal.SIGTERM)
        pytest.fail("it went on")

    monkeypatch.setattr(build, "build_agent", loading)
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as the first process of a container has it
    try:
        with pytest.raises(SystemExit) as ended:
            build.run(Settings(), ["edge"])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ended.value.code == 0
