"""The manifest of an artifact: what a worker and a card read of it."""

import hashlib
from pathlib import Path
from typing import Any

from models.artifact import load_artifact
from tests.tiny_artifact import tiny_artifact
from tests.unit.training.made_up_run import corpus
from training.artifacts import manifest as manifests


def test_a_manifest_names_what_was_learned_from_and_no_more() -> None:
    sources = corpus("airline")["sources"]
    held_out = sources[0] | {"name": "tested", "splits": {"domain_test": {"read": 9, "kept": 9, "repeated": {}}}}
    data = manifests.data_of({"sources": [*sources, held_out]})
    assert [(each["name"], each["rows"], each["labelled"]) for each in data] == [
        ("airline", 7758, True),
        ("semeval", 44327, True),
        ("chats", 9968, False),
    ]
    assert data[0]["sha256"] == {"airline/train.csv": "ab" * 32}
    assert manifests.licence(data) == (
        "code Apache-2.0; weights carry the terms of their labelled data: "
        "airline: CC BY-NC-SA 4.0 (no commercial use); semeval: for research"
    )


def test_a_manifests_metrics_are_the_flat_figures_of_dev_and_test() -> None:
    names = ("accuracy", "macro_f1", "macro_recall", "ece", "brier")
    figures: dict[str, Any] = {name: 0.123456 + at / 10 for at, name in enumerate(names)}
    figures |= {"accuracy_interval": [0.1, 0.2], "rows": 1448, "confusion": [[1]]}
    sets = dict.fromkeys(("airline_dev", "airline_test", "semeval_test", "calls"), figures)
    metrics = manifests.metrics_of(sets)
    assert list(metrics) == ["airline_dev", "airline_test", "semeval_test"]
    assert set(metrics["airline_test"]) == {"accuracy", "macro_f1", "macro_recall", "ece", "rows"}
    assert metrics["airline_test"]["accuracy"] == 0.1235


def test_a_fresh_manifest_is_one_that_a_worker_reads(tmp_path: Path) -> None:
    folder = tiny_artifact(tmp_path, "edge")
    before = load_artifact(str(folder)).manifest
    manifests.describe(
        folder,
        name="edge",
        source="edge-1/int8",
        base="a base",
        max_tokens=before.max_tokens,
        seed=3,
        data=manifests.data_of(corpus("airline")),
        libraries={"torch": "2.13.0"},
    )
    artifact = load_artifact(str(folder))
    assert artifact.manifest.opset == before.opset == manifests.opset(folder / "model.onnx")
    assert artifact.manifest.training["source"] == "edge-1/int8"
    assert artifact.manifest.training["libraries"] == {"torch": "2.13.0"}
    manifests.update(folder, temperature=1.5)
    assert load_artifact(str(folder)).temperature == 1.5


def test_two_models_are_told_apart_by_their_version(tmp_path: Path) -> None:
    ids = []
    for name, words in (("one", {"awful": -1.0}), ("other", {"awful": -0.5})):
        folder = tiny_artifact(tmp_path, name, words)
        manifests.describe(
            folder, name="edge", source="edge-1/int8", base="", max_tokens=256, seed=1, data=[], libraries={}
        )
        digest = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
        ids.append(load_artifact(str(folder)).id)
        assert ids[-1] == f"edge@0.0.0+{digest[:8]}"
    assert ids[0] != ids[1]
