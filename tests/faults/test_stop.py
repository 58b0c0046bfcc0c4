"""A worker told to stop under load finishes its batch without complaint and leaves the rest to the next one."""

import signal
from pathlib import Path

import pytest

from streams.settings import Settings
from streams.topics_admin import create
from streams.verify import verify, wait_until_drained
from tests.faults.kill import Feed, Line, results, wait_for_results
from tests.unit.tiny_artifact import tiny_artifact

EVENTS = 30_000


@pytest.mark.kafka
@pytest.mark.timeout(300)
def test_sigterm_under_load_ends_with_0_and_nothing_is_lost(settings: Settings, tmp_path: Path) -> None:
    edge, cloud = (str(tiny_artifact(tmp_path, name)) for name in ("edge", "cloud"))
    tiny = settings.model_copy(update={"edge_model": edge, "cloud_model": cloud})
    create(tiny)
    Feed(tiny, EVENTS, rate=float("inf")).send(EVENTS)
    with Line(tiny, tmp_path, slots=(0,)) as line:
        for starts in (1, 2):
            line.wait_until_up("edge", 0, starts)
            wait_for_results(tiny, line, results(tiny) + 1)
            assert line.stop("edge", 0, signal.SIGTERM) == 0
            for complaint in ("ERROR", "Traceback", "not clean", "aborted"):
                assert complaint not in line.log("edge", 0)
            line.start("edge", 0)
        wait_until_drained(tiny, 120)
    verdict = verify(tiny)
    assert verdict.events == verdict.results == EVENTS
    assert {kind: fault.first for kind, fault in verdict.faults.items() if fault.count} == {}
