"""Personal data is planted in transcripts, and looked for in all that the line gives out.

Looked into: every topic but `transcripts` and the values of `dead-letters`, every log line, every metric, and every
HTTP body that leaves.
"""

import asyncio
import dataclasses
import logging
import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from models.artifact import load_artifact
from models.backends.http import Caller, Endpoint
from models.backends.service import HttpBackend
from models.backends.tei import Tei
from models.classifier import Classifier
from models.redaction import KINDS, ConversationRedactor, NoRedaction, Redaction, Span
from models.router import Policy
from schemas.codec import Codec
from schemas.topics import CLOUD_INFERENCE, DEAD_LETTERS, MONITORING, ROUTING_EVENTS, SENTIMENT, TRANSCRIPTS
from streams.agents.agent import Agent, Output
from streams.agents.cloud import CloudAgent
from streams.agents.edge import EdgeAgent
from streams.agents.monitor import MonitorAgent
from streams.config.settings import Settings
from tests.asked import TARIFF
from tests.canaries import Sink, Turn, planted
from tests.events import TRANSCRIPT, consumer_record
from tests.http_server import Handler, Request, Server, answer, echo_error, serve
from tests.tiny_artifact import tiny_artifact

EVENTS = int(os.environ.get("CANARY_EVENTS", "1500"))
BATCH = 250
NOW = TRANSCRIPT.occurred_at + 5_000
COUNTS = ("logs", "metrics")
INFO = {
    "model_id": "acme/sentiment",
    "model_sha": "0" * 40,
    "model_type": {"classifier": {"id2label": {"0": "negative", "1": "neutral", "2": "positive"}}},
    "max_client_batch_size": 16,
}
TO_THE_CLOUD = Policy("test", "1", confidence_threshold=1.1, complexity_threshold=9.0, random_cloud_rate=1.0)
CODECS = {str(topic): Codec(topic) for topic in (SENTIMENT, CLOUD_INFERENCE, ROUTING_EVENTS, MONITORING)}


class FailsAtTimes:
    """A tagger that finds nothing, and fails at one text in twenty, which its error quotes."""

    def tag(self, texts: Sequence[str]) -> list[list[Span]]:
        if sum(map(ord, texts[0])) % 20 == 0:
            raise ValueError(texts[0])
        return [[] for _ in texts]


def service(handler: Handler, request: Request) -> None:
    """A classifier; one call in nine is refused, and the refusal quotes the texts."""
    if request.path == "/info":
        answer(INFO)(handler, request)
    elif len(handler.server.requests) % 9 == 0:
        echo_error(422)(handler, request)
    else:
        row = [
            {"label": label, "score": score} for label, score in (("negative", 0.5), ("neutral", 0.5), ("positive", 0))
        ]
        answer([row] * len(request.body["inputs"]))(handler, request)


def run_line(turns: Sequence[Turn], redaction: Redaction, folder: Path, server: Server) -> Sink:
    """All that the agents give out for `turns`, as records, and what the service was sent."""
    settings = Settings()
    sink = Sink()
    edge = EdgeAgent(
        settings, Classifier(load_artifact(str(tiny_artifact(folder)))), TO_THE_CLOUD, redaction, clock=lambda: NOW
    )
    monitor = MonitorAgent(settings, lambda _topic, _since: (), clock=lambda: NOW)
    transcripts = Codec(TRANSCRIPTS)

    async def line() -> None:
        caller = Caller(Endpoint("the service", server.url), jitter=random.Random(1))
        cloud = CloudAgent(settings, HttpBackend(Tei(None, texts_a_call=16), caller, TARIFF), clock=lambda: NOW)
        for start in range(0, len(turns), BATCH):
            values = [
                transcripts.encode(
                    dataclasses.replace(
                        TRANSCRIPT, event_id=f"e{at}", conversation_id=turn.conversation, turn=at, text=turn.text
                    )
                )
                for at, turn in enumerate(turns[start : start + BATCH], start)
            ]
            values[7] = values[7][:-2]  # poison
            outputs = await give(edge, [(b"key", value) for value in values])
            requests = [(out.key, out.value) for out in outputs if out.topic == CLOUD_INFERENCE]
            outputs += await give(cloud, requests)
            audit = [(out.key, out.value) for out in outputs if out.topic == ROUTING_EVENTS]
            outputs += await give(monitor, audit)
            for output in outputs:
                look_into(sink, output)
        await cloud.close()

    asyncio.run(line())
    for request in server.requests:
        sink.put("http", [request.path, request.body])
    for metric in REGISTRY.collect():
        sink.put("metrics", [metric.name, *(sample.labels for sample in metric.samples)])
    return sink


async def give(agent: Agent, values: Sequence[tuple[bytes | None, bytes | None]]) -> list[Output]:
    records = [consumer_record(value, topic=agent.source, offset=at, key=key) for at, (key, value) in enumerate(values)]
    return list(await agent.process(records))


def look_into(sink: Sink, output: Output) -> None:
    if output.topic != DEAD_LETTERS:
        sink.put(output.topic, dataclasses.asdict(CODECS[output.topic].decode(output.value)))
    sink.put(output.topic, [(name, value.decode()) for name, value in output.headers])
    sink.put(output.topic, (output.key or b"").decode())


def test_no_planted_value_leaves_the_worker(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    turns = planted(EVENTS, seed=11)
    assert {kind for turn in turns for kind, _ in turn.values} == set(KINDS)
    with caplog.at_level(logging.DEBUG), serve(service) as server:
        sink = run_line(turns, ConversationRedactor(tagger=FailsAtTimes()), tmp_path, server)
    for entry in caplog.records:
        sink.put("logs", caplog.handler.format(entry))
    assert sink.places() == {*CODECS, DEAD_LETTERS, "http", "metrics", "logs"}
    assert "their redaction failed: RedactionError" in caplog.text
    assert "the cloud did not answer" in caplog.text
    assert sink.leaks(turns, spare=COUNTS) == []


def test_without_redaction_every_kind_is_found_where_texts_go(tmp_path: Path) -> None:
    turns = planted(400, seed=11)
    with serve(service) as server:
        leaks = run_line(turns, NoRedaction(), tmp_path, server).leaks(turns)
    assert {place for place, _, _ in leaks} == {CLOUD_INFERENCE, "http"}, "no other holds a text"
    assert {kind for _, kind, _ in leaks} == set(KINDS)
    found = {value for _, _, value in leaks}
    lost = [value for turn in turns for _, value in turn.values if value not in found]
    assert len(lost) < 0.02 * len(turns), "poison alone is not found"
