"""The supervisor's arithmetic; tests/faults has it restart real workers."""

from streams.config.settings import Settings
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
