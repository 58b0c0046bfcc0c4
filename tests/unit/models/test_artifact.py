"""An artifact is refused, in one line that says what and where, unless all of it is as its manifest says."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from models import artifact
from models.artifact import ArtifactError, load_artifact
from models.text import VERSION
from schemas.errors import UsageError
from tests.tiny_artifact import tiny_artifact, write_manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_artifact(tmp_path, "edge", temperature=1.5, confidence_threshold=0.7, max_tokens=64)


def refusal(name_or_folder: Path | str) -> str:
    with pytest.raises(ArtifactError) as raised:
        load_artifact(str(name_or_folder))
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_a_whole_artifact_is_loaded(folder: Path) -> None:
    loaded = load_artifact(str(folder))
    assert loaded.id == "edge@1.0.0"
    assert (loaded.temperature, loaded.confidence_threshold, loaded.max_tokens) == (1.5, 0.7, 64)
    assert loaded.model_path == folder / "model.onnx"
    assert loaded.tokenizer_path.is_file()
    assert loaded.manifest.metrics["airline_dev"]["rows"] == 10


def test_a_name_is_looked_up_beside_the_code(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(artifact, "ARTIFACTS", tmp_path)
    assert load_artifact("edge").folder == folder


def test_a_missing_model_names_those_there_are(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifact, "ARTIFACTS", folder.parent)
    message = refusal("egde")
    assert "'egde'" in message
    assert "one of: edge" in message


def test_what_can_be_no_folder_s_name_is_said() -> None:
    assert refusal("x" * 300).endswith("x/current.json can't be read: File name too long")


def test_a_wrong_model_is_wrong_usage() -> None:
    assert issubclass(ArtifactError, UsageError)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "manifest.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert f"{folder / name}: No such file" in refusal(folder)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_one_altered_byte_is_found(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    message = refusal(folder)
    assert f"{folder / name} was altered" in message


def test_a_file_cut_short_says_both_sizes(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"version https://git-lfs")
    assert "has 23 bytes, its manifest says" in refusal(folder)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": 2}, "format"),
        ({"labels": ["positive", "neutral", "negative"]}, "labels"),
        ({"labels": ["negative", "positive"]}, "labels"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": "1.0"}, "temperature"),
        ({"confidence_threshold": 1.2}, "confidence_threshold"),
        ({"max_tokens": 2}, "max_tokens"),
        ({"name": "a b"}, "name"),
        ({"text_version": VERSION + 1}, f"text rules {VERSION + 1}"),
        ({"files": {}}, "must list model.onnx"),
        ({"files": {"../model.onnx": {"sha256": "0" * 64, "bytes": 1}}}, "files"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(folder: Path, changes: dict[str, Any], says: str) -> None:
    write_manifest(folder, **changes)
    message = refusal(folder)
    assert says in message
    assert str(folder / "manifest.json") in message


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"null", b"\xff\xfe{}"])
def test_a_manifest_that_is_not_json_is_refused(folder: Path, content: bytes) -> None:
    (folder / "manifest.json").write_bytes(content)
    assert "not a model manifest" in refusal(folder)


def test_fields_of_a_later_writer_are_ignored(folder: Path) -> None:
    write_manifest(folder, new_field={"a": 1})
    assert load_artifact(str(folder)).id == "edge@1.0.0"


def test_every_listed_file_is_verified(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["card.md"] = {"sha256": "0" * 64, "bytes": 2}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert "card.md: No such file" in refusal(folder)
    (folder / "card.md").write_text("hi")
    assert "card.md was altered" in refusal(folder)


def test_a_copied_artifact_loads_where_it_lies(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where" / "mine"
    shutil.copytree(folder, elsewhere)
    assert load_artifact(str(elsewhere)).folder == elsewhere


@pytest.mark.parametrize("name", sorted(path.parent.name for path in artifact.ARTIFACTS.glob("*/manifest.json")))
def test_each_shipped_artifact_is_whole(name: str) -> None:
    assert load_artifact(name).manifest.name == name
