"""A trace from a request to its result: through the door, the edge and the cloud, as processes on a real Kafka."""

from pathlib import Path

import pytest

from schemas.codec import Codec
from schemas.topics import DEAD_LETTERS, SENTIMENT, TRANSCRIPTS
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.messages import header_texts
from streams.kafka.reader import read_topic
from streams.operate.topics import create
from streams.verify.drain import wait_until_drained
from streams.verify.read_line import verify
from tests import door
from tests.faults.line import Line
from tests.spans import collector
from tests.tiny_artifact import tiny_artifact

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
WORDS = "Xylophone"


def headers(settings: Settings, topic: str) -> list[dict[str, str]]:
    return [header_texts(message) for message in read_topic(Cluster(settings), topic)]


def line(settings: Settings, folder: Path, **more: object) -> Settings:
    models = {f"{name}_model": str(tiny_artifact(folder, name)) for name in ("edge", "cloud")}
    made = settings.model_copy(
        update={
            **models,
            **more,
            "confidence_threshold": 1.0,  # everything goes to the cloud
            "ingest_port": 0,
            "ingest_secrets_folder": str(door.secrets_folder(folder / "secrets")),
        }
    )
    create(made)
    return made


@pytest.mark.kafka
@pytest.mark.timeout(300)
def test_a_request_is_one_trace_down_to_its_result(settings: Settings, tmp_path: Path) -> None:
    with collector() as receiver:
        traced = line(settings, tmp_path, otel_endpoint=receiver.url, otel_sample_rate=0.0)
        with Line(traced, tmp_path, slots=(0,)), door.serving(traced) as running:
            body = {"conversation_id": "c", "event_id": "e", "text": f"{WORDS} is late"}
            answered = door.events(running, body, traceparent=f"00-{TRACE}-{SPAN}-01", tracestate="a=1")
            assert answered.status_code == 200, answered.text
            wait_until_drained(traced, 120)
            of_topic = {name: f"process {traced.topic(name)}" for name in (TRANSCRIPTS, "cloud-inference", SENTIMENT)}
            sent = receiver.wait_for({"POST /v1/events": 1, **dict.fromkeys(of_topic.values(), 1)})
        verdict = verify(traced)
    assert verdict.holds
    assert {span.trace for spans in sent.values() for span in spans} == {TRACE}

    [request], [edge], [cloud] = (sent[name] for name in ("POST /v1/events", *list(of_topic.values())[:2]))
    assert (request.service, request.parent, request.kind) == ("edgewise-ingest", SPAN, 2)
    assert request.attributes["http.response.status_code"] == 200
    assert (edge.service, edge.parent) == ("edgewise-edge", request.span)
    assert edge.attributes["edgewise.route"] == "cloud"
    assert (cloud.service, cloud.parent) == ("edgewise-cloud", edge.span)
    [asked] = sent["ask cloud"]
    assert (asked.kind, asked.attributes["edgewise.failures"]) == (3, 0)
    assert {span.service for span in sent["commit"]} == {"edgewise-edge", "edgewise-cloud", "edgewise-conversation"}

    [result] = headers(traced, SENTIMENT)
    assert result == {"traceparent": f"00-{TRACE}-{cloud.span}-01", "tracestate": "a=1"}
    assert WORDS.encode() not in b"".join(receiver.bodies)


@pytest.mark.kafka
@pytest.mark.timeout(300)
def test_without_spans_a_context_is_carried_all_the_way_and_into_dead_letters(
    settings: Settings, tmp_path: Path
) -> None:
    plain = line(settings, tmp_path)
    parent = f"00-{TRACE}-{SPAN}-01"
    producer = Cluster(plain).producer({})
    producer.produce(plain.topic(TRANSCRIPTS), b"no event", b"c", headers=[("traceparent", parent.encode())])
    assert producer.flush(30) == 0
    with Line(plain, tmp_path, slots=(0,)), door.serving(plain) as running:
        body = {"conversation_id": "c", "event_id": "e", "text": "hello"}
        assert door.events(running, body, traceparent=parent).status_code == 200
        assert door.events(running, body | {"event_id": "f"}, traceparent=f"{parent} {WORDS}").status_code == 200
        wait_until_drained(plain, 120)
    results = {
        Codec(SENTIMENT).decode(message.value()).event_id: header_texts(message)
        for message in read_topic(Cluster(plain), SENTIMENT)
    }
    assert results == {"e": {"traceparent": parent}, "f": {}}
    [letter] = headers(plain, DEAD_LETTERS)
    assert letter["traceparent"] == parent
