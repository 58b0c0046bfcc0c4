"""The recordings that the demo replays: made from rows that no model learned from."""

import csv
import json
from pathlib import Path

from models.text import normalise
from training.config.config import Config
from training.data import corpus, samples

SAMPLES = Path(samples.__file__).parents[2] / "samples"


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
