"""Labels from files: what columns are called, what is no label, and that nobody's words stand in an error."""

import json
from pathlib import Path

import pytest

from recordings.fault import RecordingError, stop_at
from schemas.errors import UsageError
from streams.files.columns import parse_columns
from streams.files.faults import Faults
from streams.files.given_labels import LABEL_COLUMNS, GivenLabel, given_labels
from streams.files.recorded_event import recorded_events
from streams.files.recording import digest, read_recording
from tests.kafka.kafka_server import REPOSITORY

NOW = 1_767_606_914_000
WORDS = "Xylophone"
GOOD = {"event_id": "e1", "conversation_id": "c1", "label": "negative"}


def read(path: Path, *columns: str, file_format: str | None = None, faults: Faults | None = None) -> list[GivenLabel]:
    on_fault = stop_at(path) if faults is None else faults.add
    return list(given_labels(path, parse_columns(columns, LABEL_COLUMNS), file_format, None, NOW, on_fault))


def test_a_csv_file_is_read_by_the_names_of_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "october.csv"
    file.write_text(
        "id;Contact ID;label;labelled_at;annotator\n7;c1;Negative;2026-01-05T09:00:00Z;ann\n8;c2;positive;;\n", "utf-8"
    )
    assert read(file) == [
        GivenLabel("7", "c1", "negative", 1_767_603_600_000, "ann", "october.csv"),
        GivenLabel("8", "c2", "positive", NOW, None, "october.csv"),
    ]


@pytest.mark.parametrize("name", ["caseId", "dialog_id", "conv_id"])
def test_a_conversations_column_is_called_as_an_events_is(name: str, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(f"id,{name},label\n7,c1,negative\n", "utf-8")
    assert [label.conversation_id for label in read(file)] == ["c1"]


def test_other_columns_are_named(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text(json.dumps({"tweet": 12, "thread_id": "c1", "verdict": "neutral", "source": "crm"}) + "\n", "utf-8")
    assert read(file, "event_id=tweet", "label=verdict") == [GivenLabel("12", "c1", "neutral", NOW, None, "crm")]
    with pytest.raises(UsageError, match="--column text=x: give FIELD=COLUMN, where FIELD is one of event_id, "):
        read(file, "text=x")


def test_a_json_array_is_read(tmp_path: Path) -> None:
    file = tmp_path / "labels.json"
    file.write_text(json.dumps([GOOD, GOOD | {"event_id": "e2"}], indent=1), "utf-8")
    assert [label.event_id for label in read(file)] == ["e1", "e2"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"label": WORDS}, "its label is none of negative, neutral, positive"),
        ({"label": None}, "it has no label: name its column as --column label=NAME, or call it label"),
        ({"event_id": ""}, "it has no event_id: name its column as --column event_id=NAME, or call it event_id or id"),
        ({"conversation_id": "n/a"}, "it has no conversation_id: "),
        ({"event_id": "x" * 257}, "its event_id is longer than 256 characters"),
        ({"labeller": "x" * 257}, "its labeller is longer than 256 characters"),
        ({"labelled_at": WORDS}, "its labelled_at is none of ISO 8601"),
        ({"labelled_at": "2100-01-01"}, "its labelled_at would be 2100-01-01T00:00:00.000Z: times from 2000"),
        ({"event_id": [WORDS]}, "its event_id is no id"),
    ],
)
def test_what_is_no_label_is_told_by_its_line(tmp_path: Path, changes: dict[str, object], why: str) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text(f"{json.dumps(GOOD)}\n{json.dumps(GOOD | changes)}\n{json.dumps(GOOD)}\n", "utf-8")
    with pytest.raises(RecordingError, match=r"labels\.jsonl, line 2: ") as refused:
        read(file)
    assert why in str(refused.value)
    assert WORDS not in str(refused.value)
    faults = Faults(file)
    assert len(read(file, faults=faults)) == 2
    assert [fault.line for fault in faults.first] == [2]
    assert WORDS not in "".join(faults.lines())


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "labels.txt"
    file.write_text("negative\n", "utf-8")
    with pytest.raises(UsageError, match="its ending says nothing of labels: give --format csv, jsonl, json"):
        read(file)
    with pytest.raises(UsageError, match="--format lines: labels are read from csv, jsonl, json"):
        read(file, file_format="lines")


def test_a_labelled_recording_names_the_events_that_a_replay_of_it_sends() -> None:
    file = REPOSITORY / "samples" / "airline.csv"
    sent = [event for _, event in recorded_events(read_recording(file), file, digest(file), {}, lambda: NOW)]
    found = read(file)
    assert len(found) == len(sent) == 2_193
    assert [(each.event_id, each.conversation_id) for each in found] == [
        (event.event_id, event.conversation_id) for event in sent
    ]
