"""What the models may learn from and what they are measured on never meet."""

import csv
import json
from pathlib import Path

import pytest

from models.text import normalise
from training import corpus, samples
from training.corpus import CorpusError, Example, LeakError

SAMPLES = Path(samples.__file__).parents[1] / "samples"
TRAIN_IDS = [str(570_000_000_000_000_000 + number * 7_919) for number in range(400)]


def write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def airline_row(row_id: str, text: str, label: str = "negative", confidence: str = "1.0") -> dict[str, str]:
    return {
        "id": row_id,
        "text": text,
        "label": label,
        "label_confidence": confidence,
        "created_at": "2015-02-24 11:15:48 -0800",
        "company": "United",
    }


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder: 400 training rows, of which some repeat dev, test, each other, or a held-out row."""
    train = [airline_row(row_id, f"flight {row_id} was late") for row_id in TRAIN_IDS]
    held = next(row_id for row_id in TRAIN_IDS if corpus.held_out(row_id, corpus.AIRLINE_HELD_OUT))
    train += [
        airline_row("1", "@user The DEV text!"),
        airline_row("2", "the test text @other https://example.com/x"),
        airline_row("3", f"@user flight {held} was late."),
        airline_row("4", f"FLIGHT {next(i for i in TRAIN_IDS if i != held)} was late"),
    ]
    write_csv(tmp_path / "airline" / "train.csv", train)
    write_csv(tmp_path / "airline" / "dev.csv", [airline_row("5", "the dev text")])
    write_csv(tmp_path / "airline" / "test.csv", [airline_row("6", "The test text")])
    tweets = [{"id": row_id, "text": f"tweet {row_id}", "label": "neutral"} for row_id in TRAIN_IDS]
    tweets.append({"id": "7", "text": r"it\u2019s the dev text", "label": "positive"})
    tweets.append({"id": "8", "text": "The dev text...", "label": "positive"})
    write_csv(tmp_path / "semeval" / "train.csv", tweets)
    turn = {"speaker": "customer", "text": "hi", "at": "2020-04-01T17:31:32.000Z"}
    thread = {"conversation_id": "c", "company": "Acme", "turns": [turn]}
    (tmp_path / "care").mkdir()
    (tmp_path / "care" / "dev.jsonl").write_text(json.dumps(thread) + "\n", "utf-8")
    return tmp_path


def keys(examples: list[Example]) -> set[str]:
    return {corpus.text_key(example.text) for example in examples}


def test_no_text_that_is_measured_on_is_trained_on(data: Path) -> None:
    loaded = corpus.load(data)
    assert not keys(loaded.trained_on) & keys(loaded.measured_on)
    assert {"1", "2", "3"}.isdisjoint(example.id for example in loaded.airline_train)
    assert "8" not in {example.id for example in loaded.semeval_train}


def test_a_text_is_trained_on_once(data: Path) -> None:
    train = corpus.load(data).airline_train
    assert len(keys(train)) == len(train)


def test_the_held_out_rows_are_few_fixed_and_not_trained_on(data: Path) -> None:
    loaded = corpus.load(data)
    sample = {example.id for example in loaded.airline_sample}
    # 8.8 % of 400 are 35; the hash decides, so the same rows on every machine and in every later run.
    assert 20 <= len(sample) <= 50
    assert sample == {row_id for row_id in TRAIN_IDS if corpus.held_out(row_id, corpus.AIRLINE_HELD_OUT)}
    assert sample.isdisjoint(example.id for example in loaded.airline_train)
    assert corpus.held_out("570301083672813571", 0.088) is True
    assert corpus.held_out("570289724453216256", 0.088) is False


def test_a_leak_is_refused() -> None:
    with pytest.raises(LeakError, match="training row a is also that of held-out row b"):
        corpus.check_no_leak([Example("a", "Thanks, @user!", 2)], [Example("b", "thanks", 2)])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("@user thanks", "THANKS!!"),
        ("see [url] &amp; go", "see go"),
        ("so  late\n😡", "so late pouting face"),
    ],
)
def test_texts_that_a_reader_takes_for_the_same_share_a_key(one: str, other: str) -> None:
    assert corpus.text_key(one) == corpus.text_key(other)


def test_texts_that_differ_in_a_word_do_not_share_a_key() -> None:
    assert corpus.text_key("my flight was on time") != corpus.text_key("my flight was not on time")


def test_labels_are_in_the_order_of_the_logits() -> None:
    assert [corpus.label_id(name, "here") for name in ("negative", "Neutral", " positive ")] == [0, 1, 2]


def test_an_unknown_label_is_refused_with_its_place(data: Path) -> None:
    write_csv(data / "airline" / "dev.csv", [airline_row("5", "text", label="angry")])
    with pytest.raises(CorpusError, match=r"dev\.csv, id 5: label 'angry' is not one of negative, neutral, positive"):
        corpus.load(data)


def test_a_missing_column_or_file_is_refused(data: Path) -> None:
    write_csv(data / "airline" / "dev.csv", [{"id": "5", "text": "text"}])
    with pytest.raises(CorpusError, match=r"dev\.csv: no column label"):
        corpus.load(data)
    (data / "airline" / "dev.csv").unlink()
    with pytest.raises(CorpusError, match="no such file"):
        corpus.load(data)


def test_agreement_becomes_a_soft_label() -> None:
    assert Example("a", "text", 1, agreement=0.6).target == pytest.approx((0.2, 0.6, 0.2))
    assert Example("a", "text", 2).target == (0.0, 0.0, 1.0)


def test_escapes_of_the_semeval_files_are_undone() -> None:
    assert corpus.unescape(r"Plus\u002c it\u2019s late") == "Plus, it’s late"


def test_samples_are_made_from_dev_and_the_held_out_rows(data: Path, tmp_path: Path) -> None:
    assert samples.write(data, tmp_path / "out") == {
        "airline.csv": 1 + len(corpus.load(data).airline_sample),
        "care.jsonl": 1,
    }
    with (tmp_path / "out" / "airline.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert rows["5"]["occurred_at"] == "2015-02-24T19:15:48Z"
    assert "6" not in rows  # the test split


def committed() -> list[dict[str, str]]:
    with (SAMPLES / "airline.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_committed_recordings_have_the_same_fields() -> None:
    turns = [json.loads(line) for line in (SAMPLES / "care.jsonl").read_text("utf-8").splitlines()]
    fields = list(committed()[0])
    assert fields == [
        "id",
        "conversation_id",
        "turn",
        "role",
        "channel",
        "language",
        "text",
        "occurred_at",
        "company",
        "label",
    ]
    assert all(list(turn) == fields[:-1] for turn in turns)
    assert {turn["role"] for turn in turns} == {"customer", "agent"}


def test_the_committed_turns_are_in_the_order_of_their_conversation() -> None:
    conversations: dict[str, list[dict[str, object]]] = {}
    for line in (SAMPLES / "care.jsonl").read_text("utf-8").splitlines():
        turn = json.loads(line)
        conversations.setdefault(turn["conversation_id"], []).append(turn)
    for turns in conversations.values():
        assert [turn["turn"] for turn in turns] == list(range(1, len(turns) + 1))
        assert [turn["occurred_at"] for turn in turns] == sorted(str(turn["occurred_at"]) for turn in turns)
    assert max(map(len, conversations.values())) > 2


def test_the_committed_sample_is_enough_labelled_unique_and_without_addresses() -> None:
    rows = committed()
    assert len(rows) >= 2_000
    assert len({row["id"] for row in rows}) == len(rows)
    assert {row["label"] for row in rows} == {"negative", "neutral", "positive"}
    for row in rows:
        # Handles, links and addresses are placeholders already: normalising finds none to replace.
        assert row["text"].count("@user") == normalise(row["text"]).count("@user")
        assert row["text"].count("[email]") == normalise(row["text"]).count("[email]")
