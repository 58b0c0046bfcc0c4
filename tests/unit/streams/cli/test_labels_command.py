"""`edgewise labels FILE`: what it says, and that a wrong file sends nothing."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from recordings.fault import RecordingError
from schemas.errors import UsageError
from streams.cli import main as cli
from streams.config.settings import Settings
from streams.operate.labels import read_labels
from streams.operate.topics import create
from tests.decisions import EDGE_ANSWER
from tests.unit.streams.operate.test_labels import audit, sent


@pytest.fixture(autouse=True)
def line(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_BOOTSTRAP_SERVERS", settings.bootstrap_servers)
    monkeypatch.setenv("EDGEWISE_TOPIC_PREFIX", settings.topic_prefix)
    create(settings)
    audit(settings, *(replace(EDGE_ANSWER, event_id=f"e{number}") for number in range(4)))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["labels", *arguments])


def test_labels_are_brought_and_compared(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    rows = ["e0,c1,neutral", "e1,c1,neutral", "e2,c1,neutral", "e3,c1,negative", "e9,c1,neutral"]
    file.write_text("\n".join(["event_id,conversation_id,label", *rows]) + "\n", "utf-8")
    done = run(str(file))
    assert done.exit_code == 0, done.output
    assert f"5 labels of 5 events are in {settings.topic('labels')}" in done.stdout
    assert "of 1 of these events the audit trail holds no answer" in done.stderr
    [told] = [line for line in done.stdout.splitlines() if line.startswith("route edge")]
    assert told.split() == ["route", "edge", "0.7500", "0.1941-0.9937", "4"]
    assert "mean confidence in the same answers: 0.9000, within that interval" in done.stdout
    assert read_labels(settings).accuracy(0).total == (3, 4)


def test_nothing_is_sent_of_a_file_with_a_row_that_is_no_label(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("event_id,conversation_id,label\ne0,c1,neutral\ne1,c1,angry\n", "utf-8")
    with pytest.raises(RecordingError, match="line 3: its label is none of negative, neutral, positive"):
        raise run(str(file)).exception or AssertionError
    assert sent(settings) == []
    skipped = run(str(file), "--on-error", "skip")
    assert skipped.exit_code == 0, skipped.output
    assert "1 rows could not be read" in skipped.stderr
    assert len(sent(settings)) == 1


def test_a_file_without_labels_is_wrong_usage(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text("\n", "utf-8")
    with pytest.raises(UsageError, match="no row of it is a label"):
        raise run(str(file)).exception or AssertionError
