"""One's own transcripts: columns and labels are mapped, rows are held out, and what is wrong is told by its line."""

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from training import config, corpus, statistics
from training.config import Config, ConfigError, Teacher
from training.corpus import CorpusError, Example
from training.rows import label_id
from training.sources import Source

CONFIGS = Path(corpus.__file__).parent / "configs"


def write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def numbered(count: int) -> list[dict[str, str]]:
    return [{"text": f"text number {number}", "label": "neutral"} for number in range(count)]


def own(folder: Path, *others: Source, **fields: Any) -> Config:
    """A configuration whose domain is `ours`, with dev.csv and test.csv, which are written, unless `fields` differ."""
    for part in ("dev", "test"):
        if f"{part}_share" not in fields:
            fields.setdefault(part, f"{part}.csv")
        columns = {fields.get("text", "text"): f"the {part} text", fields.get("label", "label"): "neutral"}
        rest = {fields[key]: "" for key in ("id", "agreement") if key in fields}
        write_csv(folder / f"{part}.csv", [columns | rest])
    return Config(data=folder, sources=(Source(name="ours", role="domain", **fields), *others))


def test_the_example_of_ones_own_transcripts_works_as_it_stands(tmp_path: Path) -> None:
    lines = (CONFIGS / "own.example.toml").read_text("utf-8")
    assert len([line for line in lines.splitlines() if line and not line.startswith("#")]) == 6
    (tmp_path / "own.toml").write_text(lines, "utf-8")
    rows = [{"text": row["text"], "sentiment": row["label"]} for row in numbered(300)]
    write_csv(tmp_path / "data" / "transcripts.csv", rows)
    loaded = corpus.load(config.read(tmp_path / "own.toml"))
    assert (loaded.name, loaded.general_name, loaded.unlabelled, loaded.calls) == ("ours", "", [], [])
    # A tenth of 300, give or take three standard deviations of 5.
    assert 15 <= len(loaded.domain_dev) <= 45
    assert 15 <= len(loaded.domain_test) <= 45
    assert len(loaded.trained_on) + len(loaded.measured_on) == 300


def test_what_the_example_speaks_of_exists() -> None:
    lines = (CONFIGS / "own.example.toml").read_text("utf-8").splitlines()
    keys = {line[2:].split(" ", 1)[0] for line in lines if line.startswith("# ") and line[2:].split(" ")[1:2] == ["="]}
    assert {"text", "id", "labels", "agreement", "dev", "test", "dev_share", "test_share", "speakers", "turns"} <= keys
    assert keys <= {*Source.model_fields, "former", *Teacher.model_fields}
    assert {"former", "large"} <= set(Config.model_fields)


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


def test_patterns_name_files_in_order_and_absolute_paths_do_too(tmp_path: Path) -> None:
    for name in ("b", "a", "[x]"):
        write_csv(tmp_path / f"{name}.csv", [{"text": f"in {name}", "label": "neutral"}])
    made = own(tmp_path / "elsewhere", train=[str(tmp_path / "[ab].csv"), "../[x].csv"])
    assert [example.text for example in corpus.load(made).domain_train] == ["in a", "in b", "in [x]"]


def held(loaded: corpus.Corpus) -> dict[str, set[str]]:
    splits = ("domain_train", "domain_dev", "domain_test", "domain_sample")
    return {split: {example.text for example in getattr(loaded, split)} for split in splits}


def test_what_is_held_out_stays_so_whatever_is_added(tmp_path: Path) -> None:
    shares = {"dev_share": 0.2, "test_share": 0.3, "sample_share": 0.1}
    write_csv(tmp_path / "a.csv", numbered(500))
    before = held(corpus.load(own(tmp_path, train="a.csv", **shares)))
    assert sum(map(len, before.values())) == len(set.union(*before.values())) == 500
    # Three standard deviations of a binomial of 500 are 27, 31 and 20 rows.
    assert abs(len(before["domain_dev"]) - 100) < 27
    assert abs(len(before["domain_test"]) - 150) < 31
    assert abs(len(before["domain_sample"]) - 50) < 20

    write_csv(tmp_path / "a.csv", numbered(600)[::-1])
    after = held(corpus.load(own(tmp_path, train="a.csv", **shares)))
    assert all(before[split] < after[split] for split in before)
    # The test's rows do not depend on the other shares.
    alone = held(corpus.load(own(tmp_path, train="a.csv", dev_share=0.01, test_share=0.3)))
    assert alone["domain_test"] == after["domain_test"]


