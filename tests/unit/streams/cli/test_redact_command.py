"""`edgewise redact`, as it is run."""

import csv
import io
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.cli import main as cli
from tests.vendor_objects import vendor_object

CANARY = "4111111111111111"


def redact(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", "redact", *arguments],
        input=stdin,
        env=os.environ | {"PYTHONPATH": str(Path(cli.__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_rows_keep_their_fields_and_lose_what_is_personal(tmp_path: Path) -> None:
    recording, output = tmp_path / "calls.csv", tmp_path / "out.csv"
    recording.write_text(f'id,text,label\n1,"Card {CANARY}, my name is Jane Doe",neutral\n2,Thanks,positive\n')
    done = redact(str(recording), "-o", str(output))
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "edgewise: 1 of 2 rows redacted: 1 CARD, 1 NAME; written as they are: id, label\n"
    first, second = csv.DictReader(io.StringIO(output.read_text()))
    assert list(first) == ["id", "text", "label", "redacted_kinds", "redacted_spans"]
    assert (first["id"], first["text"], first["label"]) == ("1", "Card [CARD], my name is [NAME]", "neutral")
    assert json.loads(first["redacted_kinds"]) == ["CARD", "NAME"]
    assert json.loads(first["redacted_spans"]) == [
        {"start": 5, "end": 21, "kind": "CARD"},
        {"start": 34, "end": 42, "kind": "NAME"},
    ]
    assert (second["text"], second["redacted_kinds"], second["redacted_spans"]) == ("Thanks", "[]", "[]")


def test_the_turns_of_a_conversation_are_read_together(tmp_path: Path) -> None:
    recording = tmp_path / "calls.jsonl"
    turns = ["the card number please?", "four one one one", "mm-hm", "one one", "so four one one one one one?"]
    recording.write_text(json.dumps({"id": "a", "turns": [{"text": turn} for turn in turns]}) + "\n")
    done = redact(str(recording), "--numbered")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["text"] for row in rows] == [turns[0], "[CARD_1]", "mm-hm", "[CARD_1]", "so [CARD_1]?"]
    assert [row["turn"] for row in rows] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("name", ["call_id", "Contact ID"])
def test_a_conversation_is_known_by_any_of_its_usual_columns(name: str) -> None:
    said = ("and your password?", "sunshine")
    done = redact("-", stdin=f"{name},text\n" + "".join(f"0,{text}\n" for text in said))
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == [said[0], "[PASSWORD]"]


@pytest.mark.parametrize(
    "rows",
    [
        [{"turns": [{"text": "and your password?"}, {"text": "sunshine"}]}],
        [{"id": i, "conversation_id": 0, "text": text} for i, text in enumerate(["and your password?", "sunshine"])],
    ],
)
def test_a_conversation_needs_no_id_of_its_own_and_may_have_that_of_its_first_turn(rows: list[object]) -> None:
    done = redact("-", "--format", "jsonl", stdin="".join(json.dumps(row) + "\n" for row in rows))
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == ["and your password?", "[PASSWORD]"]


def test_strangers_without_a_conversations_id_are_read_alone() -> None:
    texts = ["and your password?", "sunshine"] * 4
    ids: list[object] = [None, None, math.nan, math.nan, "n/a", "n/a", ["c1"], ["c1"]]
    rows = [{"conversation_id": id_, "text": text} for id_, text in zip(ids, texts, strict=True)]
    done = redact("-", stdin="".join(json.dumps(row) + "\n" for row in rows))
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == texts


def test_the_settings_say_which_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_REDACTION_KINDS", "CARD")
    done = redact("-", "--format", "lines", stdin=f"my name is Jane Doe, card {CANARY}\n")
    assert json.loads(done.stdout)["text"] == "my name is Jane Doe, card [CARD]"


def test_rows_of_no_conversation_are_read_alone() -> None:
    done = redact("-", "--output-format", "csv", stdin="the card number please?\nfour one\n")
    assert [row["text"] for row in csv.DictReader(io.StringIO(done.stdout))] == ["the card number please?", "four one"]


def test_the_text_can_be_in_another_column_or_a_number_and_names_are_kept(tmp_path: Path) -> None:
    recording = tmp_path / "calls.jsonl"
    rows: list[dict[str, object]] = [{"said": int(CANARY), "redacted_kinds": "mine"}, {"said": None}, {"said": 7}]
    recording.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = redact(str(recording), "--column", "text=said")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"said": "[CARD]", "input_redacted_kinds": "mine", "redacted_kinds": ["CARD"],
         "redacted_spans": [{"start": 0, "end": 16, "kind": "CARD"}]},
        {"said": None, "redacted_kinds": [], "redacted_spans": []},
        {"said": 7, "redacted_kinds": [], "redacted_spans": []},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f'{{"said": "{CANARY}"}}\n', "the first row has no column 'text'; there are said: name"),
        (f'{{"text": "{CANARY}"\n', "line 1: not JSON"),
    ],
)
def test_an_error_tells_the_place_and_no_text(tmp_path: Path, content: str, expected: str) -> None:
    recording = tmp_path / "calls.jsonl"
    recording.write_text(content)
    done = redact(str(recording))
    assert done.returncode == 2
    assert expected in done.stderr
    assert CANARY not in done.stderr + done.stdout


def test_the_input_is_not_overwritten(tmp_path: Path) -> None:
    recording = tmp_path / "calls.csv"
    recording.write_text("text\nhello\n")
    done = redact(str(recording), "-o", str(recording))
    assert (done.returncode, recording.read_text()) == (2, "text\nhello\n")


def test_what_is_no_text_is_withheld(tmp_path: Path) -> None:
    recording = tmp_path / "calls.jsonl"
    recording.write_text(json.dumps({"text": {"said": CANARY}}) + "\n" + json.dumps({"text": "pin 4821"}) + "\n")
    done = redact(str(recording))
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == [None, "pin [PIN]"]
    assert "withheld, as no text: 1" in done.stderr
    assert CANARY not in done.stdout + done.stderr


def test_a_column_that_is_only_called_text_is_not_taken_for_it(tmp_path: Path) -> None:
    recording = tmp_path / "calls.jsonl"
    recording.write_text('{"body": "pin 4821"}\n{"text": "pin 4821"}\n')
    done = redact(str(recording), "--column", "text=body")
    assert [json.loads(line).get("body") for line in done.stdout.splitlines()] == ["pin [PIN]", None]
    assert done.stderr == "edgewise: 1 of 2 rows redacted: 1 PIN; written as they are: text\n"


def test_what_is_left_out_of_a_vendors_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ticket.json"
    path.write_text(json.dumps(vendor_object("intercom")), encoding="utf-8")
    done = redact(str(path))
    assert len(done.stdout.splitlines()) == 2
    assert "edgewise: left out, as no turns: " in done.stderr
    assert "1 private" in done.stderr
