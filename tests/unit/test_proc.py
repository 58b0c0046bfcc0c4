"""What processes take, read from a /proc that changes meanwhile."""

from pathlib import Path

import pytest

from tests.faults import proc
from tests.faults.proc import taken


def _process(pid: int, children: str | None, mib: int) -> None:
    """A process of two threads, the second of which has ended when its children are asked for if they are None."""
    folder = proc.PROC / str(pid)
    for thread in (pid, pid + 1):
        (folder / "task" / str(thread)).mkdir(parents=True)
    (folder / "fd").mkdir()
    (folder / "fd" / "0").touch()
    (folder / "status").write_text(f"Name:\tx\nVmHWM:\t{2 * mib * 1024} kB\nVmRSS:\t{mib * 1024} kB\nThreads:\t2\n")
    (folder / "task" / str(pid) / "children").write_text("")
    if children is not None:
        (folder / "task" / str(pid + 1) / "children").write_text(children)


@pytest.fixture(autouse=True)
def _proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proc, "PROC", tmp_path)


def test_children_of_all_threads_are_added_up() -> None:
    _process(10, "20 ", 5)
    _process(20, "", 7)
    assert taken(10) == proc.Taken(12.0, 24.0, 2, 4)


def test_a_thread_that_ends_meanwhile_does_not_hide_its_process() -> None:
    _process(10, None, 5)
    assert taken(10) == proc.Taken(5.0, 10.0, 1, 2)


def test_a_child_that_ends_meanwhile_is_left_out() -> None:
    _process(10, "20 ", 5)
    assert taken(10) == proc.Taken(5.0, 10.0, 1, 2)


def test_a_process_that_has_ended_takes_nothing() -> None:
    assert taken(10) is None
