"""`edgewise score` by a cloud that is a service: its answers, its failures, and what both cost."""

import asyncio
from pathlib import Path

import pytest

from streams.config.settings import Settings
from streams.files.recording import Row
from streams.files.score import Model, build_scorer, score_rows
from streams.files.scored_rows import ScoredRow, Summary
from tests.asked import completion
from tests.http_server import Fault, answer, serve
from tests.tiny_artifact import tiny_artifact

UNSURE = "works meh a b c d"
PRICE = 100 * 2e-6 + 10e-6  # of a completion's tokens


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It is unsure of `UNSURE`."""
    return tiny_artifact(tmp_path_factory.mktemp("edge"), "edge")


@pytest.fixture(autouse=True, scope="module")
def prices(edge: Path) -> Path:
    """Of the model that is asked."""
    file = edge.parent / "prices.toml"
    file.write_text('dated = 2026-01-31\n[[price]]\nmodel = "judge-1"\ninput = 2\noutput = 10\n')
    return file


def scored(edge: Path, model: Model, fault: Fault, texts: list[str]) -> list[ScoredRow]:
    with serve(fault) as server:
        settings = Settings(
            edge_model=str(edge),
            random_cloud_rate=0.0,
            confidence_threshold=0.7,
            cloud_backend="openai",
            cloud_url=server.url,
            cloud_model_name="judge-1",
            prices=str(edge.parent / "prices.toml"),
        )
        rows = (Row(number, number, {"text": text}, text) for number, text in enumerate(texts, 1))
        scorer = build_scorer(settings, model)
        return list(score_rows(rows, scorer, max_text_chars=100, recording="", columns={}))


def test_the_line_asks_the_service_for_what_is_deferred(edge: Path) -> None:
    kept, deferred = scored(edge, "line", answer(completion()), ["great", UNSURE])
    assert (kept["route"], kept["cost_usd"]) == ("edge", 0.001)
    assert (deferred["route"], deferred["sentiment"], deferred["reason"]) == ("cloud", "negative", "low_confidence")
    assert deferred["cost_usd"] == pytest.approx(0.001 + PRICE)


def test_what_the_service_does_not_answer_keeps_the_edges_answer(edge: Path) -> None:
    (row,) = scored(edge, "line", answer(completion((0.1, 0.1, 0.1))), [UNSURE])
    assert (row["route"], row["reason"], row["sentiment"]) == ("edge", "cloud_error", "neutral")
    assert row["confidence"] < 0.7
    assert row["cost_usd"] == pytest.approx(0.001 + PRICE), "it has been paid for"


def test_by_the_cloud_alone_it_has_no_answer_and_a_cost(edge: Path) -> None:
    rows = scored(edge, "cloud", answer(completion((0.1, 0.1, 0.1))), [UNSURE])
    assert (rows[0]["sentiment"], rows[0]["route"], rows[0]["reason"]) == (None, None, "cloud_error")
    summary = Summary()
    list(summary.counting(rows))
    assert summary.cost_nanos == pytest.approx(PRICE * 1e9)
    assert "not scored: cloud_error 1" in "\n".join(summary.lines())


def test_a_notebook_s_cell_runs_in_a_loop(edge: Path) -> None:
    async def cell() -> list[ScoredRow]:
        return scored(edge, "cloud", answer(completion()), [UNSURE, UNSURE])

    assert [row["sentiment"] for row in asyncio.run(cell())] == ["negative", "negative"]
