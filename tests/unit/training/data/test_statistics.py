"""What a corpus is made of."""

import hashlib
import json
from pathlib import Path

from tests.unit.training.own_data import numbered, own, write_csv, write_jsonl
from training.config.sources import Source
from training.data import corpus, statistics


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
