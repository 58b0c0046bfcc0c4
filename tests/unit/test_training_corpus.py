"""What the models may learn from and what they are measured on never meet."""

import csv
import hashlib
import itertools
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.text import normalise
from training import config, corpus, samples, statistics
from training.config import Config
from training.corpus import Corpus, Example, LeakError
from training.sources import Source

REPOSITORY = Path(samples.__file__).parents[1]
SAMPLES = REPOSITORY / "samples"
CONFIGS = REPOSITORY / "training" / "configs"
PUBLIC_DATA = REPOSITORY.parent / "shared" / "data"
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
    held = next(row_id for row_id in TRAIN_IDS if corpus.held_out(row_id, 0.088))
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


@pytest.fixture
def run(data: Path) -> Config:
    return Config(
        data=data,
        sources=(
            Source(
                name="airline",
                role="domain",
                train=("airline/train.csv",),
                dev=("airline/dev.csv",),
                test=("airline/test.csv",),
                agreement="label_confidence",
                sample_share=0.088,
            ),
            Source(name="semeval", role="general", train=("semeval/train.csv",), test_share=0.1012),
        ),
    )


def keys(examples: list[Example]) -> set[str]:
    return {corpus.text_key(example.text) for example in examples}


def test_no_text_that_is_measured_on_is_trained_on(run: Config) -> None:
    loaded = corpus.load(run)
    assert not keys(loaded.trained_on) & keys(loaded.measured_on)
    assert {"1", "2", "3"}.isdisjoint(example.id for example in loaded.domain_train)
    assert "8" not in {example.id for example in loaded.general_train}


def test_a_text_is_trained_on_once(run: Config) -> None:
    train = corpus.load(run).domain_train
    assert len(keys(train)) == len(train)


def test_the_held_out_rows_are_few_fixed_and_not_trained_on(run: Config) -> None:
    loaded = corpus.load(run)
    sample = {example.id for example in loaded.domain_sample}
    # 8.8 % of 400 are 35; the hash decides, so the same rows on every machine and in every later run.
    assert 20 <= len(sample) <= 50
    assert sample == {row_id for row_id in TRAIN_IDS if corpus.held_out(row_id, 0.088)}
    assert sample.isdisjoint(example.id for example in loaded.domain_train)
    assert corpus.held_out("570301083672813571", 0.088) is True
    assert corpus.held_out("570289724453216256", 0.088) is False


def test_what_was_left_out_is_told_with_where_its_text_is(run: Config) -> None:
    tallies = {(tally.source, tally.split): tally for tally in corpus.load(run).tallies}
    train = tallies["airline", "domain_train"]
    assert train.repeated == {"domain_dev": 1, "domain_test": 1, "domain_sample": 1, "domain_train": 1}
    assert train.kept == train.read - 4
    assert tallies["semeval", "general_train"].repeated == {"domain_dev": 1}


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


def test_agreement_becomes_a_soft_label() -> None:
    assert Example("a", "text", 1, agreement=0.6).target == pytest.approx((0.2, 0.6, 0.2))
    assert Example("a", "text", 2).target == (0.0, 0.0, 1.0)


def test_escapes_of_the_semeval_files_are_undone() -> None:
    assert corpus.unescape(r"Plus\u002c it\u2019s late") == "Plus, it’s late"
    assert corpus.unescape(r"so \ud83d\ude00 \ud83d") == "so 😀 \ufffd"


