"""The soak in its short form, with a leak: it has to find that, and nothing else."""

from pathlib import Path

import numpy as np
import pytest

from streams.config.settings import Settings
from streams.operate.topics import create
from tests.faults.clusters import HEAP
from tests.faults.growth import BLOCKS, grows, slope
from tests.faults.line import Line
from tests.faults.soak import STEADY, Plan, show, soak
from tests.kafka.kafka_server import bootstrap_servers, kafka_cluster
from tests.tiny_artifact import tiny_artifact

PLAN = Plan(seconds=25.0, rate=200.0, kill_every_s=8.0, seed=3)


@pytest.mark.kafka
@pytest.mark.timeout(300)
def test_a_short_soak_finds_a_leak_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Seen to fail with a leaking worker that closes its file, with an edge agent that drops a batch's last event."""
    with kafka_cluster(tmp_path / "kafka", heap=HEAP) as servers:
        settings = Settings(
            bootstrap_servers=bootstrap_servers(servers),
            topic_prefix="soak.",
            edge_model=str(tiny_artifact(tmp_path, "edge")),
            cloud_model=str(tiny_artifact(tmp_path, "cloud")),
        )
        create(settings)
        with Line(settings, tmp_path) as line:
            line.wait_until_up("monitor", STEADY)
            line.stop("monitor", STEADY)
            line.start("monitor", STEADY, module="tests.faults.leaky_worker")
            line.wait_until_up("monitor", STEADY, starts=2)
            report = soak(settings, line, PLAN)

    assert {name: worker.growing for name, worker in report.workers.items()} == {
        "edge-0": (),
        "cloud-0": (),
        "conversation-0": (),
        "monitor-0": ("files",),
    }
    assert report.workers["monitor-0"].last.files > report.workers["monitor-0"].first.files
    assert report.verdict.holds, report.verdict
    assert (report.lost, report.duplicated) == (0, 0)
    assert not report.exits
    assert report.kills > 0
    assert not report.holds
    for worker in report.workers.values():
        assert len(worker.resident_mib) == len(report.latency)
        assert min(worker.resident_mib) > 0
    show(report, PLAN)
    assert f"{report.verdict.events:,} events" in capsys.readouterr().out


def test_a_slope_is_found_in_noise() -> None:
    rng = np.random.default_rng(5)
    times = np.arange(0.0, 3600.0, 5.0)
    flat = 100 + rng.normal(0, 1, len(times))

    rising = slope(list(times), list(flat + 3 * times / 3600))
    level = slope(list(times), list(flat))

    assert rising.low > 0
    assert rising.low < 3 < rising.high
    assert level.low < 0 < level.high


@pytest.mark.parametrize(
    ("values", "leaks"),
    [
        pytest.param([40] * 100, False, id="level"),
        pytest.param([40 + i // 10 for i in range(100)], True, id="one in ten samples"),
        pytest.param([40] * 30 + [41] * 70, False, id="taken once and kept"),
        pytest.param([40 + 20 * (i % 10 == 0) for i in range(100)], False, id="held for a moment"),
        pytest.param([40 + i // 25 + 20 * (i % 25 == 0) for i in range(100)], True, id="a leak under moments"),
        pytest.param([60] * 50 + [40 + i // 10 for i in range(50)], False, id="given back"),
    ],
)
def test_a_leak_goes_up_and_up(values: list[int], leaks: bool) -> None:
    assert grows(values) is leaks


def test_too_few_samples_tell_nothing() -> None:
    with pytest.raises(ValueError, match=f"{BLOCKS} at least"):
        grows([1.0] * (BLOCKS - 1))
