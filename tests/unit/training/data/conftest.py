"""A data folder in which texts repeat each other across splits, and a configuration that reads it."""

import json
from pathlib import Path

import pytest

from tests.unit.training.own_data import TRAIN_IDS, write_csv
from training.config.config import Config
from training.config.sources import Source
from training.data import corpus


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
