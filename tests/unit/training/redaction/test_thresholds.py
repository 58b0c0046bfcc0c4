"""The curve of the thresholds: a row each, with what the shipped tagger finds."""

import json
from pathlib import Path

import pytest

from training.redaction.thresholds import THRESHOLDS, main


def write(path: Path, *texts: tuple[str, str]) -> None:
    """Each text with the name in it."""
    rows = [
        {"id": name, "text": text, "spans": [{"start": text.index(name), "end": len(text), "kind": "NAME"}]}
        for text, name in texts
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def test_a_row_for_each_threshold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "written.dev.jsonl", ("I spoke with Krisztina Varga", "Krisztina Varga"))
    write(tmp_path / "multidogo.air.dev.jsonl", ("jayanthi", "jayanthi"), ("it is late again", "again"))
    assert main([str(tmp_path)]) == 0
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[0] for row in rows] == [f"{threshold:g}" for threshold in THRESHOLDS]
    assert {tuple(row[1:3]) for row in rows} == {("1.000", "1.000")}
    assert {tuple(row[5:7]) for row in rows} == {("0.500", "1.000")}
    assert {row[-1] for row in rows} == {f"{2 * 2 / 3 / (1 + 2 / 3):.4f}"}


def test_a_folder_without_texts_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "written.dev.jsonl" in capsys.readouterr().err
