"""Workers killed (-9) under load on the embedded broker, where delivery is at least once."""

from pathlib import Path

import pytest

from streams.config.settings import Settings
from streams.operate.topics import create
from streams.verify.drain import wait_until_drained
from streams.verify.read_line import verify
from tests.faults.line import Line
from tests.faults.load import Load
from tests.faults.watch import Watch
from tests.tiny_artifact import tiny_artifact

RATE = 200.0


@pytest.mark.timeout(300)
def test_a_kill_on_the_embedded_broker_loses_nothing(settings: Settings, tmp_path: Path) -> None:
    """At least once: that broker does not isolate what a killed worker left open, so there may be duplicates.

    Seen to fail with a worker that starts at the end of its partitions.
    """
    edge, cloud = (str(tiny_artifact(tmp_path, name)) for name in ("edge", "cloud"))
    tiny = settings.model_copy(update={"edge_model": edge, "cloud_model": cloud})
    create(tiny)
    with Line(tiny, tmp_path) as line, Load(tiny, RATE) as load, Watch(tiny) as watch:
        load.start()
        watch.wait_for(500)
        line.kill("edge", 0)
        line.start("edge", 0)
        watch.wait_for(200)
        load.stop()
        wait_until_drained(tiny, 120)
        watch.wait_for_all(set(load.sent))
        assert line.exits == []
    verdict = verify(tiny)
    assert verdict.events == len(load.sent)
    assert verdict.lost.first == []
    assert verdict.unknown.count == verdict.unreadable.count == 0
