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
from training import evaluate, long_text
from training.corpus import Corpus, Example, held_out

SENTENCES = [
    ("the bus is awful", 0),
    ("this was terrible service", 0),
    ("bad and late again", 0),
    ("it is broken", 0),
    ("where is my bag", 1),
    ("the good old gate", 1),
    ("great crew", 2),
    ("i love it thanks", 2),
    ("awful? no, great", 2),
]


def examples(count: int, prefix: str) -> list[Example]:
    return [
        Example(f"{prefix}-{at}", f"{SENTENCES[at % 9][0]} {at}", SENTENCES[at % 9][1], (1.0, 0.7, 0.5)[at % 3])
        for at in range(count)
    ]


def call(number: int) -> Example:
    # What it is about is said at the end; before, 300 tokens of nothing.
    word, label = (("awful", 0), ("terrible", 0), ("great", 2))[number % 3]
    return Example(f"call-{number}", f"{'a b c ' * 100}\n{f'{word} ' * 60}", label)


CORPUS = Corpus(
    "own",
    domain_train=[],
    domain_sample=[],
    domain_dev=examples(27, "dev"),
    domain_test=examples(45, "test"),
    general_name="wide",
    general_train=[],
    general_test=examples(18, "wide"),
    unlabelled=[],
    calls=[call(number) for number in range(40)],
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("artifacts")
    few = {word: WORDS[word] for word in ("awful", "terrible", "great", "good")}
    return tiny_artifact(folder, "edge", few), tiny_artifact(folder, "cloud", confidence_threshold=None)


@pytest.fixture(scope="module")
def evaluation(folders: tuple[Path, Path]) -> dict[str, Any]:
    edge, cloud = folders
    return evaluate.run(edge, cloud, CORPUS, seeds={"edge": [edge, cloud]}, threads=1)


def test_the_evaluation_is_json_and_says_what_was_measured(evaluation: dict[str, Any]) -> None:
    assert json.loads(json.dumps(evaluation, allow_nan=False)) == evaluation
    for artifact in evaluation["artifacts"].values():
        rows = {name: figures["rows"] for name, figures in artifact["sets"].items()}
        assert rows == {"own_dev": 27, "own_test": 45, "wide_test": 18, "calls": len(long_text.halves(CORPUS.calls)[1])}
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


def test_the_cloud_artifact_is_the_teacher_unless_another_is_given(
    evaluation: dict[str, Any], folders: tuple[Path, Path]
) -> None:
    assert evaluation["deferral"]["teacher"] == "cloud@1.0.0"
    sets = {name: each["sets"]["own_test"]["accuracy"] for name, each in evaluation["artifacts"].items()}
    curve = evaluation["deferral"]["own_test"]["uncertain"]
    assert (curve[0], curve[-1]) == (pytest.approx(sets["edge"]), pytest.approx(sets["cloud"]))
    assert evaluation["retention"]["own_test"]["ratio"] == pytest.approx(sets["edge"] / sets["cloud"])
    assert evaluation["seeds"]["edge"]["own_test_accuracy"] == [sets["edge"], sets["cloud"]]
    assert evaluation["seeds"]["edge"]["spread"] == sorted(sets.values())
    perfect = np.eye(3)[[each.label for each in CORPUS.domain_test]]
    again = evaluate.run(*folders, replace(CORPUS, calls=[]), teacher_probabilities=perfect, threads=1)
    assert again["deferral"]["teacher"] == "ensemble"
    assert again["deferral"]["own_test"]["uncertain"][-1] == 1.0
    assert "long_text" not in again
    assert "calls" not in again["retention"]


def test_the_calls_are_parted_by_their_ids_alone() -> None:
    first, second = long_text.halves(CORPUS.calls)
    assert len(first) + len(second) == 40
    assert min(len(first), len(second)) > 10
    assert long_text.halves(CORPUS.calls[::-1]) == (first[::-1], second[::-1])
    held = [call for call in (replace(CORPUS.calls[0], id=str(at)) for at in range(200)) if held_out(call.id, 0.5)]
    assert 30 < len(long_text.halves(held)[0]) < len(held) - 30


def test_the_best_way_on_one_half_is_written_to_the_manifests(
    evaluation: dict[str, Any], folders: tuple[Path, Path]
) -> None:
    found = evaluation["long_text"]
    # The end decides here: `head` never sees it, and the mean over a call's pieces makes less of it.
    assert found["chosen"] == "head_tail"
    losses = [
        {way: each["nll"] for way, each in artifact["chosen_on"].items()} for artifact in found["artifacts"].values()
    ]
    assert min(losses[0], key=lambda way: losses[0][way] + losses[1][way]) == "head_tail"
    assert found["calls"]["head_tail"]["accuracy"] > found["calls"]["head"]["accuracy"]
    for folder in folders:
        assert load_artifact(str(folder)).long_text == "head_tail"
    # What is reported as the artifact's figures on calls is the chosen way on the other half.
    for name, artifact in found["artifacts"].items():
        measured = evaluation["artifacts"][name]["sets"]["calls"]
        assert measured["confusion"] == artifact["calls"]["head_tail"]["confusion"]
        assert measured["nll"] == pytest.approx(artifact["calls"]["head_tail"]["nll"])
    assert found["majority"]["accuracy"] == pytest.approx(
        np.mean([call.label == 0 for call in long_text.halves(CORPUS.calls)[1]])
    )
