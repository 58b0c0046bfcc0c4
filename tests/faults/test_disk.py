"""Fault 12 without load: a disk that is full ends a command in one line; an altered model ends the line, once."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import pytest

from streams.config.settings import Settings
from streams.operate.topics import create
from tests.faults.test_supervisor import Start, children, start, wait_until_said, wait_until_up
from tests.kafka.kafka_server import REPOSITORY
from tests.tiny_artifact import tiny_artifact

__all__ = ["start"]  # the fixture

FULL = Path("/dev/full")

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="/dev/full, and RLIMIT_FSIZE of another process"),
    pytest.mark.timeout(180),
]

RECORDING = REPOSITORY / "samples" / "airline.csv"


def edgewise(
    *arguments: object,
    stdout: int | IO[bytes] = subprocess.DEVNULL,
    variables: Mapping[str, str] | None = None,
    before: Callable[[], None] | None = None,
) -> tuple[int, str]:
    """The exit code of the command, and what it says on standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", *map(str, arguments)],
        cwd=REPOSITORY,
        env=os.environ | (variables or {}),
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=before,
    )
    return done.returncode, done.stderr


def files_of_at_most(size: int) -> Callable[[], None]:
    """No file that the process writes may grow beyond so many bytes: what a full disk looks like to it."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize(
    "arguments",
    [["config"], ["score", RECORDING, "--model", "edge"], ["score", RECORDING, "--model", "edge", "-o", FULL]],
    ids=["what is flushed at the end", "standard output", "a file"],
)
def test_a_full_disk_is_told_in_a_line(arguments: Sequence[object], tmp_path: Path) -> None:
    """Seen to fail with the command line's `except OSError` taken out: a traceback of 40 lines."""
    artifact = {"EDGEWISE_EDGE_MODEL": str(tiny_artifact(tmp_path))}
    with FULL.open("wb") as full:
        code, said = edgewise(*arguments, stdout=full, variables=artifact)
    assert (code, said) == (1, "edgewise: the output is not complete: No space left on device\n")


def test_a_file_that_cannot_grow_is_told_in_a_line(tmp_path: Path) -> None:
    """What is written by then stays, as far as it came, under a name that says so; a former file is left as it was."""
    artifact = {"EDGEWISE_EDGE_MODEL": str(tiny_artifact(tmp_path))}
    output = tmp_path / "scored.jsonl"
    partial = output.with_name("scored.jsonl.partial")
    output.write_text("of a former run")
    code, said = edgewise(
        "score", RECORDING, "--model", "edge", "-o", output, variables=artifact, before=files_of_at_most(5_000)
    )
    assert code == 1
    assert said.splitlines() == [
        f"edgewise: {output} stays as it was; what was done before the failure is in {partial}",
        "edgewise: the output is not complete: File too large",
    ]
    assert partial.stat().st_size == 5_000
    assert output.read_text() == "of a former run"


def test_a_reader_that_goes_away_is_no_fault() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    code, said = edgewise("config", stdout=writer)
    os.close(writer)
    assert (code, said) == (1, "")


def test_a_worker_without_room_for_temporary_files_says_so(settings: Settings) -> None:
    """Seen to fail without a word of its own: a traceback that ends with "No usable temporary directory"."""
    create(settings)
    variables = {
        "EDGEWISE_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "EDGEWISE_TOPIC_PREFIX": settings.topic_prefix,
    }
    code, said = edgewise("worker", "monitor", variables=variables, before=files_of_at_most(0))
    assert code == 1
    assert said.startswith("edgewise: no temporary folder can be made")
    assert said.count("\n") == 1


def of_agent(process: subprocess.Popen[str], agent: bytes) -> set[int]:
    return {pid for pid in children(process) if agent in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")}


@pytest.mark.parametrize("deed", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-1] + b"?")])
def test_a_model_altered_under_the_line_stops_its_agent_until_it_is_put_back(
    deed: Callable[[Path], None], start: Start, tmp_path: Path
) -> None:
    """The worker that is started again is refused, with pauses that grow; the other agent goes on meanwhile.

    Seen to fail with a supervisor that ends all agents on exit code 2, whoever joined before.
    """
    process = start("edge", "monitor")
    wait_until_up(process, {"edge", "monitor"})
    [edge], [monitor] = of_agent(process, b"edge"), of_agent(process, b"monitor")
    model = tmp_path / "edge" / "model.onnx"
    whole = model.read_bytes()
    deed(model)
    os.kill(edge, signal.SIGKILL)
    lines = wait_until_said(process, r"edge ended with exit code 2; starting it again in 4 s")
    refused = [line for line in lines if line.startswith("edgewise: ")]
    assert len(refused) == 2
    assert all("model.onnx" in line for line in refused)
    assert not any("Traceback" in line for line in lines)
    assert of_agent(process, b"monitor") == {monitor}
    model.write_bytes(whole)
    wait_until_up(process, {"edge"})
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 0
