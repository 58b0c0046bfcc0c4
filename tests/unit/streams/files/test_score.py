"""`edgewise score`'s logic: what each row gets, in which order, and what becomes of awkward rows."""

import asyncio
import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import pytest

from models.artifact import ArtifactError, load_artifact
from models.classifier import Classifier
from models.cloud import Answer as CloudAnswer
from models.cloud import Question
from models.doubt import MOST_SURE
from models.redaction import NoRedaction, Redacted
from models.residency import local_rule
from models.router import policy, random_draw
from models.spending import Spending
from schemas.codec import Codec
from schemas.errors import UsageError
from schemas.records import TranscriptEvent
from schemas.topics import TRANSCRIPTS
from streams.agents.edge import EdgeAgent
from streams.config.settings import Settings
from streams.files import score, writing
from streams.files.cloud_answers import CloudScorer
from streams.files.identity import event_id_of
from streams.files.recorded_event import recorded_events
from streams.files.recording import Row, digest, read_recording
from streams.files.score import FIELDS, Answer, Model, Scorer, Turn, build_scorer, score_rows
from streams.files.scored_rows import ScoredRow, Summary
from streams.files.writing import CHUNK, write_csv, write_jsonl
from tests.events import TRANSCRIPT, consumer_record
from tests.tiny_artifact import tiny_artifact, write_manifest

NOW_MS = 1_700_000_000_000


def rows(*fields: Mapping[str, object]) -> list[Row]:
    return [Row(number, number, row, str(row["text"])) for number, row in enumerate(fields, 1)]


def scored_by(
    scorer: Scorer, given: Iterable[Row], columns: Mapping[str, str] = MappingProxyType({})
) -> Iterator[ScoredRow]:
    return score_rows(given, scorer, max_text_chars=100, recording="digest", columns=columns)


def edge(turns: Sequence[Turn]) -> list[Answer]:
    """Calls a text negative when it says so."""
    return [
        Answer([0.7, 0.2, 0.1] if "bad" in turn.text else [0.1, 0.2, 0.7], "edge", "optimal_edge", 0.001, 0.0136)
        for turn in turns
    ]


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
    (row,) = scored_by(edge, rows({"id": "7", "text": "bad", "note": ""}))
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
        "cost_usd": 0.001,
        "cloud_only_cost_usd": 0.0136,
    }


def test_an_input_field_with_a_results_name_is_kept_under_another() -> None:
    given = rows({"confidence": "0.3", "text": "bad", "reason": "r", "input_reason": "x", "label": "positive"})
    (row,) = scored_by(edge, given)
    assert list(row) == ["input_confidence", "text", "input_input_reason", "input_reason", "label", *FIELDS]
    assert (row["input_confidence"], row["input_input_reason"], row["input_reason"]) == ("0.3", "r", "x")
    assert (row["confidence"], row["reason"], row["label"]) == (0.7, "optimal_edge", "positive")


def test_what_a_worker_refuses_is_not_scored_and_says_why() -> None:
    asked: list[str] = []

    def scorer(turns: Sequence[Turn]) -> list[Answer]:
        asked.extend(turn.text for turn in turns)
        return edge(turns)

    given = [
        *rows(
            {"text": "bad"}, {"text": " \t"}, {"text": "\u200b\x00"}, {"text": "x" * 101},
            {"text": "a", "id": "i" * 257}, {"text": "b", "conversation_id": "i" * 257}, {"text": "x" * 100},
        ),
        Row(8, 8, {"text": False}, "", is_text=False),
    ]  # fmt: skip
    found = list(scored_by(scorer, given))
    assert asked == ["bad", "x" * 100]
    assert [row["reason"] for row in found] == [
        "optimal_edge", "empty_text", "empty_text", "text_too_long", "invalid_id", "invalid_id", "optimal_edge",
        "not_a_text",
    ]  # fmt: skip
    assert {name: found[1][name] for name in FIELDS} == dict.fromkeys(FIELDS) | {"reason": "empty_text"}


