"""A model that is promoted while the edge agent runs: taken up between batches, or refused while the former goes on."""

import asyncio
import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest
from prometheus_client import REGISTRY

from models.artifact import ArtifactError, load_artifact
from models.pointer import POINTER, Pointer, read_pointer, write_pointer
from models.promotion import add_version, put_in_force
from models.redaction import NoRedaction
from schemas.codec import Codec
from schemas.records import RoutingEvent, SentimentResult
from schemas.topics import ROUTING_EVENTS, SENTIMENT, TRANSCRIPTS
from streams.agents.agent import KafkaRecord
from streams.agents.edge import EdgeAgent
from streams.agents.edge_model import RETRY_S, PromotedModels, load_edge_model, promoted_models
from streams.config.settings import Settings
from tests.events import TRANSCRIPT, consumer_record
from tests.tiny_artifact import tiny_artifact

NOW = TRANSCRIPT.occurred_at + 5_000
ANGRY = {"late": -1.0, "great": 1.0}
CALM = {"late": 1.0, "great": 1.0}  # another model: what is late it calls positive


class Clock:
    """Seconds, as the test says."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    folder = tmp_path / "versions"
    promote(folder, tmp_path / "first", "1.0.0", ANGRY)
    return folder


def promote(versions: Path, made: Path, version: str, words: dict[str, float], **changes: float) -> None:
    artifact = load_artifact(str(tiny_artifact(made, words=words, version=version, **changes)))  # type: ignore[arg-type]
    put_in_force(versions, add_version(versions, artifact).id)


def running(versions: Path, clock: Callable[[], float] = monotonic, **changes: object) -> EdgeAgent:
    settings = Settings(edge_model=str(versions), **changes)  # type: ignore[arg-type]
    promoted = PromotedModels(settings, "edge", clock)
    model = promoted.first()
    return EdgeAgent(settings, model.classifier, model.router, NoRedaction(), lambda: NOW, promoted)


def record(text: str) -> KafkaRecord:
    event = dataclasses.replace(TRANSCRIPT, text=text)
    return consumer_record(Codec(TRANSCRIPTS).encode(event), topic="transcripts")


def answer(agent: EdgeAgent, text: str = "late") -> tuple[SentimentResult, RoutingEvent]:
    outputs = {output.topic: output.value for output in asyncio.run(agent.process([record(text)]))}
    return Codec(SENTIMENT).decode(outputs["sentiment"]), Codec(ROUTING_EVENTS).decode(outputs["routing-events"])


def refused() -> float | None:
    return REGISTRY.get_sample_value("edgewise_model_refused", {"agent": "edge"})


def test_the_next_batch_is_scored_by_what_was_promoted_and_says_so(versions: Path, tmp_path: Path) -> None:
    agent = running(versions)
    before, _ = answer(agent)
    promote(versions, tmp_path / "second", "2.0.0", CALM)
    after, audit = answer(agent)
    assert (before.label, before.model) == ("negative", "edge@1.0.0")
    assert (after.label, after.model, audit.model, agent.model) == ("positive", *["edge@2.0.0"] * 3)
    assert REGISTRY.get_sample_value("edgewise_model_info", {"agent": "edge", "model": "edge@2.0.0"}) == 1
    assert refused() == 0


def test_what_is_rolled_back_is_as_before(versions: Path, tmp_path: Path) -> None:
    agent = running(versions)
    promote(versions, tmp_path / "second", "2.0.0", CALM)
    answer(agent)
    write_pointer(versions, read_pointer(versions).rolled_back())
    result, _ = answer(agent)
    assert (result.label, result.model) == ("negative", "edge@1.0.0")


def test_the_threshold_is_that_of_the_model_that_scores(versions: Path, tmp_path: Path) -> None:
    agent = running(versions, random_cloud_rate=0.0)
    _, kept = answer(agent, "great")
    promote(versions, tmp_path / "second", "2.0.0", ANGRY, confidence_threshold=1.0)
    outputs = asyncio.run(agent.process([record("great")]))
    assert kept.reason == "optimal_edge"
    assert {output.topic for output in outputs} == {"cloud-inference", "routing-events"}


def test_a_model_whose_files_were_altered_is_refused_until_they_are_right(
    versions: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    agent = running(versions, clock)
    promote(versions, tmp_path / "second", "2.0.0", CALM)
    model = versions / "edge@2.0.0" / "model.onnx"
    whole = model.read_bytes()
    model.write_bytes(whole[:-1])
    with caplog.at_level(logging.ERROR):
        assert answer(agent)[0].model == "edge@1.0.0"
        assert refused() == 1
        model.write_bytes(whole)
        assert answer(agent)[0].model == "edge@1.0.0", "it is not tried before each batch"
        clock.now_s += RETRY_S
        assert answer(agent)[0].model == "edge@2.0.0"
    assert refused() == 0
    (line,) = [line.getMessage() for line in caplog.records]
    assert line.startswith("edge: edge@1.0.0 goes on, what was promoted is refused: ")
    assert "model.onnx has" in line


def test_a_refusal_is_told_once_however_often_it_is_tried(versions: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    agent = running(versions, clock)
    write_pointer(versions, Pointer(format=1, model="edge@9.9.9", former=("edge@1.0.0",)))
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert answer(agent)[0].model == "edge@1.0.0"
            clock.now_s += RETRY_S
    assert len(caplog.records) == 1


def test_a_pointer_that_is_gone_or_damaged_changes_nothing(versions: Path) -> None:
    agent = running(versions)
    (versions / POINTER).write_text("{")
    assert answer(agent)[0].model == "edge@1.0.0"
    assert refused() == 1
    (versions / POINTER).unlink()
    assert answer(agent)[0].model == "edge@1.0.0"


def test_a_policy_that_was_fitted_on_the_former_model_keeps_it_in_force_until_another_is_there(
    versions: Path, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(
        'format = 1\nname = "fitted"\nconfidence_threshold = 0.0\ncomplexity_threshold = 2.0\nrandom_cloud_rate = 0.0\n'
        '[fitted]\nagree_with = "cloud"\ntarget = 0.9\nconfidence = 0.9\nedge_model = "edge@1.0.0"\ncloud_models = []\n'
        'policy = ""\ndecisions = 10\nsince = ""\nuntil = ""\nmade = ""\ncloud_share = 0.1\nknown = 10\nagreement = 0.9'
        "\nat_least = 0.8\ncurve = []\n"
    )
    clock = Clock()
    agent = running(versions, clock, router=str(policy))
    promote(versions, tmp_path / "second", "2.0.0", CALM)
    _, audit = answer(agent)
    assert (audit.model, audit.router.partition("@")[0]) == ("edge@1.0.0", "fitted")
    assert refused() == 1
    policy.write_text(policy.read_text().replace("edge@1.0.0", "edge@2.0.0").replace('fitted"', 'newer"'))
    clock.now_s += RETRY_S
    _, audit = answer(agent)
    assert (audit.model, audit.router.partition("@")[0]) == ("edge@2.0.0", "newer")
    assert refused() == 0


def test_a_worker_that_starts_goes_by_the_former_version_where_the_one_in_force_is_damaged(
    versions: Path, tmp_path: Path
) -> None:
    promote(versions, tmp_path / "second", "2.0.0", CALM)
    (versions / "edge@2.0.0" / "tokenizer.json").write_text("{}")
    assert answer(running(versions))[0].model == "edge@1.0.0"
    assert refused() == 1


def test_where_no_version_can_be_used_a_worker_does_not_start(versions: Path, tmp_path: Path) -> None:
    promote(versions, tmp_path / "second", "2.0.0", CALM)
    for version in ("1.0.0", "2.0.0"):
        (versions / f"edge@{version}" / "tokenizer.json").write_text("{}")
    with pytest.raises(ArtifactError, match=r"edge@2\.0\.0/tokenizer\.json"):
        running(versions)


def test_a_model_that_is_no_folder_of_versions_is_not_watched(tmp_path: Path) -> None:
    settings = Settings(edge_model=str(tiny_artifact(tmp_path)))
    assert promoted_models(settings, "edge") is None
    assert promoted_models(Settings(), "edge") is None
    assert load_edge_model(settings, settings.edge_model).classifier.id == "edge@1.0.0"
