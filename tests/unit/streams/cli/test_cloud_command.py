"""`edgewise cloud check` and `edgewise cloud calibrate`, before a real server."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from schemas.errors import UsageError
from streams.cli import main as cli
from streams.cli.cloud_report import SAMPLE_LABELS, SAMPLES
from tests.asked import completion
from tests.http_server import Handler, Request, Server, answer, hang, serve

KEY = "hush-hush-4711"


def run(server: Server, monkeypatch: pytest.MonkeyPatch, *arguments: str, **settings: str) -> Result:
    given: Mapping[str, str] = {"backend": "openai", "url": server.url, "model_name": "m", "api_key": KEY} | settings
    for name, value in given.items():
        monkeypatch.setenv(f"EDGEWISE_CLOUD_{name.upper()}", value)
    return CliRunner().invoke(cli.app, ["cloud", *arguments])


def judge(handler: Handler, request: Request) -> None:
    """Is right about the samples, and says so with great confidence."""
    text = request.body["messages"][-1]["content"]
    found = next((i for i, sample in enumerate(SAMPLES) if sample in text), None)
    index = 0 if found is None else ("negative", "neutral", "positive").index(SAMPLE_LABELS[found])
    p = [0.98 if i == index else 0.01 for i in range(3)]
    answer(completion(p, model=f"{request.body['model']}-20260101"))(handler, request)


def test_check_tells_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(judge) as server:
        done = run(server, monkeypatch, "check", model_name="gpt-4o-mini")
    assert done.exit_code == 0
    shown = {line.split("  ")[0]: line.split("  ")[-1].strip() for line in done.output.splitlines()}
    assert shown["reachable"] == "yes"
    assert shown["authorised"] == "yes"
    assert shown["model"] == "gpt-4o-mini-20260101@fp_1"
    assert shown["capabilities"] == "log-probabilities of a single token"
    assert shown["answered"] == "10 of 10 texts, 10 as a person would"
    assert shown["tokens"] == "1,010, of these 0 from its cache"
    assert shown["dollars"] == "0.000156 (measured), or 0.0156 for 1,000 texts"
    assert shown["price"].startswith(
        "0.15 in, 0.60 out, 0.075 cached dollars for a million tokens (gpt-4o-mini, as of 20"
    )
    assert "ms median" in shown["latency"]
    assert len(server.requests) == len(SAMPLES)


def test_check_tells_whose_price_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(answer(completion(model="m"), x_litellm_response_cost="0.000003")) as server:
        own = run(server, monkeypatch, "check").output.splitlines()[-2:]
    assert own == [
        "dollars       0.000030 (measured), or 0.0030 for 1,000 texts",
        "price         the service's own: it says what each answer costs",
    ]
    with serve(answer(completion(model="m"))) as server:
        assumed = run(server, monkeypatch, "check").output.splitlines()[-1]
    assert assumed.endswith("assumed: no price book knows this model (EDGEWISE_PRICES)")


def test_check_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(answer({}, 401)) as server:
        done = run(server, monkeypatch, "check", "--json")
    assert done.exit_code == 1
    report = json.loads(done.output)
    assert (report["reachable"], report["authorised"], report["answered"]) == (True, False, 0)
    (problem,) = report["problems"]
    assert "EDGEWISE_CLOUD_API_KEY" in problem
    assert KEY not in done.output
    assert len(server.requests) == 1
    done = run(server, monkeypatch, "check")  # which has ended
    assert done.exit_code == 1
    assert "cannot be reached" in done.output
    assert [line.split()[-1] for line in done.output.splitlines()[1:3]] == ["no", "unknown"]


def test_check_is_done_soon_when_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.cli.cloud_report.LEAST_DEADLINE_S", 0.05)
    with serve(hang) as server:
        monkeypatch.setenv("EDGEWISE_CLOUD_DEADLINE_MS", "50")
        done = run(server, monkeypatch, "check")
    assert done.exit_code == 1
    assert "did not answer within the deadline" in done.output
    assert len(server.requests) < len(SAMPLES)


def test_check_ends_after_a_minute_without_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.cli.cloud_report.LEAST_DEADLINE_S", 0.05)
    monkeypatch.setattr("streams.cli.cloud_report.PATIENCE_S", 0.1)
    with serve(hang) as server:
        done = run(server, monkeypatch, "check", deadline_ms="50")
    assert done.exit_code == 1
    assert len(server.requests) <= 2


@pytest.mark.parametrize(
    ("status", "error", "authorised"),
    [(403, {}, "no"), (404, {}, "unknown"), (429, {"code": "insufficient_quota"}, "unknown"), (422, {}, "yes")],
)
def test_check_tells_a_wrong_key_from_a_wrong_model(
    monkeypatch: pytest.MonkeyPatch, status: int, error: dict[str, str], authorised: str
) -> None:
    with serve(answer({"error": error}, status)) as server:
        done = run(server, monkeypatch, "check")
    assert [line.split()[-1] for line in done.output.splitlines()[1:3]] == ["yes", authorised]


def test_check_asks_the_process_beside_the_worker_too() -> None:
    done = CliRunner().invoke(cli.app, ["cloud", "check", "--json"])
    report = json.loads(done.output)
    assert done.exit_code == 0
    assert report["answered"] == len(SAMPLES)
    assert report["model"].startswith("cloud@")


def labelled(path: Path, n: int, wrong: int) -> Path:
    """`n` texts, of which the judge is wrong about every `wrong`th."""
    rows = [{"body": f"text {i}", "stars": "neutral" if i % wrong == 0 else "negative"} for i in range(n)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_calibrate_takes_away_confidence_that_is_not_earned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, output = labelled(tmp_path / "labelled.jsonl", 120, 4), tmp_path / "made.json"
    columns = ("--text-column", "body", "--label-column", "stars")
    with serve(judge) as server:
        done = run(server, monkeypatch, "calibrate", str(file), "-o", str(output), "--limit", "100", *columns)
        assert done.exit_code == 0, done.output
        made = json.loads(output.read_text())
        assert len(server.requests) == 100
        assert (made["model"], made["fingerprint"], made["texts"]) == ("m-20260101", "fp_1", 100)
        assert made["accuracy"] == 0.75
        assert made["loss_after"] < made["loss_before"]
        # What is best for 75 right of 100 and p = (x, y, y): x near 0.75, short of it for y counts too.
        roots = [value ** (1 / made["temperature"]) for value in (0.98, 0.01, 0.01)]
        assert 0.6 < roots[0] / sum(roots) < 0.8
        done = run(server, monkeypatch, "check", calibration=str(output))
        assert done.exit_code == 0
    assert math.isfinite(made["temperature"])


@pytest.mark.parametrize(("second", "made"), [(10, True), (20, False)])
def test_calibrate_is_for_the_version_that_answers_most(
    second: int, made: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, output = labelled(tmp_path / "labelled.jsonl", 40, 4), tmp_path / "made.json"
    columns = ("--text-column", "body", "--label-column", "stars")
    other = answer(completion(model="m", system_fingerprint="fp_2"))
    with serve(*[other] * second, answer(completion(model="m"))) as server:
        done = run(server, monkeypatch, "calibrate", str(file), "-o", str(output), *columns)
    assert output.exists() == made
    if made:
        assert json.loads(output.read_text())["fingerprint"] == "fp_1"
        assert "from 30 texts (0 without an answer, 10 by another version)" in done.output
    else:
        assert "2 models answered (m@fp_1, m@fp_2)" in str(done.exception)


def test_calibrate_pays_nothing_for_what_it_cannot_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = labelled(tmp_path / "labelled.jsonl", 40, 4)
    columns = ("--text-column", "body", "--label-column", "stars", "-o", str(tmp_path / "none" / "made.json"))
    with serve(judge) as server:
        done = run(server, monkeypatch, "calibrate", str(file), *columns)
    assert "can't be written" in str(done.exception)
    assert not server.requests


def test_calibrate_refuses_what_it_cannot_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = labelled(tmp_path / "labelled.jsonl", 40, 4)
    with serve(answer({}, 401)) as server:
        refused = run(server, monkeypatch, "calibrate", str(file), "--text-column", "body")
        assert isinstance(refused.exception, UsageError)
        assert "line 1: the label in column 'label' is missing" in str(refused.exception)
        assert not server.requests
        columns = ("--text-column", "body", "--label-column", "stars", "-o", str(tmp_path / "made.json"))
        failed = run(server, monkeypatch, "calibrate", str(file), *columns)
        assert "no text was answered" in str(failed.exception)
        assert "EDGEWISE_CLOUD_API_KEY" in str(failed.exception)
    assert not (tmp_path / "made.json").exists()
    for name in ("URL", "API_KEY", "MODEL_NAME"):
        monkeypatch.delenv(f"EDGEWISE_CLOUD_{name}")
    monkeypatch.setenv("EDGEWISE_CLOUD_BACKEND", "onnx")
    refused = CliRunner().invoke(cli.app, ["cloud", "calibrate", str(file), *columns])
    assert "its artifact has a temperature of its own" in str(refused.exception)