def test_the_worker_gives_the_same_reasons(settings: Settings) -> None:
    texts = ["fine", "", " \u2060", "&nbsp;", "🇩🇪", "\x00", "x" * 32_768, "x" * 32_769, "\u3164", "😀", "\u2800"]
    scored = score_rows(
        rows(*({"text": text} for text in texts)), edge,
        max_text_chars=settings.max_text_chars, recording="", columns={},
    )  # fmt: skip
    codec = Codec[TranscriptEvent](TRANSCRIPTS)
    records = [
        consumer_record(codec.encode(replace(TRANSCRIPT, text=text)), topic="transcripts", offset=i)
        for i, text in enumerate(texts)
    ]
    artifact = load_artifact(settings.edge_model)
    agent = EdgeAgent(
        settings,
        Classifier(artifact),
        policy("article", calibrated_threshold=None),
        NoRedaction(),
        clock=lambda: NOW_MS,
    )
    refused = {
        int(headers["edgewise-offset"]): headers["edgewise-reason"].decode()
        for headers in (dict(output.headers) for output in asyncio.run(agent.process(records)))
        if "edgewise-reason" in headers
    }
    assert {i: row["reason"] for i, row in enumerate(scored) if row["sentiment"] is None} == refused


def test_order_is_kept_over_chunks_and_no_more_than_a_chunk_is_held() -> None:
    n = 2 * CHUNK + 7
    taken = 0

    def source() -> Iterator[Row]:
        nonlocal taken
        for number in range(1, n + 1):
            taken = number
            text = "bad" if number % 3 else "good"
            yield Row(number, number, {"id": number, "text": text}, text)

    scored = scored_by(edge, source())
    for number, row in enumerate(scored, 1):
        assert taken <= number + CHUNK
        assert (row["id"], row["sentiment"]) == (number, "negative" if number % 3 else "positive")
    assert taken == n


def test_the_random_sample_is_drawn_by_the_events_id() -> None:
    asked: list[str] = []

    def scorer(turns: Sequence[Turn]) -> list[Answer]:
        asked.extend(turn.event_id for turn in turns)
        return edge(turns)

    given = rows(
        {"text": "a", "event_id": "e", "id": 5}, {"text": "b", "id": 5}, {"text": "c", "id": ""}, {"text": "d"},
        {"text": "e", "id": 0, "tweet": "t"},
    )  # fmt: skip
    list(scored_by(scorer, given))
    assert asked == ["e", "5", event_id_of("digest", 3), event_id_of("digest", 4), "0"]
    asked.clear()
    list(scored_by(scorer, given[-1:], {"event_id": "tweet"}))
    assert asked == ["t"]


def test_the_ids_are_those_that_a_replay_gives(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"text": "a", "id": 0}\n{"text": "b"}\n{"id": "c", "turns": [{"text": "d"}, {"text": "e", "id": 9}]}\n'
    )
    asked: list[str] = []

    def scorer(turns: Sequence[Turn]) -> list[Answer]:
        asked.extend(turn.event_id for turn in turns)
        return edge(turns)

    sha = digest(path)
    list(score_rows(read_recording(path), scorer, max_text_chars=100, recording=sha, columns={}))
    replayed = recorded_events(read_recording(path), path, sha, {}, lambda: 0)
    assert asked == [event.event_id for _, event in replayed]


def test_edge_and_cloud_answer_everything_without_a_reason(settings: Settings) -> None:
    given = rows({"text": "meh"}, {"text": "great"})
    edge_rows = list(scored_by(build_scorer(settings, "edge"), given))
    cloud_rows = list(scored_by(build_scorer(settings, "cloud"), given))
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
    scored = list(scored_by(build_scorer(settings, "line"), rows(*({"text": text} for text in texts))))
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
    scored = scored_by(build_scorer(every, "line"), rows(*({"id": i, "text": "great"} for i in ids)))
    assert [r["reason"] for r in scored] == ["random_cloud" if random_draw(i) < 0.5 else "optimal_edge" for i in ids]
    assert policy("default", calibrated_threshold=0.6).random_cloud_rate == 0.02


