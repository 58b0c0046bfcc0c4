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


def drawn(number: int) -> Example:
    """A call that is neutral but for some pieces: two or more of them make it negative, and the mean needs four."""
    draw = np.random.default_rng(number)
    awful = int(draw.integers(5))
    pieces = [f"{'awful ' * 20}"] * awful + [f"{'a b c ' * 8}"] * 60
    draw.shuffle(pieces)
    return Example(f"drawn-{number}", " ".join(pieces), 0 if awful >= 2 else 1)


@pytest.fixture(scope="module")
def weighed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folders = {"edge": tiny_artifact(tmp_path_factory.mktemp("weighed"), "edge")}
    corpus = replace(CORPUS, calls=[drawn(number) for number in range(240)])
    result = long_text.choose(folders, corpus, threads=1)
    assert result is not None
    return folders["edge"], result


def test_calls_that_are_mostly_neutral_are_weighed(weighed: tuple[Path, dict[str, Any]]) -> None:
    folder, found = weighed
    assert found["chosen"] == {"edge": "weighed"}
    plain = max(found["calls"][way]["accuracy"] for way in long_text.WAYS)
    assert found["calls"]["weighed"]["accuracy"] > plain + 0.1
    assert found["calls"]["weighed"]["ece"] < min(found["calls"][way]["ece"] for way in long_text.WAYS)
    artifact = load_artifact(str(folder))
    # What the model reads at once stays whole, whatever way was best for the calls, which are longer.
    assert artifact.long_text == "head"
    assert artifact.weighing is not None
    calls = halves([drawn(number) for number in range(240)])[1]
    measured = evaluate.measure(folder, {"calls": calls}, 1).probabilities["calls"]
    assert found["calls"]["weighed"]["confusion"] == confusion(measured, [call.label for call in calls]).tolist()


def test_the_figures_of_the_half_that_is_fitted_on_are_by_cross_validation(tmp_path: Path) -> None:
    folder = tiny_artifact(tmp_path, "edge")
    # Labels that have nothing to do with the texts.
    calls = [replace(drawn(number), label=(number * 7919) % 11 % 2) for number in range(120)]
    fitted = long_text.weigh(folder, calls, CORPUS.domain_dev, 1)
    assert fitted is not None
    weighing, unseen = fitted
    labels = [call.label for call in calls]
    seen = long_text.score(folder, "chunks", calls, 1, weighing)
    assert honesty(unseen, labels)["nll"] > honesty(seen, labels)["nll"]
    assert unseen.sum(axis=1) == pytest.approx(1)
    again = long_text.weigh(folder, calls, CORPUS.domain_dev, 1)
    assert again is not None
    assert again[0] == weighing


def test_few_calls_are_not_fitted_on(tmp_path: Path) -> None:
    folder = tiny_artifact(tmp_path, "edge")
    calls = [drawn(number) for number in range(long_text.FEWEST)]
    short = Example("short", "awful", 0)
    assert long_text.weigh(folder, [*calls[1:], short], CORPUS.domain_dev, 1) is None
    fitted = long_text.weigh(folder, [*calls, short], CORPUS.domain_dev, 1)
    assert fitted is not None
    plain = long_text.score(folder, "head", [short], 1)
    assert fitted[1][-1] == pytest.approx(plain[0]), "a text that the model reads at once is not weighed"


def test_texts_are_put_together_of_one_label_each() -> None:
    made = long_text.put_together(CORPUS.domain_dev, 7, 50)
    assert [each.label for each in made] == [0, 1, 2, 0, 1, 2, 0]
    by_label = [{each.text for each in CORPUS.domain_dev if each.label == label} for label in range(3)]
    for each in made:
        assert len(each.text.split()) > 50
        rest = each.text
        for text in sorted(by_label[each.label], key=len, reverse=True):
            rest = rest.replace(text, "")
        assert not rest.strip()
    assert long_text.put_together([], 3, 50) == []
