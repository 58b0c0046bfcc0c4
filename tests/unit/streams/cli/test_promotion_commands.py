"""`edgewise models compare`, `promote` and `rollback`: what is refused stays out of force, what is told is what is."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from models.artifact import ArtifactError, load_artifact
from models.pointer import PointerError
from models.policy_file import Fitted, PolicyError, PolicyFile
from schemas.errors import UsageError
from schemas.records import PersonLabel, ShadowResult
from schemas.topics import LABELS, ROUTING_EVENTS, SHADOW
from streams.cli import main as cli
from streams.config.settings import Settings
from streams.operate.topics import create
from tests.decisions import EDGE_ANSWER, NOW, cloud_answer
from tests.produced import produce
from tests.schema_records import EXAMPLES
from tests.tiny_artifact import tiny_artifact

FITTED = Fitted(
    agree_with="cloud", target=0.9, confidence=0.9, edge_model="edge@1.0.0", cloud_models=(), policy="", decisions=10,
    since="", until="", made="", cloud_share=0.1, known=10, agreement=0.9, at_least=0.8, curve=(),
)  # fmt: skip


def edgewise(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["models", *arguments])


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    folder = tmp_path / "versions"
    done = edgewise("promote", str(tiny_artifact(tmp_path / "1")), "--into", str(folder))
    assert done.exit_code == 0, done.output
    assert f"EDGEWISE_EDGE_MODEL is {folder}" in done.output
    return folder


@pytest.fixture
def second(tmp_path: Path) -> str:
    return str(tiny_artifact(tmp_path / "2", version="2.0.0"))


def test_a_version_is_put_in_force_and_taken_back(versions: Path, second: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_EDGE_MODEL", str(versions))
    told = edgewise("promote", second).output
    assert f"edge@2.0.0 is in force in {versions}" in told
    assert "before it: edge@1.0.0" in told
    assert load_artifact(str(versions)).id == "edge@2.0.0"
    assert f"edge@1.0.0 is in force again in {versions}, after edge@2.0.0" in edgewise("rollback").output
    assert load_artifact(str(versions)).id == "edge@1.0.0"
    again = edgewise("rollback")
    assert isinstance(again.exception, PointerError)
    assert edgewise("show", str(versions)).output.startswith("edge@1.0.0")


def test_a_model_that_cannot_be_used_is_not_put_in_force(versions: Path, second: str, tmp_path: Path) -> None:
    broken = Path(second)
    (broken / "tokenizer.json").write_text("{}")
    cloud = str(tiny_artifact(tmp_path / "3", version="3.0.0", confidence_threshold=None))
    for candidate, error in ((second, ArtifactError), (cloud, UsageError)):
        done = edgewise("promote", candidate, "--into", str(versions))
        assert isinstance(done.exception, error)
    assert load_artifact(str(versions)).id == "edge@1.0.0"
    assert sorted(path.name for path in versions.iterdir()) == ["current.json", "edge@1.0.0"]


def test_a_model_that_the_policy_does_not_fit_is_not_put_in_force(
    versions: Path, second: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = PolicyFile(
        format=1, name="p", confidence_threshold=0.9, complexity_threshold=0.75, random_cloud_rate=0, fitted=FITTED
    )
    (tmp_path / "policy.toml").write_text(policy.text(".toml"))
    monkeypatch.setenv("EDGEWISE_ROUTER", str(tmp_path / "policy.toml"))
    done = edgewise("promote", second, "--into", str(versions))
    assert isinstance(done.exception, PolicyError)
    assert load_artifact(str(versions)).id == "edge@1.0.0"


def test_a_former_version_that_was_damaged_is_not_gone_back_to(versions: Path, second: str) -> None:
    edgewise("promote", second, "--into", str(versions))
    (versions / "edge@1.0.0" / "model.onnx").write_bytes(b"")
    assert isinstance(edgewise("rollback", str(versions)).exception, ArtifactError)
    assert load_artifact(str(versions)).id == "edge@2.0.0"


@pytest.mark.parametrize("command", [["promote", "edge"], ["rollback"]])
def test_what_is_no_folder_of_versions_is_said(command: list[str]) -> None:
    done = edgewise(*command)
    assert isinstance(done.exception, PointerError)
    assert "`edgewise models promote MODEL --into FOLDER` makes one" in str(done.exception)


@pytest.fixture
def live(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """400 events, a random sample of 80, and a candidate that is right where the model in force is wrong."""
    create(settings)
    shadow = EXAMPLES["shadow"]
    assert isinstance(shadow, ShadowResult)
    tried, audit = [], []
    for at in range(400):
        ids = {"event_id": f"e{at}", "model": "edge@1.0.0", "recorded_at": NOW + at}
        if at % 5:
            audit.append(replace(EDGE_ANSWER, **ids))  # type: ignore[arg-type]
        else:
            asked = cloud_answer(**ids | {"model": "cloud@1"}, cloud_label="neutral" if at % 10 else "positive")
            audit += [replace(asked, stage="decided", model="edge@1.0.0", cloud_label=None), asked]
        label = "neutral" if at % 10 else "positive"
        tried.append(replace(shadow, event_id=f"e{at}", label=label, scored_at=NOW + at))  # type: ignore[arg-type]
    produce(settings, ROUTING_EVENTS, *audit)
    produce(settings, SHADOW, *tried)
    produce(settings, LABELS, PersonLabel(event_id="e0", conversation_id="c1", label="positive", labelled_at=NOW))
    monkeypatch.setenv("EDGEWISE_BOOTSTRAP_SERVERS", settings.bootstrap_servers)
    monkeypatch.setenv("EDGEWISE_TOPIC_PREFIX", settings.topic_prefix)
    monkeypatch.setenv("EDGEWISE_EDGE_MODEL", str(tiny_artifact(tmp_path / "running")))
    return tiny_artifact(tmp_path / "tried", words={"slow": -1.0}, version="2.0.0")


def test_a_candidate_is_compared_on_live_traffic_and_on_the_suite(live: Path) -> None:
    done = edgewise("compare", str(live), "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert (told["candidate"], told["in_force"], told["events"]) == ("edge@2.0.0", "edge@1.0.0", 400)
    assert told["kept"]["events"] == 400
    assert (told["kept"]["both"], told["kept"]["candidate"], told["kept"]["former"]) == (40, 40, 0)
    assert (told["people"]["known"], told["people"]["candidate"]) == (1, 1)
    assert (told["gain"], told["verdict"]) == (0.5, "better")
    assert told["gain_interval"][0] < 0.5 < told["gain_interval"][1]
    suite = told["behaviour"]
    assert suite["items"] >= 600
    assert suite["former_model"] == "edge@1.0.0"
    assert 0 < suite["former"] != suite["candidate"] > 0


def test_the_text_says_who_is_right_how_often_and_what_fell(live: Path) -> None:
    text = edgewise("compare", str(live)).output
    assert text.startswith("edge@2.0.0 beside edge@1.0.0, which is in force: 400 events that both answered")
    (sample,) = [line for line in text.splitlines() if line.startswith("the cloud, of what the edge kept")]
    assert sample.split()[-8:] == ["80", "0.500", "1.000", "+0.500", "0", ":", "40", "0.000"]
    assert "On live traffic edge@2.0.0 is better." in text
    assert "items: edge@1.0.0 has " in text
    assert "EDGEWISE_EDGE_MODEL" not in text


def test_the_suite_tells_the_model_that_was_run(live: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWISE_EDGE_MODEL", str(tiny_artifact(tmp_path / "elsewhere", version="1.5.0")))
    text = edgewise("compare", str(live)).output
    assert text.startswith("edge@2.0.0 beside edge@1.0.0, which is in force")
    assert "items: edge@1.5.0 has " in text
    assert "(not edge@1.0.0, which is in force: EDGEWISE_EDGE_MODEL names edge@1.5.0 here)" in text


def test_only_the_time_that_is_asked_for_counts(live: Path) -> None:
    told = json.loads(edgewise("compare", str(live), "--until", str(NOW + 100), "--json").output)
    assert told["events"] == 100


def test_a_candidate_that_nobody_tried_is_named(live: Path, tmp_path: Path) -> None:
    done = edgewise("compare", str(tiny_artifact(tmp_path / "other", version="7")))
    assert isinstance(done.exception, UsageError)
    assert "was answered by edge@7" in str(done.exception)
    assert live.is_dir()
