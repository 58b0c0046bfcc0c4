"""`edgewise route calibrate`: the file that it makes is one that workers take, its report says what was shown."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from models.artifact import load_artifact
from models.policy_file import PolicyError, read_policy
from schemas.errors import UsageError
from streams.cli import main as cli
from streams.config.loading import load_settings
from streams.config.routing import build_router
from tests.decisions import EDGE_ANSWER, NOW, as_object, cloud_answer

EDGE = load_artifact("edge").id


def calibrate(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["route", "calibrate", *arguments])


def recorded(path: Path, *, sampled: int = 400) -> str:
    """Decisions of confidence 0.5 to 1; of the sample those under 0.6 disagree."""
    events = []
    for at in range(2_000):
        confidence = 0.5 + at / 4_000
        about: dict[str, Any] = {
            "event_id": str(at),
            "edge_confidence": confidence,
            "recorded_at": NOW + at,
            "complexity": 0.1,
        }
        if at % (2_000 // sampled):
            events.append(replace(EDGE_ANSWER, **about, model=EDGE))
        else:
            events.append(cloud_answer(**about, cloud_label="negative" if confidence < 0.6 else "neutral"))
    path.write_text("".join(json.dumps(as_object(event)) + "\n" for event in events), "utf-8")
    return str(path)


@pytest.mark.parametrize("ending", [".toml", ".json"])
def test_a_policy_is_made_that_a_worker_takes(tmp_path: Path, ending: str) -> None:
    output = str(tmp_path / f"policy{ending}")
    done = calibrate(
        recorded(tmp_path / "d.jsonl"), "--agreement", "0.95", "-o", output, "--plot", str(tmp_path / "p.svg")
    )
    assert done.exit_code == 0, done.output
    made = read_policy(output)
    fitted = made.fitted
    assert fitted is not None
    assert 0.55 < made.confidence_threshold < 0.6
    assert (made.complexity_threshold, made.random_cloud_rate) == (0.75, 0.02)
    assert (fitted.decisions, fitted.policy, fitted.edge_model) == (2_000, "default@1", EDGE)
    assert (fitted.agree_with, fitted.cloud_models) == ("cloud", ("cloud@1",))
    assert fitted.at_least >= 0.95
    assert fitted.cloud_share == pytest.approx(1 - 0.98 * (1 - made.confidence_threshold) * 2, abs=0.01)
    assert "<- the policy" in done.output
    assert "agree with the cloud" in (tmp_path / "p.svg").read_text("utf-8")
    router = build_router(load_settings(environ={"EDGEWISE_ROUTER": output}), load_artifact("edge"))
    assert router.id in done.output
    assert router.confidence_threshold == made.confidence_threshold
    with pytest.raises(PolicyError, match="fitted on"):
        build_router(load_settings(environ={"EDGEWISE_ROUTER": output}), load_artifact("cloud"))


def test_people_may_say_what_is_right(tmp_path: Path) -> None:
    output = tmp_path / "policy.toml"
    rows = [{"body": "I love it, thank you so much!", "stars": "positive"}] * 80
    rows += [{"body": "My bag is lost and nobody answers.", "stars": "negative"}] * 80
    file = tmp_path / "texts.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    asked = (str(file), "--label-column", "stars", "--text-column", "body", "-o", str(output), "--agreement", "0.9")
    done = calibrate(*asked, "--name", "people-90")
    assert done.exit_code == 0, done.output
    fitted = read_policy(str(output)).fitted
    assert fitted is not None
    assert (fitted.agree_with, fitted.known, fitted.since, fitted.policy) == ("people", 160, "", "")
    assert "people-90@" in done.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--agreement", "0.99"), "at least are needed to show 0.99"),
        (("-o", "policy.yaml"), r"--output policy\.yaml: a policy's file ends in \.toml or \.json"),
        (("--name", "a b", "--agreement", "0.6"), "--name a b: allowed are letters"),
        (("--from", "yesterday"), "--from yesterday: give a time"),
        (("--label-column", "label", "--from", "-1d"), "--from and --until are for decisions"),
        (("--label-column", "label", "--until", "2020-01-01"), "--from and --until are for decisions"),
        (("--until", "2020-01-01"), "holds no decision"),
    ],
)
def test_what_cannot_be_done_is_said_and_no_file_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = calibrate(recorded(tmp_path / "d.jsonl", sampled=100), *arguments)
    assert isinstance(done.exception, UsageError)
    with pytest.raises(UsageError, match=says):
        raise done.exception
    assert sorted(each.name for each in tmp_path.iterdir()) == ["d.jsonl"]
