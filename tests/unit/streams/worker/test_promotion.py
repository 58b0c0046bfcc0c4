"""Running workers take up a model that is promoted, between two batches; a shadow scores beside them."""

import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from models.artifact import load_artifact
from models.pointer import POINTER
from models.promotion import add_version, put_in_force
from schemas.records import SentimentResult, ShadowResult
from schemas.topics import SENTIMENT, SHADOW, TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.settings import Settings, variable
from streams.kafka.client import Cluster
from streams.kafka.messages import message_value
from streams.kafka.reader import read_topic
from streams.operate.topics import create
from streams.system.processes import edgewise_child
from streams.verify.drain import wait_until_drained
from streams.verify.read_line import verify
from tests.events import TRANSCRIPT
from tests.tiny_artifact import tiny_artifact

EVENTS = 50


def promote(versions: Path, made: Path, version: str) -> None:
    put_in_force(versions, add_version(versions, load_artifact(str(tiny_artifact(made, version=version)))).id)


@contextmanager
def running(settings: Settings, agents: Sequence[str]) -> Iterator[None]:
    changed = settings.model_dump(exclude_defaults=True)
    environment = {variable(name): str(value) for name, value in changed.items()}
    workers = []
    for agent in agents:
        child = edgewise_child("worker", agent, environment=environment)
        workers.append(subprocess.Popen(child.command, env=child.environment))
    try:
        yield
        assert [worker.poll() for worker in workers] == [None] * len(workers)
    finally:
        for worker in workers:
            worker.terminate()
        codes = [worker.wait(60) for worker in workers]
    assert codes == [0] * len(workers)


def send(settings: Settings, first: int) -> None:
    producer, encode = Cluster(settings).producer(), codec(settings, TRANSCRIPTS).encode
    for number in range(first, first + EVENTS):
        event = replace(TRANSCRIPT, event_id=f"e{number}", conversation_id=f"c{number}", text="thanks")
        producer.produce(settings.topic(TRANSCRIPTS), encode(event), event.conversation_id)
    assert producer.flush(30) == 0


def results(settings: Settings) -> list[SentimentResult]:
    decode = codec(settings, SENTIMENT).decode
    return [decode(message_value(message)) for message in read_topic(Cluster(settings), SENTIMENT)]


def shadows(settings: Settings) -> list[ShadowResult]:
    decode = codec(settings, SHADOW).decode
    return [decode(message_value(message)) for message in read_topic(Cluster(settings), SHADOW)]


@pytest.mark.parametrize("backend", ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def test_each_result_is_of_the_model_in_force_and_there_is_one_of_each(
    settings: Settings, tmp_path: Path, backend: str
) -> None:
    assert backend
    versions = tmp_path / "versions"
    promote(versions, tmp_path / "1", "1.0.0")
    line = settings.model_copy(
        update={
            "edge_model": str(versions),
            "shadow_model": str(tiny_artifact(tmp_path / "candidate", version="2.0.0")),
            "confidence_threshold": 0.0,
            "random_cloud_rate": 0.0,
        }
    )
    create(line)
    with running(line, ["edge", "shadow"]):
        send(line, 0)
        wait_until_drained(line, 60, agents=["edge", "shadow"])
        promote(versions, tmp_path / "2", "2.0.0")
        send(line, EVENTS)
        wait_until_drained(line, 60, agents=["edge"])
        (versions / POINTER).write_text("{")
        send(line, 2 * EVENTS)
        wait_until_drained(line, 60, agents=["edge", "shadow"])
    found = results(line)
    assert sorted(each.event_id for each in found) == sorted(f"e{number}" for number in range(3 * EVENTS))
    assert Counter(each.model for each in found) == {"edge@1.0.0": EVENTS, "edge@2.0.0": 2 * EVENTS}
    first = {f"e{number}" for number in range(EVENTS)}
    assert {each.event_id for each in found if each.model == "edge@1.0.0"} == first
    tried = shadows(line)
    assert Counter(each.model for each in tried) == {"edge@2.0.0": 3 * EVENTS}
    assert len({each.event_id for each in tried}) == 3 * EVENTS
    verdict = verify(line)
    assert (verdict.events, verdict.results, verdict.dead_letters) == (3 * EVENTS, 3 * EVENTS, 0)
    assert verdict.lost.count == verdict.unknown.count == 0
