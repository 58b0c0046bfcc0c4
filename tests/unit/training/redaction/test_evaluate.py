import json
from pathlib import Path

import pytest

from models.redaction import Span
from schemas.errors import UsageError
from training.redaction import evaluate
from training.redaction.figures import Labelled
from training.redaction.written import read, without_punctuation

TEXT = "Mail Jane.Doe7@gmail.com, or call (555) 010-0132 Zoë!"
SPANS = (Span(5, 24, "EMAIL"), Span(34, 48, "PHONE"), Span(49, 52, "NAME"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    row = {"text": TEXT, "spans": [span._asdict() for span in SPANS] + [{"start": 0, "end": 4, "kind": "LICENCE"}]}
    (tmp_path / "written.dev.jsonl").write_text(json.dumps({"id": "one"} | row) + "\n")
    chat = {"id": "<CONV>a<TURN>3", "text": "pin 4821", "spans": [{"start": 4, "end": 8, "kind": "ACCOUNT"}]}
    (tmp_path / "chats.dev.jsonl").write_text(json.dumps(chat) + "\n")
    return tmp_path


def test_labelled_texts_are_read_with_their_conversation(folder: Path) -> None:
    assert read(folder / "written.dev.jsonl") == [Labelled("one", TEXT, SPANS)]
    assert read(folder / "chats.dev.jsonl")[0].conversation == "<CONV>a"


def test_a_file_is_split_at_line_ends_alone_and_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    row = json.dumps({"id": "a", "text": "one\u2028two\x85three", "spans": []}, ensure_ascii=False)
    (tmp_path / "a.jsonl").write_text(f"{row}\r\n{row}\r\n", "utf-8-sig")
    assert [each.text for each in read(tmp_path / "a.jsonl")] == ["one\u2028two\x85three"] * 2


@pytest.mark.parametrize("line", ["not json", "{}", '{"id": "a", "text": "b", "spans": [1]}'])
def test_a_line_that_is_none_is_named_without_its_text(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.jsonl").write_text(line + "\n")
    with pytest.raises(UsageError, match=r"a\.jsonl, line 1: not a JSON object with id, text and spans"):
        read(tmp_path / "a.jsonl")


def test_without_punctuation_the_spans_stay_on_their_values() -> None:
    (item,) = without_punctuation([Labelled("one", TEXT, SPANS)])
    assert item.text == "mail janedoe 7 gmailcom or call 555 0100132 zoë"
    assert [item.text[span.start : span.end] for span in item.spans] == ["janedoe 7 gmailcom", "555 0100132", "zoë"]


def test_the_script_prints_a_table_a_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(evaluate, "TURNS", 100)
    monkeypatch.setattr(evaluate, "CONVERSATIONS", 5)
    monkeypatch.setattr(evaluate, "SENTENCES", 40)
    assert evaluate.main([str(folder), "--missed", "1"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("### ") == 8
    chats = shown.partition("### Chats")[2].partition("###")[0]
    assert "| ACCOUNT | 1 | 1.000 (0.207-1.000) | 0.000 | - |" in chats
    assert "Conversations with a leak: 0 of 1; without names and addresses 0." in chats
    assert "missed NAME: 'Zoë'" in shown


def test_a_folder_without_data_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate.main([str(tmp_path)]) == 2
    assert "no *.dev.jsonl there" in capsys.readouterr().err
