"""What the manifest of a run's model says of how it was made."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from tests.tiny_artifact import tiny_artifact
from training.artifacts import ship
from training.config.config import Config, Schedule, Student
from training.config.sources import Source

TRANSFER = Schedule(epochs=1, rate=1e-4)
DOMAIN = Source(name="d", role="domain", train=("a.csv",))
MADE = Source(name="made", role="extra", generate=5)
AGENTS = Source(name="agents", role="extra", train=("b.csv",), speakers=("agent",))
CUSTOMERS = Source(name="customers", role="extra", train=("b.csv",), speakers=("customer",))


def described(folder: Path, model: str, **config: Any) -> dict[str, Any]:
    run: Any = SimpleNamespace(config=Config(data=Path(), **config), libraries={})
    ship.describe(run, {"sources": []}, folder, model, "int8s")
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
    return manifest


@pytest.mark.parametrize(
    ("sources", "told"),
    [((DOMAIN,), False), ((DOMAIN, CUSTOMERS), False), ((DOMAIN, AGENTS), True), ((DOMAIN, MADE), True)],
)
def test_a_model_that_learned_who_speaks_is_told_so_by_its_manifest(
    tmp_path: Path, sources: tuple[Source, ...], told: bool
) -> None:
    assert described(tiny_artifact(tmp_path), "cloud-1", sources=sources).get("reads_roles", False) is told


def test_the_manifest_says_who_taught_a_student(tmp_path: Path) -> None:
    teacher = tiny_artifact(tmp_path, "teacher")
    manifest = json.loads((teacher / "manifest.json").read_text("utf-8"))
    (teacher / "manifest.json").write_text(json.dumps(manifest | {"name": "cloud", "version": "2.2.0"}), "utf-8")
    config = {
        "teacher": teacher,
        "students": ("cloud", "small"),
        "small": Student(transfer=TRANSFER, taught_by="cloud"),
    }
    folder = tiny_artifact(tmp_path)
    assert described(folder, "cloud-1", **config)["training"]["source"] == "cloud-1/int8s, taught by cloud@2.2.0"
    by_the_cloud = "small-1/int8s, taught by cloud-1, which cloud@2.2.0 taught"
    assert described(folder, "small-1", **config)["training"]["source"] == by_the_cloud
