"""What would be read of a file is told before anything is sent, and what looks wrong with it."""

import json
import os
from pathlib import Path

import pytest

from streams.files.inspection import described, inspect
from streams.files.rows import Input
from streams.files.vendor_file import Vendor
from tests.vendor_objects import vendor_object

NOW = 1_700_000_000_000


def told(path: Path, content: str | bytes, given: Input = Input(), time_format: str | None = None) -> str:  # noqa: B008
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return "\n".join(described(inspect(path, given, time_format, lambda: NOW)))


def test_a_file_is_described_with_its_columns_and_first_events(tmp_path: Path) -> None:
    content = "id;Contact ID;text;created_at;speaker;csat\r\n"
    content += "".join(f"{i};k1;hello {i};2015-02-24 11:15:0{i};customer;5\r\n" for i in range(4))
    lines = told(tmp_path / "a.csv", content).splitlines()
    assert lines[0].endswith("a.csv: csv (semicolons), UTF-8")
    assert lines[1] == "  4 events in 1 conversations, 2015-02-24T11:15:00Z to 2015-02-24T11:15:03Z"
    assert "  conversation_id  Contact ID" in lines
    assert "  attributes       csat" in lines
    assert lines[-4:] == [
        "  0 of k1, turn 1, customer, 2015-02-24T11:15:00Z: hello 0",
        "  1 of k1, turn 2, customer, 2015-02-24T11:15:01Z: hello 1",
        "  2 of k1, turn 3, customer, 2015-02-24T11:15:02Z: hello 2",
        "nothing looks wrong",
    ]


@pytest.mark.parametrize(
    ("name", "content", "wrong"),
    [
        ("a.jsonl", '{"id":"c","text":"a"}\n{"id":"c","text":"b"}', "1 ids repeat, first in line 2: replay refuses"),
        ("a.csv", "id,text\n1.23457E+17,a\n1.23458E+17,b\n", "2 ids look rounded by a spreadsheet"),
        ("a.csv", "call_id,text\n1.23457E+17,a\n12345678901234500,b\nk,c\n", "2 ids look rounded by a spreadsheet"),
        ("a.csv", "text,at\na,3.5\n", r"line 2: its time, at, would be 1970-01-01T00:00:03\.500Z"),
        ("a.csv", "text,at\na,2031-01-01\n", "line 2: its time, at, would be 2031-01-01"),
        ("a.csv", "text,speaker\na,Ann\n", "who speaks is unknown in 1 of 1 rows: --role-map"),
        ("a.txt", "a\n \n", "1 texts are empty"),
        ("a.txt", "a\nb\n", "each row is a conversation of its own"),
        ("a.jsonl", '{"text":"a"}\n{"text":', "line 2: not JSON"),
        ("a.csv", '"0","card 4111"\n', "2 columns, none of them 'text'; no header"),
        ("a.csv", "conversation_id,at,text\nn,2015-02-24,b\nn,2015-02-23,a\n", "1 conversations are not in order"),
        ("a.json", "[]", "nothing was read"),
        ("a.xlsx", "PK", "its ending does not tell the format"),
    ],
)
def test_what_looks_wrong_is_told(name: str, content: str, wrong: str, tmp_path: Path) -> None:
    import re

    found = told(tmp_path / name, content)
    looks, _, what = found.partition("looks wrong\n")
    assert re.search(wrong, what), found
    assert "4111" not in what
    assert looks


def test_conversations_of_a_row_each_are_no_wonder_where_a_column_names_them(tmp_path: Path) -> None:
    assert "a conversation of its own" not in told(tmp_path / "a.csv", "callId,text\na,hello\nb,bye\n")


def test_a_vendors_file_is_named_and_its_sentiment_counted(tmp_path: Path) -> None:
    segments = [
        {"Transcript": {"Id": str(i), "ParticipantId": "p", "ParticipantRole": "CUSTOMER", "Content": "hello",
                        "BeginOffsetMillis": i, "EndOffsetMillis": i + 1, "Sentiment": "NEGATIVE"}}
        for i in range(2)
    ]  # fmt: skip
    record = {"EventType": "SEGMENTS", "ContactId": "c1", "Channel": "VOICE", "Segments": segments}
    found = told(tmp_path / "a.json", json.dumps(record))
    assert "a.json: contact-lens-realtime, UTF-8" in found
    assert "the vendor's sentiment: negative 2" in found
    assert "2 of 2 rows have no time" in found


def test_what_replay_refuses_of_a_vendors_file_is_refused(tmp_path: Path) -> None:
    """Seen to fail: such captions were said to happen when they are replayed, and replay refused them."""
    path = tmp_path / "call.vtt"
    path.write_text(vendor_object("webvtt"), encoding="utf-8")
    found = inspect(path, Input(), None, lambda: NOW)
    assert found.refused
    assert any("rows have no time: its times count from the start" in line for line in found.wrong)
    assert len(found.first) == 2
    assert not inspect(path, Input(vendor=Vendor(base_ms=NOW - 10**6)), None, lambda: NOW).refused


def test_a_turn_that_no_event_holds_is_refused(tmp_path: Path) -> None:
    assert "line 2: its turn is not a whole number of 64 bits" in told(tmp_path / "a.csv", f"text,turn\na,{2**63}\n")
    assert "nothing looks wrong" in told(tmp_path / "a.csv", f"text,turn,role,at\na,{2**63 - 1},agent,2015-02-24\n")


def test_numbers_that_count_from_a_start_are_said_to_be_seconds(tmp_path: Path) -> None:
    found = told(tmp_path / "a.csv", "text,at\na,3500\n")
    assert "from the start of a call, in seconds or in what --time-format says? give --time-base" in found


def test_a_pipe_is_read_once() -> None:
    """Seen to fail: its digest was taken first, and then nothing was left."""
    reader, writer = os.pipe()
    os.write(writer, b'{"text": "hello"}\n')
    os.close(writer)
    found = inspect(f"/dev/fd/{reader}", Input(file_format="jsonl"), None, lambda: NOW)
    os.close(reader)
    assert [made.event.text for made in found.first] == ["hello"]


def test_options_that_mend_a_file_mend_its_inspection(tmp_path: Path) -> None:
    wrong = inspect(_written(tmp_path), Input(), None, lambda: NOW)
    assert wrong.refused
    assert wrong.faults.count == 2
    mended = inspect(_written(tmp_path), Input(), "excel", lambda: NOW)
    assert not mended.refused
    assert (mended.survey.rows, mended.faults.count) == (2, 0)


def _written(folder: Path) -> Path:
    path = folder / "a.csv"
    path.write_text("text,at\na,42059.5\nb,42060.5\n")
    return path
