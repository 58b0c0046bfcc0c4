import io
import json
import sys
from pathlib import Path

import pytest

from recordings.fault import RecordingError
from recordings.read import FORMATS
from streams.files.recording import Row, digest, read_recording


def rows(path: Path, content: str | bytes, **options: str) -> list[Row]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_recording(path, columns=options))


def test_csv_gives_every_field_in_order(tmp_path: Path) -> None:
    found = rows(tmp_path / "a.csv", 'id,text,label\n7,"a ""quoted"", text",\n8,b,positive\n')
    assert found == [
        Row(1, 2, {"id": "7", "text": 'a "quoted", text', "label": ""}, 'a "quoted", text'),
        Row(2, 3, {"id": "8", "text": "b", "label": "positive"}, "b"),
    ]
    assert list(found[0].fields) == ["id", "text", "label"]


def test_csv_with_a_byte_order_mark_quoted_line_ends_and_empty_lines(tmp_path: Path) -> None:
    found = rows(tmp_path / "a.csv", b'\xef\xbb\xbftext,n\r\n"two\r\nlines",1\r\n\r\nlast,2')
    assert [(row.text, row.line, row.number) for row in found] == [("two\r\nlines", 2, 1), ("last", 5, 2)]


def test_csv_takes_a_text_of_a_megabyte(tmp_path: Path) -> None:
    [row] = rows(tmp_path / "a.csv", "text\n" + "x" * 1_000_000)
    assert len(row.text) == 1_000_000


def test_json_lines_keep_types_and_order(tmp_path: Path) -> None:
    [row] = rows(tmp_path / "a.jsonl", '{"n": 1.5, "text": "hi", "tags": ["a"], "none": null}\n\n')
    assert row == Row(1, 1, {"n": 1.5, "text": "hi", "tags": ["a"], "none": None}, "hi")


def test_a_text_that_is_no_string_is_its_words(tmp_path: Path) -> None:
    assert [row.text for row in rows(tmp_path / "a.jsonl", '{"text": 5}\n{"text": null}\n')] == ["5", ""]


def test_a_conversation_a_line_gives_a_row_a_turn(tmp_path: Path) -> None:
    conversation = {
        "id": "c1",
        "label": "negative",
        "turns": [{"speaker": "agent", "text": "Hello"}, {"speaker": "customer", "text": "Hi", "turn": 9, "id": "e2"}],
    }
    content = json.dumps(conversation) + "\n" + json.dumps({"conversation_id": "c2", "id": "x", "turns": []}) + "\n"
    first, second = rows(tmp_path / "a.jsonl", content)
    assert first.fields == {
        "label": "negative",
        "conversation_id": "c1",
        "turn": 1,
        "speaker": "agent",
        "text": "Hello",
    }
    assert second.fields == {
        "label": "negative", "conversation_id": "c1", "turn": 9, "speaker": "customer", "text": "Hi", "id": "e2",
    }  # fmt: skip
    assert (first.number, second.number, second.line) == (1, 2, 1)


def test_plain_lines_are_texts_empty_ones_too(tmp_path: Path) -> None:
    assert [(row.fields, row.text) for row in rows(tmp_path / "a.txt", "one\r\n\ntwo, three")] == [
        ({"text": "one"}, "one"), ({"text": ""}, ""), ({"text": "two, three"}, "two, three"),
    ]  # fmt: skip


def test_another_column_can_hold_the_text(tmp_path: Path) -> None:
    [row] = rows(tmp_path / "a.csv", "body,text\nhello,x\n", text="body")
    assert row.text == "hello"
    assert row.fields == {"body": "hello", "text": "x"}


