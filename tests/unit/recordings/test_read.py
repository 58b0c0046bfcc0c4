"""Any file of rows is read as what it is: its dialect, encoding and packing are recognised; what is wrong is told."""

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from recordings import encoding as encodings
from recordings import json_records, source
from recordings.encoding import Checked, decoded, encoding_name, recognised_encoding
from recordings.fault import Fault, RecordingError
from recordings.read import FORMATS, Found, ending_of, values
from recordings.source import Source, opened
from schemas.errors import UsageError

TEXTS = ["My parcel never came; and nobody, nobody calls", "Thanks, that was quick", "naïve – “quoted”"]


def read(path: Path, content: bytes, **options: Any) -> list[dict[str, Any]]:
    path.write_bytes(content)
    with opened(path) as file:
        return [value for _, value in values(file, path, FORMATS[ending_of(path)], **options)]


def faulty(path: Path, content: bytes, **options: Any) -> tuple[list[Any], list[Fault]]:
    faults: list[Fault] = []
    return read(path, content, on_fault=faults.append, **options), faults


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_csv_files_dialect_and_encoding_are_recognised(
    line_end: str, delimiter: str, encoding: str, tmp_path: Path
) -> None:
    rows = [["id", "text"], *([str(i), f'"{text}"'] for i, text in enumerate(TEXTS))]
    content = line_end.join(delimiter.join(row) for row in rows).encode(encoding)
    assert read(tmp_path / "a.csv", content) == [{"id": str(i), "text": text} for i, text in enumerate(TEXTS)]


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ('id,text\n1,"she said \\"no\\", twice"\n2,"a\\nb"\n', ['she said "no", twice', "anb"]),
        ('id,text\n1,"she said ""no"", twice"\n2,"ends in \\"\n', ['she said "no", twice', "ends in \\"]),
        ("sep=;\nid;text\n1;a, b\n", ["a, b"]),
        ('"sep=;\nid;text\n1;a, b\n', ["a, b"]),  # half a quotation
        ("sep=|\r\ntext|id\r\na;b,c|1\r\n", ["a;b,c"]),
        ("text,,\nhello,,\nbye,,,,\n", ["hello", "bye"]),
        ("text;note,x\na;b\n", ["a"]),
        ('text\tid\n"quite" he said\t1\nwhat is 5" of it\t2\n', ['"quite" he said', 'what is 5" of it']),
        ("text\nhello; you, there\n", ["hello; you, there"]),
    ],
)
def test_what_spreadsheets_and_databases_write_is_read(content: str, texts: list[str], tmp_path: Path) -> None:
    assert [row["text"] for row in read(tmp_path / "a.csv", content.encode())] == texts


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_packed_files_are_unpacked_whatever_they_are_called(pack: Any, tmp_path: Path) -> None:
    content = b'{"text": "a"}\n{"text": "b"}\n'
    for name in ("a.jsonl.gz", "a.jsonl.zst", "a.jsonl"):
        assert read(tmp_path / name, pack(content)) == [{"text": "a"}, {"text": "b"}]


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_a_packed_file_that_is_cut_gives_its_rows_and_then_an_error(pack: Any, tmp_path: Path) -> None:
    rows = [json.dumps({"text": f"{i} {i * i % 977} {i * 31 % 1009}"}) for i in range(40_000)]
    content = pack("\n".join(rows).encode())
    (tmp_path / "a.jsonl").write_bytes(content[: len(content) * 3 // 4])
    found: list[Any] = []
    with opened(tmp_path / "a.jsonl") as file, pytest.raises(RecordingError, match=r"a\.jsonl: damaged .*, or cut off"):
        found.extend(value for _, value in values(file, "a.jsonl", "jsonl"))
    assert found[:2] == [json.loads(rows[0]), json.loads(rows[1])]
    assert len(found) > 1_000


def test_a_bomb_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_BOMB_BYTES", 100_000)
    bomb = gzip.compress(b'{"text": "a"}\n' + b"\n" * 2_000_000)
    with pytest.raises(RecordingError, match="unpacks to more than 500 times its size"):
        read(tmp_path / "a.jsonl.gz", bomb)


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".txt"])
def test_a_line_without_an_end_is_given_up_before_it_fills_the_memory(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "LONGEST_LINE", 300_000)
    found: list[Any] = []
    (tmp_path / f"a{ending}").write_bytes(b'text\n{"text":"a"}\n'[0 if ending == ".csv" else 5 :] + b"x" * 10_000_000)
    with opened(tmp_path / f"a{ending}") as file, pytest.raises(RecordingError, match="a line of more than"):
        found.extend(value for _, value in values(file, "a", FORMATS[ending]))
    assert len(found) == 1


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04....", r"a spreadsheet \(.xlsx\): unpack it, or save the sheet as CSV"),
        (b"%PDF-1.7", "a PDF: export"),
        (b"PAR1....", "Parquet: write it as JSON lines or CSV"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\nhi\n", "not csv: it looks like webvtt: give --format webvtt"),
        (b'{"text": "a"}\n{"text": "b"}\n', "not csv: it looks like jsonl"),
    ],
)
def test_a_file_of_another_kind_is_named(content: bytes, what: str, tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=what):
        read(tmp_path / "a.csv", content)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nhi\n", "not lines: it looks like webvtt"),
        ("1\n00:00:01,000 --> 00:00:02,000\nhi\n", "not lines: it looks like srt"),
        ('{"text": "a"}\n{"text": "b"}\n', "not lines: it looks like jsonl"),
    ],
)
def test_lines_are_anything_for_whoever_asks_for_them(content: str, what: str, tmp_path: Path) -> None:
    assert len(read(tmp_path / "a.txt", content.encode())) == content.count("\n")
    with pytest.raises(RecordingError, match=what):
        read(tmp_path / "a.txt", content.encode(), asked=False)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("id\tspeaker\ttext\n1\tagent\thello\n", "csv"),
        ('{\r\n "turns": []\n}', "json"),
        ('[{"text": "a"}]', "json"),
        ('[\n {\n "text": "a"\n }\n]', "json"),
    ],
)
def test_a_table_or_json_under_the_name_of_a_text_is_named(content: str, what: str, tmp_path: Path) -> None:
    """Seen to fail: Excel's "Text (Tab delimited)" and indented JSON were sent line by line."""
    with pytest.raises(RecordingError, match=f"not lines: it looks like {what}: give --format {what}"):
        read(tmp_path / "a.txt", content.encode(), asked=False)
    assert read(tmp_path / "a.txt", content.encode())[0]["text"] == content.splitlines()[0]


