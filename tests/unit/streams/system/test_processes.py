"""Children run the code that their parent runs, and nothing that lies in the working directory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.demo.processes import Processes
from streams.system.processes import edgewise_child
from tests.kafka.kafka_server import REPOSITORY

TRAPS = ("typer.py", "schemas.py", "models/__init__.py", "streams/__init__.py", "asyncio/__init__.py")


@pytest.fixture
def trapped(tmp_path: Path) -> Path:
    """A folder of files that, imported, leave a word behind."""
    folder = tmp_path / "trapped"
    for trap in TRAPS:
        file = folder / trap
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"open({str(tmp_path / 'sprung')!r}, 'a').write({trap!r} + '\\n')\n")
    return folder


def sprung(trapped: Path) -> str:
    word = trapped.with_name("sprung")
    return word.read_text() if word.exists() else ""


def test_a_supervised_worker_runs_nothing_from_the_working_directory(trapped: Path) -> None:
    """Seen to fail without `-P` (`typer.py` was run) and without PYTHONPATH (the working directory's `streams` was)."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "edgewise", "worker", "edge", "monitor"],
        cwd=trapped,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "EDGEWISE_EDGE_MODEL": "no-such-model"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 2
    assert "edgewise: there is no model 'no-such-model'" in done.stderr
    assert sprung(trapped) == ""


def test_the_demos_processes_run_nothing_from_the_working_directory(
    trapped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trapped)
    monkeypatch.setenv("PYTHONPATH", ".")  # an environment that was meant for another folder
    config = trapped.parent / "edgewise.toml"
    config.write_text('topic_prefix = "of-the-demo."')
    with Processes(trapped.parent, config, {"EDGEWISE_PAGE_TOKEN": "hush-hush-4711-hush-hush"}) as processes:
        processes.start("config", "config", "--json")
        while not processes.ended("config"):
            pass
        assert "of-the-demo." in processes.log("config").read_text()
        assert '"source": "EDGEWISE_PAGE_TOKEN"' in processes.log("config").read_text()
    assert sprung(trapped) == ""


def test_a_childs_own_path_comes_after_the_folder_of_the_packages() -> None:
    child = edgewise_child("worker", "edge", environment={"PYTHONPATH": ".:/elsewhere:", "A": "b"})
    assert child.command == (sys.executable, "-P", "-m", "edgewise", "worker", "edge")
    assert child.environment == {"PYTHONPATH": f"{REPOSITORY}{os.pathsep}/elsewhere", "A": "b"}
    assert edgewise_child(environment={}).environment == {"PYTHONPATH": str(REPOSITORY)}