def test_a_row_without_an_id_has_its_texts_hash(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", numbered(1))
    [row] = corpus.load(own(tmp_path, train="a.csv")).domain_train
    assert row.id == hashlib.sha256(b"text number 0").hexdigest()


def test_turns_of_one_conversation_are_held_out_together(tmp_path: Path) -> None:
    rows = [row | {"call": f"call {number // 5}"} for number, row in enumerate(numbered(500))]
    write_csv(tmp_path / "a.csv", rows)
    loaded = corpus.load(own(tmp_path, train="a.csv", id="call", test_share=0.3, dev_share=0.3))
    train, dev, test = (
        {row.id for row in part} for part in (loaded.domain_train, loaded.domain_dev, loaded.domain_test)
    )
    assert train
    assert dev
    assert test
    assert len(train | dev | test) == len(train) + len(dev) + len(test) == 100


CSV_ERRORS = {
    "no column 'label'; there are text, mood: name it with `label` in the source": "text,mood\nhi,positive\n",
    "no column 'text'; there are body, label: name it with `text` in the source": "body,label\nhi,positive\n",
    "line 3: label 'angry' is not one of negative, neutral, positive, happy": "text,label\nhi,positive\nno,angry\n",
    "line 2: label of 46 characters is not one of": "text,label\nhi,my account is 12 and I have waited for a while\n",
    "line 3: a label without a text: take the row out, or fill in 'text'": "text,label\nhi,happy\n ,positive\n",
    "line 4: 3 cells, where the header has 2": 'text,label\n"two\nlines",positive\na,b,c\n',
    "line 1: the header has the column 'text' twice": "text,text\na,b\n",
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
    "line 1: not JSON": "{\n",
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
    with pytest.raises(CorpusError, match=r"a\.xlsx: its ending does not tell the format: \.csv, \.jsonl"):
        corpus.load(own(tmp_path, train="a.xlsx"))
    (tmp_path / "a.csv").write_bytes("text,label\nschön,positive\n".encode("latin-1"))
    with pytest.raises(CorpusError, match=r"a\.csv: not UTF-8"):
        corpus.load(own(tmp_path, train="a.csv"))


def test_a_split_that_nothing_is_left_for_is_refused(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [{"text": "The TEST text!", "label": "neutral"}])
    with pytest.raises(CorpusError, match="ours: no row is left for train"):
        corpus.load(own(tmp_path, train="a.csv"))


def domain(name: str) -> str:
    return f'[[sources]]\nname = "{name}"\nrole = "domain"\ntrain = "a.csv"\n'


SOURCE_ERRORS = {
    "exactly one source has the role domain; these are: a, b": domain("a") + domain("b"),
    "exactly one source has the role domain; none is: list at least one": domain("a").replace("domain", "unlabelled"),
    "at most one source has the role general; these are: b, c": domain("a")
    + (domain("b") + domain("c")).replace("domain", "general"),
    "two sources are called a": domain("a") + domain("a").replace("domain", "unlabelled"),
    "a: give the files in `train`": domain("a").replace("train", "dev"),
    "dev, dev_share and sample_share are the domain's; this is unlabelled": domain("a").replace("domain", "unlabelled")
    + "sample_share = 0.1\n",
    "unlabelled text has no test and no test_share": domain("a").replace("domain", "unlabelled") + "test_share = 0.1\n",
    "a: give either `dev` or `dev_share`": domain("a") + 'dev = "b.csv"\ndev_share = 0.1\n',
    "a: the shares held out leave nothing to train on": domain("a") + "dev_share = 0.5\ntest_share = 0.5\n",
    "a: nothing to test on: give `test` or a `test_share` above 0": domain("a") + "test_share = 0.0\n",
    "a: nothing to choose on: give `dev` or a `dev_share` above 0": domain("a") + "dev_share = 0.0\n",
    "Input should be 'negative', 'neutral' or 'positive'": domain("a") + 'labels = { angry = "bad" }\n',
    "Extra inputs are not permitted": domain("a") + 'column = "text"\n',
}


@pytest.mark.parametrize("error", SOURCE_ERRORS)
def test_sources_that_make_no_sense_are_refused_with_what_would(tmp_path: Path, error: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text('data = "."\n' + SOURCE_ERRORS[error], "utf-8")
    with pytest.raises(ConfigError) as raised:
        config.read(path)
    assert error in str(raised.value)
    assert str(path) in str(raised.value)


def test_without_sources_one_is_told_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r'no sources: list at least one, such as: \[\[sources\]\] name = "ours"'):
        corpus.load(Config(data=tmp_path))
    with pytest.raises(ValidationError, match="no sources"):
        Config(data=tmp_path, sources=())


def test_the_folder_of_former_artifacts_has_one(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(f'data = "."\nformer = "served"\n{domain("a")}', "utf-8")
    with pytest.raises(ConfigError, match=r"own\.toml: former: .*served has no folder edge or cloud$"):
        config.read(path)
    (tmp_path / "served" / "cloud").mkdir(parents=True)
    assert config.read(path).former == (tmp_path / "served").resolve()


def test_the_shipped_sources_name_their_licence_and_origin() -> None:
    shipped = config.read(CONFIGS / "shipped.toml")
    assert [source.role for source in shipped.sources[:2]] == ["domain", "general"]
    assert all(source.licence and source.origin for source in shipped.sources)


def test_a_label_of_ones_own_may_rename_one_of_the_three() -> None:
    assert label_id("Neutral", "here", {"neutral": "negative"}) == 0
    assert label_id("positive", "here", {"neutral": "negative"}) == 2


def test_statistics_say_what_was_read_kept_and_repeated(tmp_path: Path) -> None:
    rows = [*numbered(2), {"text": "Text NUMBER 1!", "label": "positive"}, {"text": "the dev text", "label": "neutral"}]
    write_csv(tmp_path / "a.csv", rows)
    write_jsonl(
        tmp_path / "b.jsonl", [{"text": text} for text in ("one two three", "the test text", "one", "one", " ")]
    )
    unread = Source(name="unread", role="unlabelled", train=("b.jsonl",), licence="MIT", origin="https://example.com/b")
    made = own(tmp_path, unread, train="a.csv")
    described = statistics.describe(made, corpus.load(made))
    ours, others = described["sources"]
    assert [file["path"] for file in ours["files"]] == ["a.csv", "dev.csv", "test.csv"]
    assert ours["files"][0]["sha256"] == hashlib.sha256((tmp_path / "a.csv").read_bytes()).hexdigest()
    assert ours["splits"]["domain_train"] == {"read": 4, "kept": 2, "repeated": {"domain_train": 1, "domain_dev": 1}}
    assert others["splits"] == {"unlabelled": {"read": 4, "kept": 2, "repeated": {"domain_test": 1, "unlabelled": 1}}}
    assert (others["licence"], others["origin"]) == ("MIT", "https://example.com/b")
    assert described["splits"]["domain_train"] == {
        "texts": 2,
        "characters": {"mean": 13.0, "p50": 13.0, "p95": 13.0},
        "words": {"mean": 3.0, "p50": 3.0, "p95": 3.0},
        "labels": {"negative": 0, "neutral": 2, "positive": 0},
    }
    assert described["splits"]["unlabelled"]["words"] == {"mean": 2.0, "p50": 2.0, "p95": 2.9}
    assert "calls" not in described["splits"]
    assert json.loads(json.dumps(described)) == described


def test_the_table_has_a_line_for_each_source_split_and_what_was_left_out(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [*numbered(2), {"text": "the dev text", "label": "neutral"}])
    made = own(tmp_path, train="a.csv", licence="ours alone")
    lines = statistics.table(statistics.describe(made, corpus.load(made))).splitlines()
    assert "| ours | domain | 3 | ours alone | - |" in lines
    assert "| ours | domain_train | 3 | 2 | domain_dev 1 |" in lines
    assert "| domain_train | 2 | 0 | 2 | 0 | 3 | 3 | 3 | 13 | 13 | 13 |" in lines