@pytest.mark.parametrize("content", ["text\nhello\n", "a, b\n", "[agent] hello\n", "{waves} hello\n", "[]\n"])
def test_lines_that_only_begin_like_something_else_are_lines(content: str, tmp_path: Path) -> None:
    assert len(read(tmp_path / "a.txt", content.encode(), asked=False)) == content.count("\n")


def test_faults_are_told_with_their_lines_and_the_rows_between_are_read(tmp_path: Path) -> None:
    rows, faults = faulty(tmp_path / "a.csv", b'id,text\n1,a\n2\n3,"x"y\n4,caf\xe9\n5,\x00\n6,"b\nb"\n7,"never')
    assert [row["id"] for row in rows] == ["1", "6"]
    assert [(fault.line, fault.what.partition(":")[0]) for fault in faults] == [
        (3, "1 cells, where the header has 2"),
        (4, "not CSV"),
        (5, "not UTF-8 (byte 6 of the line)"),
        (6, "a NUL (byte 3 of the line), which no text has"),
        (9, "not CSV"),
    ]
    rows, faults = faulty(tmp_path / "a.jsonl", b'{"text":"a"}\n\n{"text": \n{"text":"\xff"}\n{"text":"b"}\n{"text":"c')
    assert [row["text"] for row in rows] == ["a", "b"]
    assert [fault.line for fault in faults] == [3, 4, 6]
    assert faults[0].content == '{"text": '
    rows, faults = faulty(tmp_path / "a.txt", b"one\r\xfftwo\rthree")
    assert [row["text"] for row in rows] == ["one", "three"]
    assert [(fault.line, fault.what[:9]) for fault in faults] == [(2, "not UTF-8")]


