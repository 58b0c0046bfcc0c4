import re
import sys

import pytest

from streams.cli.table import print_table

ROWS = (("edge", "a long cell of many words " * 4), ("[bold]cloud[/]", "short"))


def test_in_a_pipe_a_row_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("agent", "what"), *ROWS)
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 3
    assert shown[1].startswith("edge            a long cell")
    assert shown[1].count("many words") == 4


@pytest.mark.parametrize("width", [40, 80, 200])
def test_on_a_terminal_it_fits_and_nothing_is_lost(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")  # of a dumb one rich believes that it is 80 wide
    print_table(("agent", "what"), *ROWS)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert all(len(line) <= width for line in shown.splitlines())
    assert shown.replace("\n", " ").count("many") == 4
    assert "[bold]cloud[/]" in shown, "what stands in a cell is no markup"
