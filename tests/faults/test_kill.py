"""Workers killed (-9) under load: nothing lost, nothing twice, in order, the audit trail and the totals complete."""

from pathlib import Path

import pytest

from streams.ledger import Verdict
from streams.settings import Settings
from tests.faults.kill import run_with_kills
from tests.unit.tiny_artifact import tiny_artifact

EVENTS = 12_000


@pytest.fixture
def tiny(settings: Settings, tmp_path: Path) -> Settings:
    """Settings with models that take no time: the faults are delivery's to stand."""
    edge, cloud = (str(tiny_artifact(tmp_path, name)) for name in ("edge", "cloud"))
    return settings.model_copy(update={"edge_model": edge, "cloud_model": cloud})


def run(settings: Settings, folder: Path, kills: int) -> Verdict:
    return run_with_kills(settings, folder, count=EVENTS, kills=kills, rate=600.0, seed=7)


@pytest.mark.kafka
@pytest.mark.timeout(300)
def test_five_kills_under_load_on_kafka(tiny: Settings, tmp_path: Path) -> None:
    """Seen to fail with the group's metadata read at commit time instead of the chunk's own generation."""
    verdict = run(tiny, tmp_path, kills=5)
    assert verdict.events == verdict.results == EVENTS
    assert {kind: fault.first for kind, fault in verdict.faults.items() if fault.count} == {}
    assert verdict.holds


@pytest.mark.timeout(300)
def test_a_kill_on_the_embedded_broker_loses_nothing(tiny: Settings, tmp_path: Path) -> None:
    """At least once: that broker does not isolate what a killed worker left open, so there may be duplicates."""
    verdict = run(tiny, tmp_path, kills=1)
    assert verdict.events == EVENTS
    assert verdict.lost.first == []
    assert verdict.unknown.count == verdict.unreadable.count == 0