def test_a_row_that_is_no_csv_is_told_as_it_stands_with_all_of_its_lines(tmp_path: Path) -> None:
    """Seen to fail: its content was empty, or without its quotes, and how many lines went with it nobody said."""
    good = "".join(f'{i},"two\nlines"\n' for i in range(500))
    bad = '7,"never closed\n8,fine\n9,"quoted" word'
    content = f'sep=,\nid,text\n{good}1,"hi, there",more\n{bad}\n10,"good"\n'
    rows, faults = faulty(tmp_path / "a.csv", content.encode())
    assert [row["id"] for row in rows] == [*map(str, range(500)), "10"]
    assert faults == [
        Fault(1003, "3 cells, where the header has 2", '1,"hi, there",more'),
        Fault(1004, "not CSV: ',' expected after '\"'; it goes on to line 1,006", bad),
    ]
    rows, faults = faulty(tmp_path / "a.csv", b'id,text\r\n1,a\r\n2,"b\r\n3,c\r\n')
    assert faults == [Fault(3, "not CSV: unexpected end of data; it goes on to line 4", '2,"b\r\n3,c')]


@given(st.text("a\r\n\v\u2028é\x00", max_size=30), st.sampled_from(["utf-8", "utf-16-le"]), st.integers(1, 9))
def test_lines_are_pythons_wherever_reading_stops(content: str, encoding: str, run: int) -> None:
    data = content.encode(encoding)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encodings, "_RUN", run)
        lines = Checked(decoded(Source(io.BytesIO(data), "a.txt"), encoding))
        found = []
        for line in lines:
            found.append(line)
            assert bool(lines.take_fault()) == ("\x00" in line)
    assert found == list(io.StringIO(content, newline=""))


@pytest.mark.parametrize("ending", [".csv", ".txt"])
def test_half_a_character_of_utf_16_is_told_with_its_line(ending: str, tmp_path: Path) -> None:
    content = "text\none\ntwo\n".encode("utf-16-le") + b"\x01\xd8\n\x00" + "three\n".encode("utf-16-le") + b"x"
    rows, faults = faulty(tmp_path / f"a{ending}", content)
    assert [row["text"] for row in rows] == ["text", "one", "two", "three"][ending == ".csv" :]
    assert [(fault.line, fault.what) for fault in faults] == [
        (4, "not UTF-16-LE (byte 1 of the line): give --encoding, such as cp1252"),
        (6, "not UTF-16-LE (byte 1 of the line): give --encoding, such as cp1252"),
    ]


def test_an_encoding_that_is_given_wins(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "text\ncafé €\n".encode("cp1252"), encoding="cp1252") == [{"text": "café €"}]
    assert read(tmp_path / "a.txt", "\ufeffhé".encode("utf-16-le"), encoding="utf-16") == [{"text": "hé"}]
    assert encoding_name("latin1") == "iso8859-1"
    for name in ("morse", "rot13", "hex"):
        with pytest.raises(UsageError, match=f"--encoding {name}: no encoding of that name"):
            encoding_name(name)


def test_text_with_a_nul_here_and_there_is_no_utf_16() -> None:
    assert recognised_encoding(b"id,text\n1,a\x00\n" * 20) == "utf-8"
    assert recognised_encoding("привет, where are you\n".encode("utf-16-le")) == "utf-16-le"
    assert recognised_encoding(b"") == "utf-8"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ('[{"text": "a"}, {"text": "b"}]', ["a", "b"]),
        ('\n[\n{"text": "a"}\n,\n{"text": "b"}\n]\n', ["a", "b"]),
        ('{\n "text": "a"\n}\n{\n "text": "b"\n}\n', ["a", "b"]),
        ("[]", []),
        ('{"text": "a"}\r{"text": "b"}', ["a", "b"]),
    ],
)
def test_json_comes_as_lines_as_an_array_or_over_several_lines(content: str, found: list[str], tmp_path: Path) -> None:
    assert [row["text"] for row in read(tmp_path / "a.jsonl", content.encode())] == found