def test_samples_are_made_from_dev_and_the_held_out_rows(data: Path, run: Config, tmp_path: Path) -> None:
    assert samples.write(data, tmp_path / "out") == {
        "airline.csv": 1 + len(corpus.load(run).domain_sample),
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


def whole(**changes: Any) -> Corpus:
    """A corpus with one text in each split, none of them twice."""
    splits: dict[str, Any] = {
        split: [Example(split, f"a text of {split}", 0)]
        for split in ("domain_train", "domain_sample", "domain_dev", "domain_test", "general_train", "general_test")
    }
    call = Example("call", "Hello, this is Tom\nMy router is broken", 0)
    made = Corpus(name="ours", general_name="other", unlabelled=["something else"], calls=[call], **splits)
    return replace(made, **changes)


MEASURED = ("domain_sample", "domain_dev", "domain_test", "general_test", "calls")


@pytest.mark.parametrize("measured", MEASURED)
@pytest.mark.parametrize("learned", ["domain_train", "general_train", "unlabelled"])
def test_a_leak_is_refused(measured: str, learned: str) -> None:
    corpus.check_no_leak(whole())
    row: Any = "THANKS" if learned == "unlabelled" else Example("a", "THANKS", 2)
    with pytest.raises(LeakError, match=r"(training row a|unlabelled text 1) is also .*held-out row b"):
        corpus.check_no_leak(whole(**{measured: [Example("b", "thanks, @user!", 2)], learned: [row]}))


def test_a_turn_of_a_measured_call_is_not_read_either() -> None:
    with pytest.raises(LeakError, match="unlabelled text 2 is also in held-out row call"):
        corpus.check_no_leak(whole(unlabelled=["something else", "my router is BROKEN!"]))


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


# Few texts, so that they meet often, each as several people would write it.
TEXTS = st.builds(
    str.format,
    st.sampled_from(["{}", "{}!", "@user {}", "{} [url]", "  {} ..."]),
    st.sampled_from(["yes", "Thank you", "THANK YOU", "my bag is lost", "My bag is lost", "hello", "ok", "when?"]),
)
SPLIT_TEXTS = st.lists(TEXTS, max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(("train", "dev", "test", "general", "read", "turns"), SPLIT_TEXTS)))
def test_whatever_is_repeated_nothing_measured_is_learned_from(planted: dict[str, list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        for name in ("train", "dev", "test", "general"):
            write_csv(
                data / f"{name}.csv",
                [
                    {"id": f"{name} {number}", "text": text, "label": "neutral"}
                    for number, text in enumerate([f"only in {name}", *planted[name]])
                ],
            )
        write_jsonl(data / "read.jsonl", [{"text": text} for text in [*planted["read"], "only here"]])
        calls = [
            {"id": str(number), "label": "neutral", "turns": [{"text": one}, {"text": other}]}
            for number, (one, other) in enumerate(itertools.pairwise([*planted["turns"], "call me", "bye bye"]))
        ]
        write_jsonl(data / "calls.jsonl", calls)
        sources = (
            Source(
                name="ours", role="domain", train=("train.csv",), dev=("dev.csv",), test=("test.csv",), sample_share=0.3
            ),
            Source(name="other", role="general", train=("general.csv",), test_share=0.5),
            Source(name="calls", role="calls", train=("calls.jsonl",), turns="turns", test_share=0.5),
            Source(name="unread", role="unlabelled", train=("read.jsonl",)),
        )
        loaded = corpus.load(Config(data=data, sources=sources))
    learned = [corpus.text_key(example.text) for example in loaded.trained_on]
    learned += map(corpus.text_key, loaded.unlabelled)
    measured = [corpus.text_key(example.text) for example in loaded.measured_on]
    turns = {corpus.text_key(line) for call in loaded.calls for line in call.text.splitlines()}
    assert len({*learned, *measured}) == len(learned) + len(measured)
    assert turns.isdisjoint(map(corpus.text_key, loaded.unlabelled))
    # Nothing else is lost: what was written is somewhere, but for conversations cut into turns.
    written = {corpus.text_key(text) for name in ("train", "dev", "test", "general", "read") for text in planted[name]}
    assert written <= {*learned, *measured, *turns}


# Of the public sets, in the order of the rows: a model that was trained on one split is measured on no other.
SPLITS = {
    "domain_train": (7_757, "0ece30ba6bca8bb411363bf62110cd2e9ff59d3b517d138fdb0dd469ce313471"),
    "domain_sample": (746, "41fd6e370129e231cb243c2a83761d7d0a245965c57de6e72bfe4b01e0dbe5a8"),
    "domain_dev": (1_447, "0bf330edf11e1514c081af6a81359800e453479982d84542169c7b65e1d5761d"),
    "domain_test": (1_448, "7302ba0468b5365e0710c734937b9d708190e054af2a8642b859666d055122e5"),
    "general_train": (44_317, "45261868d977441fb0520fe5f4e841ba527e32ef5e9590db7b92fa6f8d391950"),
    "general_test": (5_038, "9e0a40d9df3d59d3e6ae61b0909cbb92e665bfb37d7c842b2070b8a3e19e2219"),
}


@pytest.mark.skipif(not PUBLIC_DATA.is_dir(), reason="the public data sets are not there")
def test_the_public_sets_are_split_as_ever() -> None:
    shipped = config.read(CONFIGS / "shipped.toml").model_copy(update={"data": PUBLIC_DATA})
    loaded = corpus.load(shipped)
    for split, expected in SPLITS.items():
        ids = [example.id for example in getattr(loaded, split)]
        assert (len(ids), hashlib.sha256("\n".join(ids).encode()).hexdigest()) == expected, split
    assert (loaded.name, loaded.general_name) == ("airline", "semeval")
    assert len(loaded.unlabelled) > 40_000
    assert len(loaded.calls) > 300
    described = statistics.describe(shipped, loaded)
    assert described["splits"]["domain_test"]["labels"] == {"negative": 938, "neutral": 277, "positive": 233}
    # The samples are what the demo shows: no model learned from them.
    shown = {row["id"] for row in committed()}
    assert shown == {example.id for example in loaded.domain_sample + loaded.domain_dev}
