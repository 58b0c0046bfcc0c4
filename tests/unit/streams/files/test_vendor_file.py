"""Vendors' files as rows and as events: which format, whose ids, which times, and what the errors say."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recordings.fault import Fault, RecordingError
from schemas.errors import UsageError
from schemas.records import Role, TranscriptEvent
from streams.files.formats.mapping import parse_mapping
from streams.files.recorded_event import recorded_events
from streams.files.recording import Row
from streams.files.rows import Input, read_rows
from streams.files.vendor_file import Vendor
from tests.vendor_objects import NAMES, vendor_object

MS = 1_767_606_914_000


def write(path: Path, *values: Any) -> Path:
    texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
    path.write_text("\n".join(texts), encoding="utf-8", newline="")
    return path


def rows(path: Path, on_left_out: Callable[[Any], object] = lambda _: None, **options: Any) -> list[Row]:
    return list(read_rows(path, Input(**options), on_left_out=on_left_out))


def events(path: Path, **options: Any) -> list[TranscriptEvent]:
    read = read_rows(path, Input(**options))
    return [event for _, event in recorded_events(read, path, "digest", {}, lambda: 42)]


@pytest.mark.parametrize("name", NAMES)
def test_the_content_tells_the_format(name: str, tmp_path: Path) -> None:
    ending = {"webvtt": "vtt", "srt": "srt", "vcon": "vcon"}.get(name, "json")
    found = rows(write(tmp_path / f"a.{ending}", vendor_object(name)))
    assert found
    assert all(row.fields["source"] == name and row.fields["text"] == row.text for row in found)


def test_a_row_becomes_the_event_that_the_turn_is(tmp_path: Path) -> None:
    first = events(write(tmp_path / "a.json", vendor_object("genesys")))[0]
    assert first == TranscriptEvent(
        event_id="c-1/m-1/t-1/0", conversation_id="c-1", turn=1, text="Thank you.", occurred_at=MS, role="customer",
        channel="voice", language="en-US", source="genesys",
        attributes={
            "speaker_id": "external", "duration_ms": "700", "vendor_sentiment": "0.75", "vendor_confidence": "0.9",
        },
    )  # fmt: skip


def test_an_array_and_an_object_a_line_are_objects_each(tmp_path: Path) -> None:
    one, two = vendor_object("chatwoot"), vendor_object("chatwoot") | {"id": 16, "content": "Hello?"}
    wanted = [(1, "1/57/15", 1), (2, "1/57/16", 2)]
    lines = rows(write(tmp_path / "a.jsonl", one, "", two), file_format="chatwoot")
    assert [(row.number, row.fields["event_id"]) for row in lines] == [each[:2] for each in wanted]
    assert [row.line for row in lines] == [1, 3]
    array = rows(write(tmp_path / "a.json", [one, two]))
    assert [row.fields["event_id"] for row in array] == [each[1] for each in wanted]


def test_an_event_that_was_sent_twice_is_one(tmp_path: Path) -> None:
    told: list[Any] = []
    one, two = vendor_object("chatwoot"), vendor_object("chatwoot") | {"content": "Corrected"}
    found = rows(write(tmp_path / "a.jsonl", one, two), file_format="chatwoot", on_left_out=told.append)
    assert [row.text for row in found] == ["Corrected"]
    assert told == [{"repeated": 1}]


def test_what_is_no_turn_is_told(tmp_path: Path) -> None:
    told: list[Any] = []
    rows(write(tmp_path / "a.json", vendor_object("intercom")), on_left_out=told.append)
    assert told == [{"event": 1, "private": 1, "redacted": 1}]


def test_conversations_without_an_id_are_known_by_name_and_content(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    first = write(tmp_path / "call.srt", vendor_object("srt"))
    copy = write(tmp_path / "x" / "call.srt", vendor_object("srt"))
    other = write(tmp_path / "x" / "other.srt", vendor_object("srt") + "\n")
    ids = [rows(path)[0].fields["conversation_id"] for path in (first, copy, other)]
    assert ids[0] == ids[1] != ids[2]
    assert str(ids[0]).startswith("call-")


def test_objects_of_one_file_without_an_id_are_conversations_apart(tmp_path: Path) -> None:
    found = rows(write(tmp_path / "a.jsonl", vendor_object("whisper"), vendor_object("whisper")), file_format="whisper")
    assert len({row.fields["conversation_id"] for row in found}) == 2
    assert len({row.fields["event_id"] for row in found}) == len(found) == 4


def test_offsets_need_a_start_where_times_count(tmp_path: Path) -> None:
    path = write(tmp_path / "a.vtt", vendor_object("webvtt"))
    assert [row.fields["occurred_at"] for row in rows(path)] == [None, None]
    with pytest.raises(RecordingError, match=r"a\.vtt: its times count from the start .* give --time-base"):
        rows(path, vendor=Vendor(timed=True))
    timed = events(path, vendor=Vendor(timed=True, base_ms=MS))
    assert [event.occurred_at for event in timed] == [MS + 1000, MS + 5000]


def test_a_role_map_names_speakers(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", vendor_object("amazon-pca"))
    assert [row.fields["role"] for row in rows(path, vendor=Vendor(roles={"spk_1": "customer"}))] == [
        "agent",
        "customer",
    ]


def test_a_role_map_is_heard_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", vendor_object("genesys"))
    roles: dict[str, Role] = {"internal": "customer", "external": "agent", "customer": "agent", "agent": "customer"}
    read = read_rows(path, Input(vendor=Vendor(roles=roles)))
    assert [event.role for _, event in recorded_events(read, path, "digest", {}, lambda: 42, roles)] == [
        "agent", "system", "customer",
    ]  # fmt: skip


def test_a_mapping_reads_any_json(tmp_path: Path) -> None:
    mapping = parse_mapping('source = "acme"\n[turn]\neach = "t"\ntext = "x"\nspeaker_id = "w"\n', "m")
    path = write(tmp_path / "a.jsonl", {"t": [{"x": "Hello", "w": 1}]}, {"t": [{"x": "Hi", "w": 2}]})
    found = rows(path, vendor=Vendor(mapping=mapping, roles={"2": "agent"}))
    assert [(row.text, row.fields["role"], row.line) for row in found] == [("Hello", "unknown", 1), ("Hi", "agent", 2)]
    with pytest.raises(UsageError, match="--format and --mapping: give one of them"):
        rows(path, vendor=Vendor(mapping=mapping), file_format="genesys")


def test_json_that_is_no_vendors_is_rows_or_conversations(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", [{"id": 1, "text": "one"}, {"id": 2, "text": "two"}])
    assert [(row.number, row.text, row.fields) for row in rows(path)] == [
        (1, "one", {"id": 1, "text": "one"}), (2, "two", {"id": 2, "text": "two"}),
    ]  # fmt: skip
    path = write(tmp_path / "b.json", {"id": "c", "turns": [{"body": "a"}, {"body": "b"}]})
    found = rows(path, columns={"text": "body"})
    assert [(row.text, row.fields["conversation_id"], row.fields["turn"]) for row in found] == [
        ("a", "c", 1),
        ("b", "c", 2),
    ]


def test_standard_input_is_read_where_a_format_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    content = json.dumps(vendor_object("genesys")).encode()
    for name in ("genesys", "json"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert [row.text for row in read_rows("-", Input(file_format=name))] == ["Thank you.", "please hold", "bye"]


@pytest.mark.parametrize(
    ("content", "options", "what"),
    [
        ({"a": 1}, {}, r"a\.json, line 1: no vendor's format that is known, and no object with a text: .* --mapping"),
        ([1], {}, r"a\.json, line 1: not a JSON object"),
        ("{", {}, r"a\.json, line 1: not JSON: .* \(column 2\)"),
        ('{"a": 1}\n{"b": ', {}, r"a\.json, line 2: not JSON"),
        ("[" * 100_000, {}, "nested too deep"),
        ("[" + "9" * 5000 + "]", {}, "a number too long"),
        (b"\xff", {}, r"a\.json, line 1: not UTF-8"),
        ({"a": 1}, {"file_format": "genesys"}, r"a\.json: genesys: conversationId: no id|transcripts: is missing"),
        ({"a": 1}, {"file_format": "morse"}, "--format morse: there are csv, jsonl, lines, json .*, genesys, "),
        ("WEBVTT\n", {"file_format": "srt"}, r"a\.json: not srt: it looks like webvtt"),
        ({"entries": [{"text": 1, "role": "x"}]}, {}, r"google-ccai: entries\[0\]\.text: a number, where a text is"),
        ({"entries": [{"text": "x", "role": "x"}]}, {"columns": {"text": "body"}}, "has no columns: --mapping"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_told(content: Any, options: dict[str, Any], what: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content if isinstance(content, bytes) else b"")
    if not isinstance(content, bytes):
        write(path, content)
    with pytest.raises(UsageError, match=what):
        rows(path, **options)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="No such file"):
        rows(tmp_path / "none.vtt")


def test_json_lines_of_a_vendor_say_which_format_to_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", vendor_object("genesys"))
    with pytest.raises(
        RecordingError, match=r"no column 'text'.*; or, as it looks like genesys, give --format genesys$"
    ):
        rows(path)


def test_a_recording_keeps_its_own_way(tmp_path: Path) -> None:
    assert [row.text for row in rows(write(tmp_path / "a.csv", "text\nhi"))] == ["hi"]
    assert [row.text for row in rows(write(tmp_path / "a.vtt", "WEBVTT"), file_format="lines")] == ["WEBVTT"]


def test_the_last_turn_of_a_whole_conversation_is_marked_once(tmp_path: Path) -> None:
    found = events(write(tmp_path / "a.vtt", vendor_object("webvtt")))
    assert [event.last for event in found] == [False] * (len(found) - 1) + [True]
    legs = [vendor_object("genesys"), {**vendor_object("genesys"), "communicationId": "another"}]
    found = events(write(tmp_path / "a.json", json.dumps(legs)))
    assert len(found) > 2
    assert sum(event.last for event in found) == 1
    ticket = vendor_object("intercom")
    assert not any(event.last for event in events(write(tmp_path / "b.json", ticket)))
    assert sum(event.last for event in events(write(tmp_path / "c.json", {**ticket, "state": "closed"}))) == 1
    assert not any(event.last for event in events(write(tmp_path / "d.json", vendor_object("chatwoot"))))


def test_objects_that_cannot_be_read_are_told_and_the_others_read(tmp_path: Path) -> None:
    one, two = vendor_object("chatwoot"), {**vendor_object("chatwoot"), "id": 778}
    path = write(tmp_path / "a.jsonl", one, {**one, "content": ["4111"]}, "{broken", two)
    faults: list[Fault] = []
    found = list(read_rows(path, Input(file_format="chatwoot"), on_fault=faults.append))
    assert [row.line for row in found] == [1, 4]
    assert [fault.line for fault in faults] == [3, 2]
    assert not any("4111" in fault.what for fault in faults)
    with pytest.raises(RecordingError, match=r"a\.jsonl, line 3: not JSON"):
        rows(path, file_format="chatwoot")