def test_the_line_scores_whom_and_what_a_worker_scores(settings: Settings) -> None:
    given = rows(
        {"text": "great", "role": "bot"},
        {"text": "great", "speaker": "End-User"},
        {"text": "great", "speaker": "spk_1"},
        {"text": "Mein Paket ist nie angekommen und niemand antwortet"},
        {"text": "great", "language": "de"},
    )
    line = build_scorer(settings, "line")
    found = list(score_rows(given, line, max_text_chars=100, recording="", columns={}, roles={"spk_1": "system"}))
    reasons = ["not_scored", "optimal_edge", "not_scored", "unsupported_language", "unsupported_language"]
    assert [row["reason"] for row in found] == reasons
    assert [row["sentiment"] is None for row in found] == [True, False, True, False, False]
    assert [row["cost_usd"] for row in found] == [0.0, 0.001, 0.0, 0.001, 0.001]
    unread, read = found[3]["confidence"], found[1]["confidence"]
    assert unread == pytest.approx(MOST_SURE, abs=1e-6)
    assert isinstance(read, float)
    assert read > MOST_SURE
    skipping = build_scorer(settings.model_copy(update={"unsupported_language": "skip"}), "line")
    assert [row["sentiment"] is None for row in scored_by(skipping, given)] == [True, False, False, True, True]


@pytest.mark.parametrize("model", ["edge", "cloud", "line"])
def test_models_that_read_roles_are_told_those_of_the_rows(tmp_path: Path, model: Model) -> None:
    for name in ("edge", "cloud"):
        write_manifest(tiny_artifact(tmp_path, name, {"agent": -1}), name=name, reads_roles=True)
    told = Settings(edge_model=str(tmp_path / "edge"), cloud_model=str(tmp_path / "cloud"), random_cloud_rate=0.5)
    given = rows(*({"text": "the gate", "role": role} for role in ("agent", "customer") * 10))
    found = list(scored_by(build_scorer(told, model), given))
    assert [row["sentiment"] for row in found] == ["negative", "neutral"] * 10
    assert {row["route"] for row in found} == ({"edge", "cloud"} if model == "line" else {model})


