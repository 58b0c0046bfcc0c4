"""`edgewise consume -o`: a file holds what would be printed, in the form that its ending says."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from schemas.errors import UsageError
from schemas.topics import ROUTING_EVENTS, TRANSCRIPTS
from streams.cli import main as cli
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.operate.topics import create
from tests.decisions import EDGE_ANSWER, NOW, cloud_answer
from tests.events import TRANSCRIPT


def consume(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["consume", "routing-events", *arguments])


def test_a_file_holds_what_would_be_printed_and_what_if_reads_both(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(settings)
    producer, encode = Cluster(settings).producer(), codec(settings, ROUTING_EVENTS).encode
    for event in (EDGE_ANSWER, cloud_answer(recorded_at=NOW + 1_000)):
        producer.produce(settings.topic("routing-events"), encode(event), b"c1")
    assert producer.flush(30) == 0
    monkeypatch.setenv("EDGEWISE_BOOTSTRAP_SERVERS", settings.bootstrap_servers)
    monkeypatch.setenv("EDGEWISE_TOPIC_PREFIX", settings.topic_prefix)
    lines, table = tmp_path / "made.jsonl", tmp_path / "made.csv"
    assert consume("-o", str(lines)).output == ""
    assert consume("-o", str(table), "--where", "route=cloud").output == ""
    assert lines.read_text("utf-8") == consume().output
    assert [json.loads(line)["route"] for line in lines.read_text("utf-8").splitlines()] == ["edge", "cloud"]
    [row] = csv.DictReader(io.StringIO(table.read_text("utf-8")))
    assert (row["reason"], row["cloud_label"]) == ("random_cloud", "neutral")
    of_topic, of_file = (
        CliRunner().invoke(cli.app, ["whatif", *file, "--threshold", "0.5", "--json"]) for file in ([], [str(lines)])
    )
    assert json.loads(of_topic.output)["recorded"]["decisions"] == 2
    assert of_topic.output == of_file.output


@pytest.mark.parametrize(("arguments", "is_whole"), [(["--follow"], True), ([], False)])
def test_ctrl_c_is_the_end_of_a_file_that_follows(
    arguments: list[str], is_whole: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def until_ctrl_c(*_: object, **__: object) -> Iterator[dict[str, object]]:
        yield {"event_id": "e1"}
        raise KeyboardInterrupt

    monkeypatch.setattr("streams.operate.consume.records", until_ctrl_c)
    file = tmp_path / "made.jsonl"
    done = consume(*arguments, "-o", str(file))
    assert ((done.exit_code == 0), file.exists()) == (is_whole, is_whole)
    if is_whole:
        assert file.read_text("utf-8") == '{"event_id": "e1"}\n'


def test_a_text_with_a_carriage_return_is_a_cell_of_its_row(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(settings)
    producer, encode = Cluster(settings).producer(), codec(settings, TRANSCRIPTS).encode
    producer.produce(settings.topic(TRANSCRIPTS), encode(replace(TRANSCRIPT, text="a\rb")), b"c1")
    assert producer.flush(30) == 0
    monkeypatch.setenv("EDGEWISE_BOOTSTRAP_SERVERS", settings.bootstrap_servers)
    monkeypatch.setenv("EDGEWISE_TOPIC_PREFIX", settings.topic_prefix)
    table = tmp_path / "made.csv"
    CliRunner().invoke(cli.app, ["consume", "transcripts", "--fields", "text,turn", "-o", str(table)])
    with table.open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == [{"text": "a\rb", "turn": str(TRANSCRIPT.turn)}]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-o", "x.jsonl", "--format", "table"), "a table is for the terminal"),
        (("-o", "x.parquet"), "its ending is none of those that can be written"),
    ],
)
def test_what_cannot_be_written_is_said_at_once(arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        raise consume(*arguments).exception or AssertionError
