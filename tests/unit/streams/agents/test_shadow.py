"""The shadow agent: a candidate's answers, in a topic of their own, and nothing else."""

import asyncio
import dataclasses
from pathlib import Path

import pytest

from models.artifact import load_artifact
from models.classifier import Classifier
from models.doubt import MOST_SURE
from models.policy_file import Fitted, PolicyFile
from models.router import Policy
from schemas.codec import Codec
from schemas.errors import UsageError
from schemas.records import Role, ShadowResult, TranscriptEvent
from schemas.topics import SHADOW, TRANSCRIPTS
from streams.agents.agent import KafkaRecord
from streams.agents.shadow import ShadowAgent, build
from streams.config.settings import Settings
from tests.events import TRANSCRIPT, consumer_record
from tests.tiny_artifact import tiny_artifact, write_manifest

NOW = TRANSCRIPT.occurred_at + 5_000
POLICY = Policy("test", "1", confidence_threshold=0.95, complexity_threshold=2.0, random_cloud_rate=0.0)


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    return tiny_artifact(tmp_path, version="2.0.0")


def record(event: TranscriptEvent) -> KafkaRecord:
    return consumer_record(Codec(TRANSCRIPTS).encode(event), topic="p.transcripts")


def answers(candidate: Path, *records: KafkaRecord) -> list[ShadowResult]:
    settings = Settings(topic_prefix="p.")
    agent = ShadowAgent(settings, Classifier(load_artifact(str(candidate))), POLICY, clock=lambda: NOW)
    outputs = asyncio.run(agent.process(records))
    assert {(output.topic, output.key) for output in outputs} <= {("p.shadow", b"c1")}
    return [Codec(SHADOW).decode(output.value) for output in outputs]


def test_it_says_what_the_candidate_would_have_answered_and_where_it_would_have_gone(candidate: Path) -> None:
    event = dataclasses.replace(
        TRANSCRIPT, text="awful", turn=3, role="customer", channel="chat", language="en-GB", source="files"
    )
    sure, unsure = answers(candidate, record(event), record(dataclasses.replace(event, text="broken, but works")))
    assert (sure.event_id, sure.conversation_id, sure.turn, sure.label) == ("e1", "c1", 3, "negative")
    assert (sure.route, sure.reason, sure.model, sure.router) == ("edge", "optimal_edge", "edge@2.0.0", "test@1")
    assert (sure.role, sure.channel, sure.language, sure.source) == ("customer", "chat", "en-GB", "files")
    assert sure.confidence == sure.negative
    assert (sure.scored_at, sure.inference_ms > 0) == (NOW, True)
    assert (unsure.route, unsure.reason) == ("cloud", "low_confidence")


def test_a_candidate_that_reads_roles_is_told_them(tmp_path: Path) -> None:
    candidate = tiny_artifact(tmp_path, words={"agent": -1})
    write_manifest(candidate, reads_roles=True)
    roles: tuple[Role, ...] = ("agent", "customer")
    said = [record(dataclasses.replace(TRANSCRIPT, text="the gate", role=role)) for role in roles]
    assert [answer.label for answer in answers(candidate, *said)] == ["negative", "neutral"]


def test_of_what_the_candidate_does_not_read_it_is_not_sure(candidate: Path) -> None:
    event = dataclasses.replace(TRANSCRIPT, text="Mein Paket ist nie angekommen und niemand antwortet")
    (answer,) = answers(candidate, record(event))
    assert answer.reason == "unsupported_language"
    assert answer.confidence == pytest.approx(MOST_SURE, abs=1e-6)


def test_what_is_not_scored_and_what_is_poison_leave_nothing(candidate: Path) -> None:
    """The edge agent reports both."""
    role: Role = "bot"
    bot, empty = (dataclasses.replace(TRANSCRIPT, **change) for change in ({"role": role}, {"text": " "}))
    assert answers(candidate, record(bot), record(empty), consumer_record(b"poison", topic="p.transcripts")) == []


def test_without_a_candidate_it_does_not_start() -> None:
    with pytest.raises(UsageError, match="EDGEWISE_SHADOW_MODEL"):
        asyncio.run(build(Settings(), lambda _topic, _since: ()))


@pytest.mark.parametrize(("fitted_on", "router"), [("edge@1.0.0", "default"), ("edge@2.0.0", "strict")])
def test_a_policy_that_was_fitted_on_another_model_is_not_asked_about_this_one(
    candidate: Path, tmp_path: Path, fitted_on: str, router: str
) -> None:
    fitted = Fitted(
        agree_with="cloud", target=0.9, confidence=0.9, edge_model=fitted_on, cloud_models=(), policy="", decisions=10,
        since="", until="", made="", cloud_share=0.1, known=10, agreement=0.9, at_least=0.8, curve=(),
    )  # fmt: skip
    policy = PolicyFile(
        format=1, name="strict", confidence_threshold=0.9, complexity_threshold=0.75, random_cloud_rate=0, fitted=fitted
    )
    (tmp_path / "policy.toml").write_text(policy.text(".toml"))
    settings = Settings(shadow_model=str(candidate), router=str(tmp_path / "policy.toml"))
    agent = asyncio.run(build(settings, lambda _topic, _since: ()))
    assert agent._router.id.partition("@")[0] == router