def test_an_array_is_read_a_member_at_a_time_and_what_comes_before_damage_is_given(tmp_path: Path) -> None:
    members = ",\n".join(json.dumps({"text": "x" * 1000, "n": n}) for n in range(3_000))
    (tmp_path / "a.jsonl").write_text(f"[{members},\n{{oops}}]")
    numbers: list[tuple[int, int]] = []
    with opened(tmp_path / "a.jsonl") as file, pytest.raises(RecordingError) as raised:
        numbers.extend((line, value["n"]) for line, value in values(file, "a.jsonl", "jsonl"))
    assert numbers == [(n + 1, n) for n in range(3_000)]
    assert str(raised.value).startswith("a.jsonl, line 3001: not JSON: Expecting property name")


OBJECTS = st.recursive(
    st.sampled_from(["}, {", '"},{"', "]", 1, None]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=8,
)


@given(
    st.lists(OBJECTS, max_size=8),
    st.sampled_from([(",", ":"), (", ", ": "), (",\n", ":"), (",  ", ":")]),
    st.integers(1, 40),
)
def test_an_array_is_what_json_says_wherever_reading_stops(
    members: list[Any], separators: tuple[str, str], piece: int
) -> None:
    content = json.dumps(members, separators=separators)
    text = io.TextIOWrapper(io.BytesIO(content.encode()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_records, "_PIECE", piece)
        found = list(json_records.json_values(text, "a.json"))
    assert [value for _, value in found] == members
    at = 1
    for (line, _), member in zip(found, members, strict=True):
        assert line == at
        at += json.dumps(member, separators=separators).count("\n") + separators[0].count("\n")


@pytest.mark.parametrize("end", ["]", '] , {"a": 2}, {"a": 3}]', ', {"a": }, {"a": 3}]'])
def test_what_stands_behind_or_in_an_array_of_one_line_is_seen(end: str, tmp_path: Path) -> None:
    found: list[Any] = []
    (tmp_path / "a.jsonl").write_text('[{"a": 0}, {"a": 1}' + end)
    with opened(tmp_path / "a.jsonl") as file:
        if end == "]":
            found.extend(value for _, value in values(file, "a.jsonl", "jsonl"))
        else:
            with pytest.raises(RecordingError, match=r"a\.jsonl, line 1: not JSON"):
                found.extend(value for _, value in values(file, "a.jsonl", "jsonl"))
    assert found == [{"a": 0}, {"a": 1}]


@pytest.mark.parametrize("content", ["[1, 2", "[1 2]", "[1] 2", '[{"a": 1},]', "[\xff"])
def test_an_array_that_is_none_is_refused(content: str, tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"a\.jsonl, line 1: not "):
        read(tmp_path / "a.jsonl", content.encode("latin-1"))


def test_a_thousand_levels_are_refused(tmp_path: Path) -> None:
    for content in (b'{"text": ' + b"[" * 100_000 + b"\n", b"[" * 100_000):
        with pytest.raises(RecordingError, match="nested too deep"):
            read(tmp_path / "a.jsonl", content)


def test_what_was_recognised_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Found] = []
    read(tmp_path / "a.csv.gz", gzip.compress("text;a\nb;c\n".encode("utf-16")), on_found=told.append)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"text": "a"}\n')))
    with opened("-") as file:
        assert [value for _, value in values(file, "-", None, on_found=told.append)] == [{"text": "a"}]
    assert [str(found) for found in told] == ["csv (semicolons), UTF-16-LE, gzip", "jsonl, UTF-8"]
