"""The demo as a user runs it, and what may befall it. It uses tiny models: the shipped ones are tested elsewhere."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.tiny_artifact import tiny_artifact

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


class Demo:
    """A demo under way."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.mark = uuid.uuid4().hex
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli", "demo", *arguments],
            env={
                **os.environ,
                "DEMO_TEST_MARK": self.mark,
                "TMPDIR": str(folder),
                "EDGEWISE_EDGE_MODEL": str(tiny_artifact(folder / "edge")),
                "EDGEWISE_CLOUD_MODEL": str(tiny_artifact(folder / "cloud", "cloud")),
                "EDGEWISE_RANDOM_CLOUD_RATE": "0.3",  # enough for the cloud to do in a short demo
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for(self, phase: str) -> str:
        """The line in which the demo says that it is at `phase`."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if phase in line:
                return line
        pytest.fail(f"the demo ended before {phase!r}")

    def processes(self) -> dict[int, str]:
        """All processes of this demo that have not ended: command lines by id."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (entry / "environ").read_bytes():
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            except OSError:
                continue  # another user's, or it has just ended
        return found

    def end(self) -> tuple[int, str, str]:
        """Exit code and output, once it has ended."""
        out, err = self.process.communicate(timeout=90)
        return self.process.returncode, out, err


@pytest.fixture
def started() -> Iterator[list[Demo]]:
    """Append to it what was started: it ends with the test."""
    demos: list[Demo] = []
    yield demos
    for demo in demos:
        demo.process.send_signal(signal.SIGINT)
        demo.process.communicate(timeout=60)


def start(started: list[Demo], folder: Path, *arguments: str) -> Demo:
    demo = Demo(folder, *arguments)
    started.append(demo)
    return demo


def test_a_demo_from_start_to_report(started: list[Demo], tmp_path: Path) -> None:
    demo = start(started, tmp_path, "--events", "120", "--json", str(tmp_path / "report.json"))
    code, out, err = demo.end()
    assert code == 0, err
    assert out.endswith("verified: nothing lost, nothing twice, in order, audited, and the totals agree\n")
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["events"], report["lost"], report["duplicated"], report["out_of_order"]) == (120, 0, 0, 0)
    assert 0.4 < report["edge_share"] < 1
    assert report["accuracy"].keys() == {"edge", "cloud", "line"}
    assert all(0 <= accuracy <= 1 for accuracy in report["accuracy"].values())
    assert report["latency_ms"].keys() == {"p50", "p95", "p99"}
    assert 0 < report["cost_usd"] < report["cloud_only_cost_usd"] == pytest.approx(120 * 0.0136)
    assert report["seconds"] > 0
    if sys.platform == "linux":
        assert demo.processes() == {}


def test_a_demo_s_page_stays_until_it_is_told_to_end(started: list[Demo], tmp_path: Path) -> None:
    demo = start(started, tmp_path, "--events", "60", "--page")
    line = demo.wait_for("Its live page: ")
    [address] = re.findall(r"http://\S+", line)
    shown = httpx.get(address, timeout=60)
    assert shown.status_code == 200
    assert "edge share" in shown.text
    [report] = tmp_path.glob("edgewise-demo-*/report.html")
    assert report.read_text("utf-8").startswith("<!DOCTYPE html>")
    demo.process.send_signal(signal.SIGINT)
    code, out, err = demo.end()
    assert code == 0, err
    assert out.endswith("verified: nothing lost, nothing twice, in order, audited, and the totals agree\n")
    if sys.platform == "linux":
        assert demo.processes() == {}


@linux
@pytest.mark.parametrize(
    ("phase", "number"),
    [
        ("The logs", signal.SIGINT),
        ("starting the agents", signal.SIGTERM),
        ("replaying", signal.SIGINT),
    ],
)
def test_an_interrupted_demo_leaves_no_process(
    started: list[Demo], tmp_path: Path, phase: str, number: signal.Signals
) -> None:
    demo = start(started, tmp_path)
    demo.wait_for(phase)
    demo.process.send_signal(number)
    demo.process.send_signal(number)  # people press twice
    code, _, err = demo.end()
    assert code == 130, err
    assert err.endswith("edgewise: interrupted: every process of the demo was ended\n")
    assert demo.processes() == {}


@linux
def test_an_agent_that_dies_ends_the_demo_and_is_named(started: list[Demo], tmp_path: Path) -> None:
    demo = start(started, tmp_path)
    demo.wait_for("replaying")
    [cloud] = [pid for pid, command in demo.processes().items() if command.endswith("worker cloud")]
    os.kill(cloud, signal.SIGKILL)
    code, _, err = demo.end()
    assert code == 1
    assert "edgewise: cloud ended with signal 9" in err
    assert "Traceback" not in err
    assert demo.processes() == {}


@linux
def test_a_demo_that_is_killed_takes_all_with_it(started: list[Demo], tmp_path: Path) -> None:
    demo = start(started, tmp_path)
    demo.wait_for("replaying")
    assert len(demo.processes()) >= 5  # the broker, the agents, the replay
    demo.process.kill()
    demo.process.wait()
    for pid in demo.processes():
        _wait_until_gone(pid)
    assert demo.processes() == {}


def _wait_until_gone(pid: int) -> None:
    """Wait for a process that is nobody's child here."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], 30)[0], f"process {pid} is still there"
    finally:
        os.close(descriptor)


def test_more_events_than_there_are(started: list[Demo], tmp_path: Path) -> None:
    code, _, err = start(started, tmp_path, "--events", "100000").end()
    assert code == 2
    assert "edgewise: --events 100000: the samples have 2,879 events" in err


def test_a_report_file_that_cannot_be_written(started: list[Demo], tmp_path: Path) -> None:
    code, _, err = start(started, tmp_path, "--json", str(tmp_path / "none" / "report.json")).end()
    assert code == 2
    assert "No such file or directory" in err
