"""One's own transcripts: columns and labels are mapped, rows are held out, and what is wrong is told by its line."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.unit.training.own_data import numbered, own, write_csv, write_jsonl
from training.config.sources import CorpusError, Source
from training.data import corpus
from training.data.corpus import Example
from training.data.rows import label_id, rows, unescape


def test_columns_and_labels_of_ones_own_are_mapped(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(
        b'\xef\xbb\xbfcall,said,stars,votes,note\r\nc1,"Late, again",1,0.8,x\r\n\r\nc2,"two\r\nlines",3,,\r\n'
        b"c3,Great, 5 ,1,\r\nc4,Fine,Positive,,\r\n"
    )
    labels = {"1": "negative", "3": "neutral", "5": "positive"}
    made = own(tmp_path, train="a.csv", text="said", label="stars", id="call", agreement="votes", labels=labels)
    assert corpus.load(made).domain_train == [
        Example("c1", "Late, again", 0, 0.8),
        Example("c2", "two\r\nlines", 1),
        Example("c3", "Great", 2),
        Example("c4", "Fine", 2),
    ]


def test_json_lines_hold_a_text_or_a_conversation(tmp_path: Path) -> None:
    turns = [
        {"who": "agent", "said": "Hello"},
        {"who": "customer", "said": "My bag\nis lost"},
        {"who": "customer", "said": " "},
        {"who": "customer", "said": "Bye"},
    ]
    write_jsonl(
        tmp_path / "a.jsonl",
        [
            {"id": 7, "label": 1, "talk": turns},
            {"id": 8, "label": 5, "talk": turns[:1]},  # nobody's turn who is wanted
            {"id": 9, "label": 5, "talk": turns[3:]},
        ],
    )
    fields: dict[str, Any] = {
        "text": "said",
        "turns": "talk",
        "speaker": "who",
        "speakers": "customer",
        "labels": {"1": "negative"},
    }
    calls = Source(
        name="calls", role="calls", test=("a.jsonl",), **(fields | {"labels": {"1": "negative", "5": "positive"}})
    )
    unread = Source(name="unread", role="unlabelled", train=("a.jsonl",), **(fields | {"speakers": ("agent",)}))
    write_csv(tmp_path / "b.csv", numbered(1))
    loaded = corpus.load(own(tmp_path, calls, unread, train="b.csv"))
    assert loaded.calls == [Example("7", "My bag is lost\nBye", 0), Example("9", "Bye", 2)]
    assert loaded.unlabelled == ["Hello"]


def test_rows_of_other_speakers_are_left_out(tmp_path: Path) -> None:
    rows = [row | {"role": role} for row, role in zip(numbered(3), ("agent", "customer", "bot"), strict=True)]
    write_csv(tmp_path / "a.csv", rows)
    made = own(
        tmp_path,
        Source(name="b", role="unlabelled", train=("a.csv",), speaker="role", speakers=("bot",)),
        train="c.csv",
    )
    write_csv(tmp_path / "c.csv", numbered(1))
    assert corpus.load(made).unlabelled == ["text number 2"]


def test_of_half_of_what_an_agent_says_a_model_is_told_who_speaks(tmp_path: Path) -> None:
    rows = [row | {"who": ("agent", "customer")[at % 2]} for at, row in enumerate(numbered(400))]
    write_csv(tmp_path / "a.csv", rows)
    write_csv(tmp_path / "c.csv", [{"text": "domain", "label": "neutral"}])
    agents, customers = (
        Source(name=role, role="extra", train=("a.csv",), speaker="who", speakers=(role,), label="label")
        for role in ("agent", "customer")
    )
    extra = corpus.load(own(tmp_path, agents, customers, train="c.csv")).extra_train
    assert (agents.tells_roles, customers.tells_roles) == (True, False)
    told = [example for example in extra if example.as_read != example.text]
    assert {example.role for example in told} == {"agent"}
    assert all(example.as_read == f"agent: {example.text}" for example in told)
    assert 70 < len(told) < 130  # of 200


def test_patterns_name_files_in_order_and_absolute_paths_do_too(tmp_path: Path) -> None:
    for name in ("b", "a", "[x]"):
        write_csv(tmp_path / f"{name}.csv", [{"text": f"in {name}", "label": "neutral"}])
    made = own(tmp_path / "elsewhere", train=[str(tmp_path / "[ab].csv"), "../[x].csv"])
    assert [example.text for example in corpus.load(made).domain_train] == ["in a", "in b", "in [x]"]


def test_a_row_without_an_id_has_its_texts_hash(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", numbered(1))
    [row] = corpus.load(own(tmp_path, train="a.csv")).domain_train
    assert row.id == hashlib.sha256(b"text number 0").hexdigest()


CSV_ERRORS = {
    "no column 'label'; there are text, mood: name it with `label` in the source": "text,mood\nhi,positive\n",
    "no column 'text'; there are body, label: name it with `text` in the source": "body,label\nhi,positive\n",
    "line 3: label 'angry' is not one of negative, neutral, positive, happy": "text,label\nhi,positive\nno,angry\n",
    "line 2: label of 46 characters is not one of": "text,label\nhi,my account is 12 and I have waited for a while\n",
    "line 3: a label without a text: take the row out, or fill in 'text'": "text,label\nhi,happy\n ,positive\n",
    "line 4: 3 cells, where the header has 2": 'text,label\n"two\nlines",positive\na,b,c\n',
    "line 1: columns 1 and 2 of its 2 are the same": "text,text\na,b\n",
    "not CSV: unexpected end of data": 'text,label\n"hi,positive\n',
    "a.csv: no rows": "text,label\n",
}


@pytest.mark.parametrize("error", CSV_ERRORS)
def test_errors_in_csv_name_the_file_the_line_and_what_is_allowed(tmp_path: Path, error: str) -> None:
    made = own(tmp_path, train="a.csv", labels={"happy": "positive"})
    (tmp_path / "a.csv").write_text(CSV_ERRORS[error], "utf-8")
    with pytest.raises(CorpusError) as raised:
        corpus.load(made)
    assert error in str(raised.value)
    assert str(tmp_path / "a.csv") in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "waited" not in str(raised.value)


JSON_ERRORS = {
    "line 1: not JSON": '{"label": \n',
    "line 2: not a JSON object": '\n"text"\n',
    "line 1: 'turns' is not a list of turns; there are label, text": '{"label": "neutral", "text": "hi"}\n',
    "line 1, turn 2: no column 'text'; there are a": '{"label": "neutral", "turns": [{"text": "hi"}, {"a": "b"}]}\n',
    "line 1: a label without a text": '{"label": "neutral", "turns": []}\n',
}


@pytest.mark.parametrize("error", JSON_ERRORS)
def test_errors_in_json_lines_name_the_file_and_the_line(tmp_path: Path, error: str) -> None:
    made = own(tmp_path, train="a.jsonl", turns="turns", dev_share=0.1, test_share=0.1)
    (tmp_path / "a.jsonl").write_text(JSON_ERRORS[error], "utf-8")
    with pytest.raises(CorpusError) as raised:
        corpus.load(made)
    assert error in str(raised.value)
    assert str(tmp_path / "a.jsonl") in str(raised.value)


@pytest.mark.parametrize("votes", ["many", "1.5", "-0.1", "nan"])
def test_an_agreement_that_is_no_share_is_refused(tmp_path: Path, votes: str) -> None:
    write_csv(tmp_path / "a.csv", [numbered(1)[0] | {"votes": votes}])
    with pytest.raises(CorpusError, match=r"a\.csv, line 2: the agreement is not a number from 0 to 1"):
        corpus.load(own(tmp_path, train="a.csv", agreement="votes"))


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"2024/\*\.csv: no such file; `data` \(or --data\)"):
        corpus.load(own(tmp_path, train="2024/*.csv"))
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    with pytest.raises(CorpusError, match=r"a\.xlsx: its ending does not tell the format: \.csv, \.tsv, \.jsonl"):
        corpus.load(own(tmp_path, train="a.xlsx"))
    (tmp_path / "a.csv").write_bytes("text,label\nschön,positive\n".encode("latin-1"))
    with pytest.raises(CorpusError, match=r"a\.csv, line 2: not UTF-8"):
        corpus.load(own(tmp_path, train="a.csv"))


def test_a_source_is_read_in_any_dialect_as_score_reads_it(tmp_path: Path) -> None:
    content = "text;label\r\n" + "".join(f"text, number {i};positive\r\n" for i in range(40))
    (tmp_path / "a.csv").write_bytes(content.encode("utf-16"))
    made = own(tmp_path, train="a.csv", dev_share=0.1, test_share=0.1)
    found = rows(made.sources[0], tmp_path / "a.csv", labelled=True)
    assert [row.parts for row in found][:2] == [("text, number 0",), ("text, number 1",)]


def test_a_label_of_ones_own_may_rename_one_of_the_three() -> None:
    assert label_id("Neutral", "here", {"neutral": "negative"}) == 0
    assert label_id("positive", "here", {"neutral": "negative"}) == 2


def test_labels_are_in_the_order_of_the_logits() -> None:
    assert [label_id(name, "here") for name in ("negative", "Neutral", " positive ")] == [0, 1, 2]


def test_escapes_of_the_semeval_files_are_undone() -> None:
    assert unescape(r"Plus\u002c it\u2019s late") == "Plus, it’s late"
    assert unescape(r"so \ud83d\ude00 \ud83d") == "so 😀 \ufffd"
