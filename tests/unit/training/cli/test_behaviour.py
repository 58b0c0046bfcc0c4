"""`edgewise train behaviour`: what it prints, what it records, and when it fails."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.tiny_artifact import tiny_artifact
from training import cli
from training.data.suite import KINDS, SUITE
from training.measure import baseline
from training.measure.baseline import FallError
from training.report import behaviour_table


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("artifacts")
    edge, cloud = tiny_artifact(folder), tiny_artifact(folder, "cloud", confidence_threshold=None)
    return ["--edge", str(edge), "--cloud", str(cloud), "--threads", "1"]


def call(*arguments: str) -> str:
    result = CliRunner().invoke(cli.app, ["behaviour", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_recorded_baseline_is_held_and_a_worse_model_fails(models: list[str], tmp_path: Path) -> None:
    path = tmp_path / "before.json"
    printed = call(*models, "--record", str(path))
    rows = [line.split(" | ")[0] for line in printed.splitlines()]
    assert rows[2:] == [f"| {kind.replace('_', ' ')}" for kind in KINDS] + ["| mean of kinds", "| all items"]
    assert printed.splitlines()[0].count(" right") == 3
    assert call(*models, "--baseline", str(path)) == printed
    worse = tiny_artifact(tmp_path, "edge", {"the": 1.0, "my": 1.0, "is": 1.0})
    with pytest.raises(FallError, match=r"^worse than the baseline on the behaviour suite: edge: overall lost \d+ of"):
        call(*models, "--edge", str(worse), "--baseline", str(path), "--model", "edge")


def test_json_has_what_the_table_has_and_the_falls(models: list[str], tmp_path: Path) -> None:
    path = tmp_path / "before.json"
    call(*models, "--record", str(path))
    found = json.loads(call(*models, "--baseline", str(path), "--json"))
    assert found == baseline.read(path) | {"falls": []}


def test_the_suite_s_page_has_the_table_that_is_printed_of_the_shipped_models() -> None:
    page = (SUITE / "README.md").read_text("utf-8")
    assert behaviour_table.table_of(baseline.read()) in page


def test_the_shipped_models_hold_the_shipped_baseline() -> None:
    head, _, *rows = call("--model", "edge").splitlines()
    assert head == "| kind | items | edge: right | wrong and sure |"
    recorded = baseline.read()["models"]["edge"]["kinds"]["plain_complaint"]
    assert f"| plain complaint | {recorded['items']} | {recorded['accuracy']:.2f} (" in rows[0]