def line_and_asked(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> tuple[Scorer, list[str]]:
    """The line, of which a cloud that answers alike is asked about all, and the texts that it is asked about."""
    asked: list[str] = []

    def scorer(_: Settings) -> CloudScorer:
        def answers(questions: Sequence[Question]) -> list[CloudAnswer]:
            asked.extend(question.text for question in questions)
            return [CloudAnswer((0.0, 0.1, 0.9), "cloud@1", Spending()) for _ in questions]

        return answers

    monkeypatch.setattr(score, "cloud_scorer", scorer)
    return build_scorer(settings.model_copy(update={"random_cloud_rate": 1.0}), "line"), asked


def test_the_cloud_of_the_line_is_asked_without_personal_data(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    line, asked = line_and_asked(monkeypatch, settings)
    given = rows(
        {"text": "your card number please?", "conversation_id": "c1", "role": "agent"},
        {"text": "my pin please?", "conversation_id": "c2", "role": "bot"},
        {"text": "great, 4111 1111 1111 1111", "conversation_id": "c1"},
        {"text": "8256", "conversation_id": "c2"},
        {"text": "your card number please?"},
        {"text": "8256"},
    )
    list(scored_by(line, given))
    # What a bot asks is not scored, and tells what the answer is all the same.
    assert asked == [
        "your card number please?", "great, [CARD_1]", "[PIN_1]", "your card number please?", "[REFERENCE_1]",
    ]  # fmt: skip
    unredacted, asked = line_and_asked(monkeypatch, settings.model_copy(update={"redaction": "off"}))
    list(scored_by(unredacted, given))
    assert asked[1] == "great, 4111 1111 1111 1111"


def test_a_text_that_is_of_no_conversation_is_read_by_itself(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    line, asked = line_and_asked(monkeypatch, settings)
    same = {"text": "what is your pin? 8256", "id": "the same"}
    list(scored_by(line, rows(same, same, {"text": "great", "id": "the same"})))
    list(scored_by(line, rows(same)))
    assert asked == [asked[0], asked[0], "great", asked[0]]


def test_what_a_rule_of_residency_names_stays_on_the_edge(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    tables: list[dict[str, object]] = [
        {"kinds": ["CARD"]},
        {"channels": ["email"], "roles": ["customer"]},
        {"languages": ["en"], "sources": ["crm"]},
        {"sources": ["calls.csv"], "attributes": {"region": ["eu"]}},
    ]
    local = settings.model_copy(update={"sensitive_local": tuple(local_rule(table) for table in tables)})
    line, asked = line_and_asked(monkeypatch, local)
    kept = [
        {"text": "great, 4111 1111 1111 1111"},
        {"text": "great a", "channel": "email", "role": "customer"},
        {"text": "great b", "language": "en-GB", "source": "crm"},
        {"text": "great c", "region": "eu"},
    ]
    leave = [{"text": "great d", "channel": "email"}, {"text": "great e", "region": "us"}]
    given = rows(*kept, *leave)
    found = list(score_rows(given, line, max_text_chars=100, recording="digest", columns={}, source="calls.csv"))
    assert [row["reason"] for row in found] == ["sensitive_local"] * 4 + ["random_cloud"] * 2
    assert [row["route"] for row in found] == ["edge"] * 4 + ["cloud"] * 2
    assert asked == ["great d", "great e"]


def test_what_cannot_be_redacted_stays_on_the_edge(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    class Fails(NoRedaction):
        def redact(self, conversation_id: str, text: str) -> Redacted:
            if "bad" in text:
                raise ValueError(text)
            return super().redact(conversation_id, text)

    monkeypatch.setattr(score, "build_redaction", lambda _: Fails())
    line, asked = line_and_asked(monkeypatch, settings)
    found = list(scored_by(line, rows({"text": "great"}, {"text": "bad luck"}, {"text": "bad"})))
    assert [row["reason"] for row in found] == ["random_cloud", "sensitive_local", "sensitive_local"]
    assert asked == ["great"]
    assert [record.getMessage() for record in caplog.records] == [
        "2 texts stay on the edge, because their redaction failed: ValueError"
    ]


def test_a_missing_model_is_refused_before_any_row(settings: Settings) -> None:
    with pytest.raises(ArtifactError, match="no-such-model"):
        build_scorer(settings.model_copy(update={"cloud_model": "no-such-model"}), "line")


def test_jsonl_keeps_types_and_unicode() -> None:
    out = io.StringIO()
    write_jsonl(scored_by(edge, rows({"text": "schön \U0001f600", "n": 3, "deep": {"a": [1, None]}})), out)
    assert "schön \U0001f600" in out.getvalue()
    row = json.loads(out.getvalue())
    assert (row["n"], row["deep"], row["negative"]) == (3, {"a": [1, None]}, 0.1)


def test_costs_are_the_routes_and_add_up(settings: Settings) -> None:
    given = rows({"text": "great"}, {"text": "works meh a b c d"}, {"text": ""}, {"text": "ok"})
    summary = Summary()
    costs = {}
    for model in ("edge", "cloud", "line"):
        summary = Summary()
        found = summary.counting(scored_by(build_scorer(settings, model), given))
        costs[model] = [(row["cost_usd"], row["cloud_only_cost_usd"]) for row in found]
    assert costs == {
        "edge": [(0.001, 0.0136), (0.001, 0.0136), (None, None), (0.001, 0.0136)],
        "cloud": [(0.0136, 0.0136), (0.0136, 0.0136), (None, None), (0.0136, 0.0136)],
        "line": [(0.001, 0.0136), (0.0146, 0.0136), (None, None), (0.001, 0.0136)],
    }
    assert summary.lines() == [
        "3 of 4 rows scored",
        "  not scored: empty_text 1",
        "  negative 1 (33.3%), neutral 1 (33.3%), positive 1 (33.3%)",
        "  edge 2 (66.7%), cloud 1 (33.3%)",
        "  cost $0.0166; with the cloud alone $0.0408: 59.3% saved",
    ]
    assert Summary().lines() == ["0 of 0 rows scored"]


def test_what_is_no_number_is_null(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "bad", "csat": NaN, "deep": {"a": [1, -Infinity]}}\n{"text": NaN, "csat": 1e999}\n')
    for write in (write_jsonl, partial(write_csv, added=FIELDS)):
        out = io.StringIO()
        write(scored_by(edge, read_recording(path)), out)
        for word in ("NaN", "Infinity", "nan", "inf"):
            assert word not in out.getvalue()
    out = io.StringIO()
    write_jsonl(scored_by(edge, read_recording(path)), out)
    first, second = map(json.loads, out.getvalue().splitlines())
    assert (first["csat"], first["deep"], first["sentiment"]) == (None, {"a": [1, None]}, "negative")
    assert (second["text"], second["csat"], second["reason"]) == (None, None, "not_a_text")


def test_the_summary_compares_with_the_vendors_sentiment() -> None:
    given = rows(
        {"text": "bad", "attributes": {"vendor_sentiment": "NEGATIVE"}},
        {"text": "bad", "vendor_sentiment": 0.9},
        {"text": "bad", "vendor_sentiment": "MIXED"},
        {"text": "", "vendor_sentiment": "NEGATIVE"},
        {"text": "fine"},
    )
    summary = Summary()
    assert [row["sentiment"] for row in summary.counting(scored_by(edge, given))][:3] == ["negative"] * 3
    assert "the vendor's sentiment is ours in 50.0% of 2 rows" in summary.lines()[-1]
    header, *lines = summary.table()
    assert header[-2:] == ("vendor's", "same as vendor's")
    assert [(line[0], *line[-2:]) for line in lines] == [("unknown", "2", "50.0%"), ("all", "2", "50.0%")]


def test_the_summarys_table_keeps_roles_apart() -> None:
    given = rows({"text": "bad", "role": "Caller"}, {"text": "", "speaker": "agent"}, {"text": "fine", "role": "agent"})
    summary = Summary()
    list(summary.counting(scored_by(edge, given)))
    agent, customer, every = summary.table()[1:]
    assert (agent[:3], customer[:4], every[:3]) == (
        ("agent", "2", "1"), ("customer", "1", "1", "100.0%"), ("all", "3", "2"),
    )  # fmt: skip
    assert agent[-1] == "-"


def test_the_summarys_roles_are_those_by_which_rows_are_scored() -> None:
    given = rows({"text": "bad", "Speaker": "agent"}, {"text": "fine", "who": "customer"}, {"text": "", "who": "spk_0"})
    scored = score_rows(
        given, edge, max_text_chars=100, recording="digest", columns={"role": "who"}, roles={"spk_0": "bot"}
    )
    summary = Summary()
    list(summary.counting(scored))
    assert {role: each.rows for role, each in summary.by_role.items()} == {"unknown": 1, "customer": 1, "bot": 1}


def test_half_a_surrogate_pair_can_be_written() -> None:
    given = rows({"text": "bad \ud83d"})
    out = io.StringIO()
    write_jsonl(scored_by(edge, given), out)
    assert json.loads(out.getvalue().encode())["text"] == "bad \ud83d"
    out = io.StringIO()
    write_csv(scored_by(edge, given), out, FIELDS)
    assert "bad ?" in out.getvalue().encode().decode()


def test_csv_reads_back_with_awkward_cells() -> None:
    awkward = 'a, "quoted"\nline'
    out = io.StringIO()
    write_csv(scored_by(edge, rows({"text": awkward, "tags": ["x"]}, {"text": "bad", "more": None})), out, FIELDS)
    first, second = csv.DictReader(io.StringIO(out.getvalue(), newline=""))
    assert list(first) == ["text", "tags", "more", *FIELDS]
    assert (first["text"], json.loads(first["tags"]), first["sentiment"]) == (awkward, ["x"], "positive")
    assert (second["tags"], second["more"], second["sentiment"]) == ("", "", "negative")


def test_csv_reads_back_where_a_carriage_return_stands_alone(tmp_path: Path) -> None:
    """Seen to fail with csv's own quoting, which leaves one bare: the row ended there."""
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        write_csv(scored_by(edge, rows({"text": "a\rb", "no\rte": None}, {"text": "bad", "no\rte": "x"})), out, FIELDS)
    first, second = read_recording(path)
    assert (first.text, first.fields["no\rte"], first.fields["route"]) == ("a\rb", "", "edge")
    assert (second.text, second.fields["no\rte"]) == ("bad", "x")


def test_a_field_that_comes_after_the_csv_header_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "CHUNK", 2)
    given = rows({"text": "a"}, {"text": "b"}, {"text": "c", "late": 1})
    with pytest.raises(UsageError, match="row 3 has the field 'late'") as raised:
        write_csv(scored_by(edge, given), io.StringIO(), FIELDS)
    assert "\n" not in str(raised.value)


def test_scoring_needs_no_kafka() -> None:
    import subprocess
    import sys

    heavy = ("confluent_kafka", "faust")
    code = f"import sys, streams.files.score; print(*[m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[4]
    )
    assert done.stdout.strip() == ""
