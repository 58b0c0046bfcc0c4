"""`edgewise score`'s logic: what each row gets, in which order, and what becomes of awkward rows."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from models.artifact import ArtifactError, load_artifact
from models.classifier import Classifier
from models.router import policy, random_draw
from schemas.errors import UsageError
from streams.config.settings import Settings
from streams.files import writing
from streams.files.recording import Row
from streams.files.score import FIELDS, Answer, build_scorer, score_rows
from streams.files.writing import CHUNK, write_csv, write_jsonl
from tests.tiny_artifact import tiny_artifact


def rows(*fields: Mapping[str, object]) -> list[Row]:
    return [Row(number, number, row, str(row["text"])) for number, row in enumerate(fields, 1)]


def edge(_ids: Sequence[str], texts: Sequence[str]) -> list[Answer]:
    """Calls a text negative when it says so."""
    return [([0.7, 0.2, 0.1] if "bad" in text else [0.1, 0.2, 0.7], "edge", "optimal_edge") for text in texts]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("models")
    return Settings(
        edge_model=str(tiny_artifact(folder)),
        # The cloud knows words that the edge does not, so that who answered shows.
        cloud_model=str(
            tiny_artifact(folder, "cloud", {"meh": -1, "great": 1, "awful": -1}, confidence_threshold=None)
        ),
        random_cloud_rate=0.0,
        confidence_threshold=0.7,
    )


def test_fields_follow_the_inputs_in_order() -> None:
    (row,) = score_rows(rows({"id": "7", "text": "bad", "note": ""}), edge)
    assert list(row) == ["id", "text", "note", *FIELDS]
    assert row == {
        "id": "7",
        "text": "bad",
        "note": "",
        "sentiment": "negative",
        "confidence": 0.7,
        "negative": 0.7,
        "neutral": 0.2,
        "positive": 0.1,
        "route": "edge",
        "reason": "optimal_edge",
    }


def test_an_input_field_with_a_results_name_is_kept_under_another() -> None:
    (row,) = score_rows(
        rows({"confidence": "0.3", "text": "bad", "reason": "r", "input_reason": "x", "label": "positive"}), edge
    )
    assert list(row) == ["input_confidence", "text", "input_input_reason", "input_reason", "label", *FIELDS]
    assert (row["input_confidence"], row["input_input_reason"], row["input_reason"]) == ("0.3", "r", "x")
    assert (row["confidence"], row["reason"], row["label"]) == (0.7, "optimal_edge", "positive")


def test_an_empty_text_is_not_scored_and_says_so() -> None:
    asked: list[str] = []

    def scorer(ids: Sequence[str], texts: Sequence[str]) -> list[Answer]:
        asked.extend(texts)
        return edge(ids, texts)

    first, second, third = score_rows(rows({"text": "bad"}, {"text": " \t"}, {"text": "good"}), scorer)
    assert asked == ["bad", "good"]
    assert (first["sentiment"], third["sentiment"]) == ("negative", "positive")
    assert {name: second[name] for name in FIELDS} == dict.fromkeys(FIELDS) | {"reason": "empty_text"}


def test_order_is_kept_over_chunks_and_no_more_than_a_chunk_is_held() -> None:
    n = 2 * CHUNK + 7
    taken = 0

    def source() -> Iterator[Row]:
        nonlocal taken
        for number in range(1, n + 1):
            taken = number
            text = "bad" if number % 3 else "good"
            yield Row(number, number, {"id": number, "text": text}, text)

    scored = score_rows(source(), edge)
    for number, row in enumerate(scored, 1):
        assert taken <= number + CHUNK
        assert (row["id"], row["sentiment"]) == (number, "negative" if number % 3 else "positive")
    assert taken == n


def test_the_random_sample_is_drawn_by_the_events_id() -> None:
    asked: list[str] = []

    def scorer(ids: Sequence[str], texts: Sequence[str]) -> list[Answer]:
        asked.extend(ids)
        return edge(ids, texts)

    given = rows(
        {"text": "a", "event_id": "e", "id": 5}, {"text": "b", "id": 5}, {"text": "c", "id": ""}, {"text": "d"}
    )
    list(score_rows(given, scorer))
    assert asked == ["e", "5", "3", "4"]


def test_edge_and_cloud_answer_everything_without_a_reason(settings: Settings) -> None:
    given = rows({"text": "meh"}, {"text": "great"})
    edge_rows = list(score_rows(given, build_scorer(settings, "edge")))
    cloud_rows = list(score_rows(given, build_scorer(settings, "cloud")))
    assert [(r["sentiment"], r["route"], r["reason"]) for r in edge_rows] == [
        ("neutral", "edge", None),
        ("positive", "edge", None),
    ]
    assert [(r["sentiment"], r["route"], r["reason"]) for r in cloud_rows] == [
        ("negative", "cloud", None),
        ("positive", "cloud", None),
    ]


def test_the_line_sends_what_the_router_defers_to_the_cloud(settings: Settings) -> None:
    # "works" is half a word of praise: the edge is unsure of it among other tokens; "ok" it is sure of.
    texts = ["great", "works meh a b c d", "meh", "ok"]
    scored = list(score_rows(rows(*({"text": text} for text in texts)), build_scorer(settings, "line")))
    assert [(r["sentiment"], r["route"], r["reason"]) for r in scored] == [
        ("positive", "edge", "optimal_edge"),
        ("negative", "cloud", "low_confidence"),
        ("neutral", "edge", "optimal_edge"),
        ("neutral", "edge", "optimal_edge"),
    ]
    cloud = Classifier(load_artifact(settings.cloud_model)).score([texts[1]])[0]
    assert scored[1]["confidence"] == pytest.approx(float(cloud.max()), abs=1e-6)


def test_the_line_draws_the_workers_random_sample(settings: Settings) -> None:
    every = settings.model_copy(update={"random_cloud_rate": 0.5})
    ids = [f"e{i}" for i in range(50)]
    scored = score_rows(rows(*({"id": i, "text": "great"} for i in ids)), build_scorer(every, "line"))
    assert [r["reason"] for r in scored] == ["random_cloud" if random_draw(i) < 0.5 else "optimal_edge" for i in ids]
    assert policy("default", calibrated_threshold=0.6).random_cloud_rate == 0.02


def test_a_missing_model_is_refused_before_any_row(settings: Settings) -> None:
    with pytest.raises(ArtifactError, match="no-such-model"):
        build_scorer(settings.model_copy(update={"cloud_model": "no-such-model"}), "line")


def test_jsonl_keeps_types_and_unicode() -> None:
    out = io.StringIO()
    write_jsonl(score_rows(rows({"text": "schön \U0001f600", "n": 3, "deep": {"a": [1, None]}}), edge), out)
    assert "schön \U0001f600" in out.getvalue()
    row = json.loads(out.getvalue())
    assert (row["n"], row["deep"], row["negative"]) == (3, {"a": [1, None]}, 0.1)


def test_half_a_surrogate_pair_can_be_written() -> None:
    given = rows({"text": "bad \ud83d"})
    out = io.StringIO()
    write_jsonl(score_rows(given, edge), out)
    assert json.loads(out.getvalue().encode())["text"] == "bad \ud83d"
    out = io.StringIO()
    write_csv(score_rows(given, edge), out, FIELDS)
    assert "bad ?" in out.getvalue().encode().decode()


def test_csv_reads_back_with_awkward_cells() -> None:
    awkward = 'a, "quoted"\nline'
    out = io.StringIO()
    write_csv(score_rows(rows({"text": awkward, "tags": ["x"]}, {"text": "bad", "more": None}), edge), out, FIELDS)
    first, second = csv.DictReader(io.StringIO(out.getvalue(), newline=""))
    assert list(first) == ["text", "tags", "more", *FIELDS]
    assert (first["text"], json.loads(first["tags"]), first["sentiment"]) == (awkward, ["x"], "positive")
    assert (second["tags"], second["more"], second["sentiment"]) == ("", "", "negative")


def test_a_field_that_comes_after_the_csv_header_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "CHUNK", 2)
    given = rows({"text": "a"}, {"text": "b"}, {"text": "c", "late": 1})
    with pytest.raises(UsageError, match="row 3 has the field 'late'") as raised:
        write_csv(score_rows(given, edge), io.StringIO(), FIELDS)
    assert "\n" not in str(raised.value)


def test_scoring_needs_no_kafka() -> None:
    import subprocess
    import sys

    heavy = ("confluent_kafka", "aiokafka", "faust")
    code = f"import sys, streams.files.score; print(*[m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[4]
    )
    assert done.stdout.strip() == ""
