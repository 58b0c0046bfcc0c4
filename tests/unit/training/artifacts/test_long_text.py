"""How long texts are read: tried on one half of the calls, reported on the other."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.artifact import load_artifact
from models.long_text import How
from tests.tiny_artifact import WORDS, tiny_artifact
from tests.unit.training.small_corpus import CORPUS
from training.artifacts import long_text
from training.data.corpus import CALLS, Example, halves, sets_of
from training.measure import evaluate
from training.measure.figures import Scores, confusion, honesty


def made(folder: Path) -> dict[str, Path]:
    few = {word: WORDS[word] for word in ("awful", "terrible", "great", "good")}
    return {"edge": tiny_artifact(folder, "edge", few), "cloud": tiny_artifact(folder, "cloud")}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return made(tmp_path_factory.mktemp("artifacts"))


@pytest.fixture(scope="module")
def found(folders: dict[str, Path]) -> dict[str, Any]:
    result = long_text.choose(folders, CORPUS, threads=1)
    assert result is not None
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    return result


def test_the_best_way_on_one_half_is_written_to_the_manifests(found: dict[str, Any], folders: dict[str, Path]) -> None:
    # The end decides here: `head` never sees it, and the mean over a call's pieces makes less of it.
    assert found["chosen"] == dict.fromkeys(folders, "head_tail")
    for artifact in found["artifacts"].values():
        losses = {way: each["nll"] for way, each in artifact["chosen_on"].items()}
        assert min(losses, key=losses.__getitem__) == "head_tail"
    assert found["calls"]["head_tail"]["accuracy"] > found["calls"]["head"]["accuracy"]
    for folder in folders.values():
        assert load_artifact(str(folder)).long_text == "head_tail"


def test_each_artifact_gets_its_own_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = made(tmp_path)
    answers = long_text.score
    best = {folders["edge"]: "head", folders["cloud"]: "chunks"}

    def score(folder: Path, way: How, examples: Sequence[Example], threads: int) -> Scores:
        given = answers(folder, "head_tail", examples, threads)
        return given if way == best[folder] else np.roll(given, 1, axis=1)

    monkeypatch.setattr(long_text, "score", score)
    result = long_text.choose(folders, CORPUS, threads=1)
    assert result is not None
    assert result["chosen"] == {"edge": "head", "cloud": "chunks"}
    assert {name: load_artifact(str(each)).long_text for name, each in folders.items()} == result["chosen"]


def test_the_other_half_is_what_the_evaluation_measures(found: dict[str, Any], folders: dict[str, Path]) -> None:
    labels = [call.label for call in halves(CORPUS.calls)[1]]
    for name, artifact in found["artifacts"].items():
        measured = evaluate.measure(folders[name], sets_of(CORPUS), 1).probabilities[CALLS]
        assert artifact["calls"]["head_tail"]["confusion"] == confusion(measured, labels).tolist()
        assert artifact["calls"]["head_tail"]["nll"] == pytest.approx(honesty(measured, labels)["nll"])
    assert found["majority"]["accuracy"] == pytest.approx(labels.count(0) / len(labels))


def test_without_calls_the_manifests_stay_as_they_are(tmp_path: Path) -> None:
    folders = made(tmp_path)
    before = [(folder / "manifest.json").read_bytes() for folder in folders.values()]
    assert long_text.choose(folders, replace(CORPUS, calls=[]), threads=1) is None
    assert [(folder / "manifest.json").read_bytes() for folder in folders.values()] == before
