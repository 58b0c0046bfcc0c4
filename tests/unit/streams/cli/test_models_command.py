"""`edgewise models`: what the words say is what the manifest says, and a wrong model is told from a whole one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from models import artifact
from models.artifact import ArtifactError
from models.classifier import Classifier
from streams.cli import main as cli
from streams.cli import model_report
from tests.tiny_artifact import tiny_artifact, write_manifest

TERMS = "code Apache-2.0; weights carry the data's terms: airline: CC BY-NC-SA 4.0; own: our own"
MANIFEST: dict[str, Any] = {
    "version": "2.3.4",
    "base": "some/base",
    "metrics": {
        "airline_dev": {"accuracy": 0.111, "rows": 10},
        "airline_test": {"accuracy": 0.8436, "macro_f1": 0.7912, "rows": 1448},
        "semeval_test": {"accuracy": 0.6, "rows": 5040},
    },
    "training": {
        "data": [
            {"name": "airline", "rows": 7757, "licence": "CC BY-NC-SA 4.0", "origin": "CrowdFlower 2015"},
            {"name": "own", "rows": 12, "licence": "our own"},
        ]
    },
    "licence": TERMS,
}


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(artifact, "ARTIFACTS", tmp_path)
    write_manifest(tiny_artifact(tmp_path, "edge"), **MANIFEST)
    tiny_artifact(tmp_path, "cloud", confidence_threshold=None)
    return tmp_path


def edgewise(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["models", *arguments])


def test_list_has_a_line_for_each(shipped: Path) -> None:
    _, cloud, edge = edgewise("list").output.splitlines()
    size = f"{(shipped / 'edge' / 'model.onnx').stat().st_size / 1e6:.1f} MB"
    for part in ("2.3.4", size, "negative, neutral, positive", "0.844 on airline_test", "CC BY-NC-SA 4.0, our own"):
        assert part in edge
    assert cloud.startswith("cloud")
    assert "not measured" in cloud
    assert cloud.endswith("code Apache-2.0")


def test_list_tells_what_is_wrong_and_goes_on(shipped: Path) -> None:
    (shipped / "cloud" / "tokenizer.json").write_text("{}")
    done = edgewise("list")
    assert done.exit_code == 0
    _, cloud, edge = done.output.splitlines()
    assert "refused: " in cloud
    assert "tokenizer.json has 2 bytes" in cloud
    assert "2.3.4" in edge


def test_show_says_all_of_it_the_terms_first(shipped: Path) -> None:
    shown = edgewise("show", "edge").output
    assert shown.index("Terms") < shown.index("What it is") < shown.index("Made from") < shown.index("How good")
    terms = shown[shown.index("Terms") : shown.index("What it is")]
    assert TERMS in terms
    assert "They rule out commercial use." in terms
    assert "edgewise train all --config FILE" in terms
    for part in (
        f"edge@2.3.4, made 2025-01-01: {shipped / 'edge'}",
        "ONNX opset 17; base model: some/base",
        "Of a text of more than 256 tokens it reads the beginning.",
        "Below a confidence of 0.6 it is unsure",
        "airline: 7,757 rows, CC BY-NC-SA 4.0, CrowdFlower 2015",
        "own: 12 rows, our own\n",
    ):
        assert part in shown
    assert [line.split() for line in shown[shown.index("How good") :].splitlines()[1:]] == [
        ["set", "accuracy", "rows", "macro", "f1"],
        ["airline_dev", "0.111", "10"],
        ["airline_test", "0.844", "1,448", "0.791"],
        ["semeval_test", "0.600", "5,040"],
    ]


def test_show_follows_what_the_manifest_says(shipped: Path) -> None:
    write_manifest(
        shipped / "edge",
        licence="ours alone",
        max_tokens=128,
        long_text="chunks",
        confidence_threshold=None,
        metrics={},
    )
    (shipped / "edge" / "CARD.md").write_text("# Card")
    shown = edgewise("show", str(shipped / "edge")).output
    assert "ours alone" in shown
    assert "commercial" not in shown
    assert f"Intended use and limits: {shipped / 'edge' / 'CARD.md'}" in shown
    assert "It reads a text of more than 64 tokens in pieces of at most 32, and takes the mean." in shown
    assert "it has no confidence threshold" in shown
    assert "(its manifest does not say)" in shown
    assert "(not measured)" in shown


def test_show_as_json_is_the_manifest(shipped: Path) -> None:
    content = json.loads((shipped / "edge" / "manifest.json").read_text())
    found = json.loads(edgewise("show", "edge", "--json").output)
    assert found == {"id": "edge@2.3.4", "folder": str(shipped / "edge")} | content


@pytest.mark.usefixtures("shipped")
def test_a_model_that_there_is_not_is_wrong_usage() -> None:
    done = edgewise("show", "egde")
    assert isinstance(done.exception, ArtifactError)
    assert "one of: cloud, edge" in str(done.exception)


def test_verify_all_or_those_that_are_named(shipped: Path) -> None:
    done = edgewise("verify")
    assert done.exit_code == 0
    assert [line.partition(":")[0] for line in done.output.splitlines()] == ["cloud@1.0.0", "edge@2.3.4"]
    done = edgewise("verify", str(shipped / "edge"))
    assert (done.exit_code, done.output.count("\n")) == (0, 1)
    assert "labels negative, neutral, positive" in done.output


def test_verify_goes_on_after_a_wrong_one_and_ends_with_2(shipped: Path) -> None:
    write_manifest(shipped / "cloud", text_version=0)
    done = edgewise("verify", "cloud", "/none", "edge")
    assert done.exit_code == 2
    assert done.stdout.startswith("edge@2.3.4: ")
    first, second = done.stderr.splitlines()
    assert first.startswith("edgewise: ")
    assert "the model was trained with text rules 0" in first
    assert "there is no model '/none'" in second


@pytest.mark.usefixtures("shipped")
def test_verify_finds_a_model_whose_answers_depend_on_batch_mates(monkeypatch: pytest.MonkeyPatch) -> None:
    score = Classifier.score

    def moved(self: Classifier, texts: list[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        return score(self, texts) + np.float32(0.002 if len(texts) > 1 else 0)

    monkeypatch.setattr(Classifier, "score", moved)
    with pytest.raises(ArtifactError, match=r"probabilities move by 0\.002"):
        model_report.verify("edge")


def test_the_models_that_come_along_are_in_order() -> None:
    done = edgewise("verify")
    assert done.exit_code == 0, done.output
    assert done.output.count("it loads and scores") == len(artifact.shipped()) >= 2
