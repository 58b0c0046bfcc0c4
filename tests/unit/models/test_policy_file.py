"""Policies in files: what is written reads back the same, what is wrong is told in one line, edits change the id."""

import json
from pathlib import Path

import pytest

from models.policy_file import CurvePoint, Fitted, PolicyError, PolicyFile, load_policy, read_policy

POINT = CurvePoint(threshold=0.625, cloud_share=0.12, known=812, agreement=0.985, at_least=0.9721)
FITTED = Fitted(
    agree_with="cloud",
    target=0.97,
    confidence=0.95,
    edge_model="edge@2.0.0",
    cloud_models=("cloud@2.1.0", "größer@1"),
    policy="default@1",
    decisions=40_000,
    since="2026-11-01T00:00:00Z",
    until="2026-11-08T00:00:00Z",
    made="2026-11-08",
    cloud_share=0.12,
    known=812,
    agreement=0.985,
    at_least=0.9721,
    curve=(POINT, POINT),
)
FILE = PolicyFile(
    format=1,
    name="agreement-0.97",
    confidence_threshold=0.625,
    complexity_threshold=0.75,
    random_cloud_rate=1e-05,
    fitted=FITTED,
)


def written(folder: Path, text: str, name: str = "policy.toml") -> str:
    path = folder / name
    path.write_text(text, "utf-8")
    return str(path)


@pytest.mark.parametrize("ending", [".toml", ".json"])
@pytest.mark.parametrize("fitted", [FITTED, None])
def test_what_is_written_reads_back_the_same(tmp_path: Path, ending: str, fitted: Fitted | None) -> None:
    file = FILE.model_copy(update={"fitted": fitted})
    assert read_policy(written(tmp_path, file.text(ending), f"policy{ending}")) == file


def test_the_policy_has_the_files_numbers_and_an_id_of_them(tmp_path: Path) -> None:
    path = written(tmp_path, FILE.text(".toml"))
    policy = load_policy(path, "edge@2.0.0")
    assert (policy.confidence_threshold, policy.complexity_threshold, policy.random_cloud_rate) == (0.625, 0.75, 1e-05)
    assert policy.id == "agreement-0.97@d134e6ae"
    edited = load_policy(written(tmp_path, FILE.text(".toml").replace("0.625", "0.5")), "edge@2.0.0")
    assert edited.name == policy.name
    assert edited.id != policy.id


def test_a_person_may_write_one_without_saying_where_from(tmp_path: Path) -> None:
    text = 'format = 1\nname = "mine"\nconfidence_threshold = 0.7\ncomplexity_threshold = 2\nrandom_cloud_rate = 0.1\n'
    assert load_policy(written(tmp_path, text), "any@1").confidence_threshold == 0.7


def test_another_edge_model_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, FILE.text(".toml"))
    with pytest.raises(PolicyError, match=r"fitted on edge@2\.0\.0, and the edge model is edge@3\.0\.0"):
        load_policy(path, "edge@3.0.0")


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        (FILE.text(".toml").replace("0.625", "1.625", 1), "p.toml", "confidence_threshold: Input should be less"),
        (FILE.text(".toml").replace("format = 1", "format = 2"), "p.toml", "format: Input should be 1"),
        (FILE.text(".toml") + "threshold = 1\n", "p.toml", "fitted.threshold: Extra inputs"),
        (FILE.text(".toml"), "p.json", "it is not JSON"),
        (FILE.text(".json"), "p.toml", "it is not TOML"),
        ("[]", "p.json", "the whole: Input should be a valid dictionary"),
        (json.dumps({"format": 1}), "p.json", "name: Field required"),
        ("complexity_threshold = inf", "p.toml", "format: Field required"),
    ],
)
def test_what_is_no_policy_is_told_in_one_line(tmp_path: Path, text: str, name: str, says: str) -> None:
    path = written(tmp_path, text, name)
    with pytest.raises(PolicyError) as raised:
        read_policy(path)
    assert says in str(raised.value)
    assert path in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="No such file"):
        read_policy(str(tmp_path / "none.toml"))
