"""A folder of versions: which one is in force, how another takes its place, and how to go back."""

import json
from pathlib import Path

import pytest

from models.artifact import ArtifactError, load_artifact
from models.pointer import (
    MOST_FORMER,
    POINTER,
    Pointer,
    PointerError,
    is_pointed_at,
    read_pointer,
    stamp,
    write_pointer,
)
from models.promotion import add_version, put_in_force
from tests.tiny_artifact import tiny_artifact, write_manifest


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    """A folder in which edge@2.0.0 has taken the place of edge@1.0.0."""
    folder = tmp_path / "models" / "edge"
    for version in ("1.0.0", "2.0.0"):
        artifact = load_artifact(str(tiny_artifact(tmp_path / version, version=version)))
        put_in_force(folder, add_version(folder, artifact).id)
    return folder


def test_the_version_in_force_is_what_the_folder_stands_for(versions: Path) -> None:
    assert load_artifact(str(versions)).id == "edge@2.0.0"
    assert read_pointer(versions) == Pointer(format=1, model="edge@2.0.0", former=("edge@1.0.0",))
    assert sorted(path.name for path in versions.iterdir()) == [POINTER, "edge@1.0.0", "edge@2.0.0"]


def test_going_back_is_a_pointer_alone(versions: Path) -> None:
    write_pointer(versions, read_pointer(versions).rolled_back())
    assert load_artifact(str(versions)).id == "edge@1.0.0"
    with pytest.raises(PointerError, match=r"edge@1\.0\.0 is the first version"):
        read_pointer(versions).rolled_back()


def test_promoting_what_is_in_force_changes_nothing(versions: Path) -> None:
    before = stamp(versions)
    assert put_in_force(versions, "edge@2.0.0").former == ("edge@1.0.0",)
    assert stamp(versions) == before


def test_a_pointer_that_is_replaced_has_another_stamp(versions: Path) -> None:
    before = stamp(versions)
    write_pointer(versions, read_pointer(versions))
    assert stamp(versions) != before
    (versions / POINTER).unlink()
    assert stamp(versions) is None


def test_the_former_versions_are_not_remembered_without_end() -> None:
    pointer = Pointer(format=1, model="edge@0")
    for number in range(1, 100):
        pointer = pointer.promoted(f"edge@{number}")
    assert len(pointer.former) == MOST_FORMER
    assert pointer.former[-1] == "edge@98"


def test_another_model_of_the_same_version_is_refused(versions: Path, tmp_path: Path) -> None:
    other = load_artifact(str(tiny_artifact(tmp_path / "other", words={"slow": -1.0}, version="2.0.0")))
    with pytest.raises(ArtifactError, match="another model of the same name and version"):
        add_version(versions, other)
    assert load_artifact(str(versions / "edge@2.0.0")).id == "edge@2.0.0"


def test_another_calibration_of_the_same_version_is_refused(versions: Path, tmp_path: Path) -> None:
    other = load_artifact(str(tiny_artifact(tmp_path / "other", version="2.0.0", temperature=2.0)))
    with pytest.raises(ArtifactError, match="or another manifest of it: give the new one a version of its own"):
        add_version(versions, other)


def test_a_version_is_copied_without_its_folder_s_mode_and_what_else_lies_there(tmp_path: Path) -> None:
    source = tiny_artifact(tmp_path / "one")
    (source / "CARD.md").write_text("# Card")
    (source / "notes").mkdir()
    source.chmod(0o700)
    (tmp_path / "models").mkdir()
    copied = add_version(tmp_path / "models", load_artifact(str(source))).folder
    assert sorted(path.name for path in copied.iterdir()) == [
        "CARD.md",
        "manifest.json",
        "model.onnx",
        "tokenizer.json",
    ]
    assert copied.stat().st_mode == copied.parent.stat().st_mode


def test_what_a_killed_promotion_left_does_not_stop_the_next(tmp_path: Path) -> None:
    artifact = load_artifact(str(tiny_artifact(tmp_path / "one")))
    (tmp_path / "models" / ".edge@1.0.0.ab12cd34.partial").mkdir(parents=True)
    assert add_version(tmp_path / "models", artifact).id == "edge@1.0.0"


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    artifact = load_artifact(str(tiny_artifact(tmp_path / "one")))
    with pytest.raises(PointerError, match="is no folder of versions"):
        add_version(artifact.folder, artifact)
    assert not is_pointed_at(artifact.folder)


def test_a_copy_that_fails_leaves_nothing_behind(
    versions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: str, to: str) -> None:
        Path(to).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    candidate = load_artifact(str(tiny_artifact(tmp_path / "3", version="3.0.0")))
    monkeypatch.setattr("models.promotion.shutil.copyfile", full)
    with pytest.raises(PointerError, match="can't be written"):
        add_version(versions, candidate)
    assert sorted(path.name for path in versions.iterdir()) == [POINTER, "edge@1.0.0", "edge@2.0.0"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "the whole"),
        ("{}", "format"),
        ('{"format": 2, "model": "edge@1"}', "format"),
        ('{"format": 1, "model": "../../etc"}', "model"),
        ('{"format": 1, "model": "edge@1", "former": ["/"]}', "former"),
    ],
)
def test_a_pointer_that_says_nothing_of_use_is_refused(versions: Path, content: str, why: str) -> None:
    (versions / POINTER).write_text(content)
    with pytest.raises(ArtifactError, match=rf"current\.json does not name a model's version: {why}"):
        load_artifact(str(versions))


def test_a_version_that_is_another_model_is_refused(versions: Path) -> None:
    write_manifest(versions / "edge@2.0.0", version="2.0.1")
    with pytest.raises(ArtifactError, match=r"holds edge@2\.0\.1, not the version"):
        load_artifact(str(versions))


def test_a_version_that_is_missing_is_refused(versions: Path) -> None:
    (versions / POINTER).write_text(json.dumps({"format": 1, "model": "edge@9.9.9"}))
    with pytest.raises(ArtifactError, match=r"edge@9\.9\.9"):
        load_artifact(str(versions))