def test_a_format_that_is_given_wins_over_the_ending(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('{"text": "hi"}\n')
    assert [row.text for row in read_recording(tmp_path / "a.csv", file_format="jsonl")] == ["hi"]


@pytest.mark.parametrize(
    ("content", "columns", "texts"),
    [
        (b"text\na\n", {}, ["a"]),
        (b"\xef\xbb\xbfid,text\n1,a\n", {}, ["a"]),
        (b'id,"text"\r\n1,a\r\n', {}, ["a"]),
        (b"id,body\n1,a\n", {"text": "body"}, ["a"]),
        (b"id,body\n1,a\n", {}, ["id,body", "1,a"]),
        (b'{"text": "a"}\n{"text": "b"}\n', {}, ["a", "b"]),
        (b"My bag, my text, my life\n", {}, ["My bag, my text, my life"]),
        (b'He said "no\n', {}, ['He said "no']),
        (b"\n", {}, [""]),
        (b"", {}, []),
    ],
)
def test_the_format_of_standard_input_is_recognised(
    content: bytes, columns: dict[str, str], texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert [row.text for row in read_recording("-", columns=columns)] == texts


def test_a_format_that_is_given_wins_over_what_standard_input_looks_like(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"text": "a"}\n')))
    assert [row.text for row in read_recording("-", file_format="lines")] == ['{"text": "a"}']


@pytest.mark.parametrize("value", ["true", "false", "Infinity", "NaN", '["a"]', '{"body": "a"}'])
def test_what_is_no_text_is_told_from_one_that_is_missing(value: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"text": {value}}}\n{{"text": null}}\n{{"id": 3}}\n{{"text": "a"}}\n')
    found = [(row.text, row.is_text) for row in read_recording(tmp_path / "a.jsonl")]
    assert found == [("", False), ("", True), ("", True), ("a", True)]


def test_rows_are_given_before_the_file_is_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "good"}\nbad\n')
    found = read_recording(tmp_path / "a.jsonl")
    assert next(found).text == "good"
    with pytest.raises(RecordingError, match=r"line 2"):
        next(found)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"text,n\na,1\nb\n", "a.csv, line 3: 1 cells, where the header has 2"),
        ("a.csv", b'text,n\n"a\nb",1\nc,1,2\n', "a.csv, line 4: 3 cells, where the header has 2"),
        ("a.csv", b'text,n\n"a,1\n', "a.csv, line 2: not CSV: unexpected end of data"),
        ("a.csv", b"text,n,text\n", "a.csv, line 1: columns 1 and 3 of its 3 are the same; no header?"),
        ("a.csv", b"Body,n\na,1\n", "a.csv, line 1: 2 columns, none of them 'text'; no header? name the one"),
        ("a.csv", b"7,card 4111\n", "a.csv, line 1: 2 columns, none of them 'text'; no header? name the one"),
        ("a.csv", b"card 4111\n", "a.csv, line 1: 1 column, none of them 'text'; no header? name the one"),
        ("a.csv", b"card 4111,card 4111\n", "a.csv, line 1: columns 1 and 2 of its 2 are the same; no header?"),
        ("a.csv", b"", "a.csv: empty, where a CSV file begins with a header"),
        ("a.csv", b"text\nok\n\xff\xfe\n", "a.csv, line 3: not UTF-8 (byte 1 of the line)"),
        ("a.jsonl", b'{"text": "a"}\n{"text": \n', "a.jsonl, line 2: not JSON: Expecting value (column"),
        ("a.jsonl", b"[1]\n", "a.jsonl, line 1: not a JSON object"),
        (
            "a.jsonl",
            b'{"body": "a"}\n',
            "a.jsonl, line 1: no column 'text', nor in any later row; there are body: name",
        ),
        ("a.jsonl", b'{"turns": [5]}\n', "a.jsonl, line 1: turn 1 is not a JSON object"),
        ("a.jsonl", b'{"text": ' + b"[" * 100_000 + b"\n", "a.jsonl, line 1: not JSON that can be read"),
        ("a.jsonl", b'{"text": ' + b"1" * 5_000 + b"}\n", "a.jsonl, line 1: not JSON that can be read"),
        ("a.txt", b"fine\n\xe9t\xe9\n", "a.txt, line 2: not UTF-8 (byte 1 of the line)"),
        ("a.xlsx", b"", "a.xlsx: its ending does not tell the format (.csv, .tsv, .tab, .jsonl, .ndjson, .txt,"),
    ],
)
def test_what_cannot_be_read_is_told_with_file_and_line(
    name: str, content: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(content)
    with pytest.raises(RecordingError) as refused:
        list(read_recording(name))
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)
    assert "4111" not in str(refused.value), "without a header its place is taken by what customers wrote"


def test_a_table_named_txt_is_known_by_the_column_that_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="not lines: it looks like csv"):
        rows(tmp_path / "a.txt", "id\tbody\n1\thello\n", text="body")
    assert [row.text for row in rows(tmp_path / "b.txt", "id\tbody\n")] == ["id\tbody"]


def test_a_file_that_is_not_there_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(RecordingError, match=str(path)):
            list(read_recording(path, file_format="csv"))
        with pytest.raises(RecordingError, match=str(path)):
            digest(path)


def test_the_digest_is_the_content_s(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"abc")
    (tmp_path / "b.csv").write_bytes(b"abc")
    assert digest(tmp_path / "a.csv") == digest(tmp_path / "b.csv")
    assert (
        digest(tmp_path / "a.csv") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )  # FIPS 180-4


@pytest.mark.parametrize("name", ["airline.csv", "care.jsonl"])
def test_the_samples_are_recordings(name: str, repository: Path) -> None:
    assert sum(1 for row in read_recording(repository / "samples" / name) if row.text) > 500
    assert Path(name).suffix in FORMATS
