import os
import stat
from pathlib import Path

import pytest

from schemas.errors import UsageError
from streams.cli.output import output_format, text_output, whole_file


def write_half(path: Path) -> None:
    with whole_file(path) as file:
        file.write("half")
        raise KeyboardInterrupt


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a.csv") as file:
        file.write("ä\n")
        file.flush()
        assert "a.csv" not in names(tmp_path)
    assert (tmp_path / "a.csv").read_bytes() == "ä\n".encode()
    assert names(tmp_path) == {"a.csv"}


def test_what_was_there_stays_when_the_writing_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.csv"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt):
        write_half(path)
    assert path.read_text() == "before"
    assert (tmp_path / "a.csv.partial").read_text() == "half"
    assert names(tmp_path) == {"a.csv", "a.csv.partial"}
    assert capsys.readouterr().err == (
        f"edgewise: {path} stays as it was; what was done before the failure is in {path}.partial\n"
    )


def test_nothing_is_left_of_what_failed_before_it_began(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "a.csv"):
        raise ZeroDivisionError
    assert names(tmp_path) == set()
    assert capsys.readouterr().err == ""


def test_rights_and_links_stay(tmp_path: Path) -> None:
    path, link = tmp_path / "a.csv", tmp_path / "link.csv"
    path.write_text("before")
    path.chmod(0o640)
    link.symlink_to(path)
    with whole_file(link) as file:
        file.write("after")
    assert link.is_symlink()
    assert path.read_text() == "after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    with whole_file(tmp_path / "new.csv") as file:
        file.write("new")
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((tmp_path / "new.csv").stat().st_mode) == 0o666 & ~umask


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none" / "a.csv", tmp_path / ("a" * 300)):
        with pytest.raises(UsageError, match="can't be written"), whole_file(path):
            pass
    source = tmp_path / "in.csv"
    source.write_text("text\n")
    with pytest.raises(UsageError, match="is the input"), text_output(source, str(source)):
        pass
    assert source.read_text() == "text\n"


def test_a_device_is_written_directly() -> None:
    with whole_file(Path(os.devnull)) as file:
        file.write("gone")
    assert not Path(os.devnull).is_file()


def test_a_hyphen_is_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with text_output(Path("-")) as file:
        file.write("x\n")
    assert (capsys.readouterr().out, names(tmp_path)) == ("x\n", set())
    assert output_format(Path("-"), None, "jsonl") == "jsonl"


def test_the_format_is_chosen_or_the_ending_s(tmp_path: Path) -> None:
    assert output_format(None, None, "jsonl") == "jsonl"
    assert output_format(None, "csv", "jsonl") == "csv"
    assert output_format(tmp_path / "a.CSV", None, "jsonl") == "csv"
    assert output_format(tmp_path / "a.ndjson", None, "csv") == "jsonl"
    assert output_format(tmp_path / "a.data", "csv", "jsonl") == "csv"
    assert output_format(Path(os.devnull), None, "jsonl") == "jsonl"
    for name in ("a.xlsx", "a.json", "a"):
        with pytest.raises(
            UsageError, match=r"its ending is none of those that can be written, \.csv, \.jsonl, \.ndjson"
        ):
            output_format(tmp_path / name, None, "jsonl")
