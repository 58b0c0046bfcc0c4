"""The evaluation of two small artifacts, end to end through the worker's classifier."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.artifact import load_artifact
from models.classifier import Classifier
from tests.tiny_artifact import WORDS, tiny_artifact
from tests.unit.training.small_corpus import CORPUS
from training.data import suite
from training.data.corpus import halves
from training.measure import evaluate


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("artifacts")
    few = {word: WORDS[word] for word in ("awful", "terrible", "great", "good")}
    return tiny_artifact(folder, "edge", few), tiny_artifact(folder, "cloud", confidence_threshold=None)


def named(folders: tuple[Path, Path]) -> dict[str, Path]:
    return dict(zip(("edge", "cloud"), folders, strict=True))


@pytest.fixture(scope="module")
def evaluation(folders: tuple[Path, Path]) -> dict[str, Any]:
    edge, cloud = folders
    return evaluate.run({"edge": edge, "cloud": cloud}, CORPUS, seeds={"edge": [edge, cloud]}, threads=1)


def test_the_evaluation_is_json_and_says_what_was_measured(evaluation: dict[str, Any]) -> None:
    assert json.loads(json.dumps(evaluation, allow_nan=False)) == evaluation
    for artifact in evaluation["artifacts"].values():
        rows = {name: figures["rows"] for name, figures in artifact["sets"].items()}
        assert rows == {"own_dev": 27, "own_test": 45, "wide_test": 18, "calls": len(halves(CORPUS.calls)[1])}
        for figures in artifact["sets"].values():
            assert np.sum(figures["confusion"]) == figures["rows"]
            assert figures["accuracy_interval"][0] <= figures["accuracy"] <= figures["accuracy_interval"][1]


def test_its_figures_are_those_of_the_workers_classifier(
    evaluation: dict[str, Any], folders: tuple[Path, Path]
) -> None:
    given = Classifier(load_artifact(str(folders[0]))).score([each.text for each in CORPUS.domain_test]).argmax(axis=1)
    accuracy = float(np.mean(given == [each.label for each in CORPUS.domain_test]))
    assert evaluation["artifacts"]["edge"]["sets"]["own_test"]["accuracy"] == pytest.approx(accuracy)
    assert 0.5 < accuracy < 1


def test_the_behaviour_suite_is_measured_and_judged_by_what_was_before(
    evaluation: dict[str, Any], folders: tuple[Path, Path]
) -> None:
    behaved = evaluation["behaviour"]
    assert behaved["falls"] == []
    assert set(behaved["models"]) == {"edge", "cloud", "line"}
    assert set(behaved["models"]["line"]["kinds"]) == set(suite.KINDS)
    perfect = json.loads(json.dumps(behaved))
    perfect["models"]["edge"]["kinds"]["sarcasm"]["wrong"] = []
    falls = evaluate.run(named(folders), CORPUS, before=perfect, threads=1)["behaviour"]["falls"]
    assert {(fall["model"], fall["kind"], fall["won"]) for fall in falls} == {
        ("edge", "sarcasm", 0),
        ("edge", "overall", 0),
    }


def test_the_domains_share_below_a_threshold_stands_beside_the_suites(
    evaluation: dict[str, Any], folders: tuple[Path, Path]
) -> None:
    given = Classifier(load_artifact(str(folders[0]))).score([each.text for each in CORPUS.domain_test]).max(axis=1)
    rows = evaluation["behaviour"]["thresholds"]
    assert [row["domain"] for row in rows] == [float((given < row["threshold"]).mean()) for row in rows]
    assert rows[-1]["domain"] > rows[0]["domain"]


def test_edge_and_cloud_agree_on_what_both_call_the_same(
    evaluation: dict[str, Any], folders: tuple[Path, Path]
) -> None:
    edge, cloud = (Classifier(load_artifact(str(folder))) for folder in folders)
    turns = {line for call in CORPUS.calls for line in call.text.splitlines()}
    assert "unlabelled, learned from" not in evaluation["agreement"]
    for name, texts in (
        ("own_test", [each.text for each in CORPUS.domain_test]),
        ("calls, turn by turn", sorted(turns)),
    ):
        found = evaluation["agreement"][name]
        same = np.mean(edge.score(texts).argmax(axis=1) == cloud.score(texts).argmax(axis=1))
        assert (found["rows"], found["share"]) == (len(texts), pytest.approx(same))
        assert found["interval"][0] <= found["share"] <= found["interval"][1]
    assert evaluation["agreement"]["own_test"]["share"] < 1


def test_of_many_texts_without_a_label_some_are_drawn_the_same_each_time() -> None:
    many = [str(number) for number in range(3 * evaluate.LEARNED_FROM)]
    drawn = evaluate.without_labels(replace(CORPUS, calls=[], unlabelled=many))
    assert list(drawn) == ["unlabelled, learned from"]
    assert len(set(drawn["unlabelled, learned from"])) == evaluate.LEARNED_FROM
    assert evaluate.without_labels(replace(CORPUS, calls=[], unlabelled=many)) == drawn


def test_slices_part_the_test_set(evaluation: dict[str, Any]) -> None:
    slices = evaluation["artifacts"]["edge"]["slices"]
    test = evaluation["artifacts"]["edge"]["sets"]["own_test"]
    for kind in ("length", "agreement"):
        assert sum(part["rows"] for part in slices[kind]) == 45
        assert sum(part["rows"] * part["accuracy"] for part in slices[kind]) == pytest.approx(45 * test["accuracy"])
    assert [part["slice"] for part in slices["agreement"]] == ["under 0.6", "0.6 to 0.8", "1: all agree"]
    assert [part["slice"] for part in slices["channel"]] == [
        "written (own_test)",
        "written (wide_test)",
        "voice (calls)",
    ]


def test_what_is_deferred_goes_to_the_cloud_artifact_whoever_taught(
    evaluation: dict[str, Any], folders: tuple[Path, Path]
) -> None:
    assert evaluation["deferral"]["teacher"] == "cloud@1.0.0"
    sets = {name: each["sets"]["own_test"]["accuracy"] for name, each in evaluation["artifacts"].items()}
    curve = evaluation["deferral"]["own_test"]["uncertain"]
    assert (curve[0], curve[-1]) == (pytest.approx(sets["edge"]), pytest.approx(sets["cloud"]))
    assert evaluation["retention"]["own_test"]["ratio"] == pytest.approx(sets["edge"] / sets["cloud"])
    assert evaluation["seeds"]["edge"]["own_test_accuracy"] == [sets["edge"], sets["cloud"]]
    assert evaluation["seeds"]["edge"]["spread"] == sorted(sets.values())
    right = np.eye(3)[[each.label for each in CORPUS.domain_test]]
    teachers = {"one": [{"own_test": 9 * right}], "other": [{"own_test": 9 * right}, {"own_test": 100 - right}]}
    again = evaluate.run(named(folders), replace(CORPUS, calls=[]), teachers=teachers, threads=1)
    assert again["deferral"] == evaluation["deferral"]
    assert again["seeds"]["one"]["own_test_accuracy"] == [1.0]
    assert again["seeds"]["other"]["own_test_accuracy"] == [1.0, 0.0]
    assert "calls" not in again["retention"]


def test_what_is_measured_is_not_changed(folders: tuple[Path, Path]) -> None:
    before = {path: path.read_bytes() for folder in folders for path in folder.iterdir()}
    evaluate.run(named(folders), CORPUS, threads=1)
    assert {path: path.read_bytes() for folder in folders for path in folder.iterdir()} == before
