"""The example producers put events into `transcripts` as Edgewise reads them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message

from schemas.released import released_schemas
from schemas.topics import TRANSCRIPTS
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.kafka.reader import read_topic
from streams.operate.schema_files import export
from streams.operate.topics import create
from tests.door import TOKEN, secrets_folder, serving
from tests.kafka.kafka_server import REPOSITORY, libs

EXAMPLES = REPOSITORY / "examples" / "producers"
JARS = [Path("/usr/share/java") / name for name in ("avro.jar", "jackson-core-asl.jar", "jackson-mapper-asl.jar")]
DEADLINE_S = 100
EVENTS: list[dict[str, Any]] = [
    {
        "event_id": f"e{number}", "conversation_id": f"c{number % 5}", "turn": number, "text": f"Grüße {number} 😡",
        "occurred_at": 1_767_606_914_000 + number, "role": "agent" if number % 2 else "customer", "channel": "chat",
        "language": "de", "source": "example",
    }
    for number in range(700)
]  # fmt: skip
LINES = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in EVENTS).encode()


def require(program: str, *files: Path) -> None:
    if shutil.which(program) is None or not all(file.exists() for file in files):
        reason = f"{program}, or what its example needs, is not there"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)


def run(command: list[str], **variables: str) -> str:
    environment = {**os.environ, **variables}
    done = subprocess.run(command, input=LINES, env=environment, capture_output=True, check=False, timeout=DEADLINE_S)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def check(settings: Settings) -> None:
    decode = codec(settings, TRANSCRIPTS).decode
    messages = list(read_topic(Cluster(settings), TRANSCRIPTS))
    events = [decode(message.value()) for message in messages]
    found = [{name: getattr(event, name) for name in EVENTS[0]} for event in events]
    assert sorted(found, key=lambda event: event["turn"]) == EVENTS
    assert all(message.key() == event.conversation_id.encode() for message, event in zip(messages, events, strict=True))
    for conversation in {event.conversation_id for event in events}:
        turns = [event.turn for event in events if event.conversation_id == conversation]
        assert turns == sorted(turns)
    # As Edgewise's own producers would, so that a conversation's turns meet in one partition.
    partitions = {message.key(): message.partition() for message in messages}
    placed: dict[Any, Any] = {}

    def on_delivery(_error: object, message: Message) -> None:
        placed[message.key()] = message.partition()

    producer = Cluster(settings).producer()
    for key in partitions:
        producer.produce(settings.topic(TRANSCRIPTS), b"", key, on_delivery=on_delivery)
    producer.flush(30)
    assert placed == partitions


def schema_file(folder: Path) -> str:
    export(folder / "avro")
    return str(folder / "avro" / f"v{max(released_schemas(TRANSCRIPTS))}" / "transcripts.avsc")


def test_python(settings: Settings, tmp_path: Path) -> None:
    create(settings)
    topic = settings.topic(TRANSCRIPTS)
    program = str(EXAMPLES / "produce_transcripts.py")
    run([sys.executable, program, settings.bootstrap_servers, topic, schema_file(tmp_path)])
    check(settings)


def test_node_through_the_door(settings: Settings, tmp_path: Path) -> None:
    require("node")
    create(settings)
    own = settings.model_copy(
        update={"ingest_port": 0, "ingest_secrets_folder": str(secrets_folder(tmp_path)), "ingest_deadline_ms": 60_000}
    )
    with serving(own) as door:
        command = ["node", str(EXAMPLES / "node" / "produce_transcripts.js"), door.url]
        assert json.loads(run(command, TOKEN=TOKEN)) == {"new": 700, "repeated": 0}
        assert json.loads(run(command, TOKEN=TOKEN)) == {"new": 0, "repeated": 700}
    check(settings)


@pytest.mark.kafka
def test_java(settings: Settings, tmp_path: Path) -> None:
    require("java", *JARS)
    create(settings)
    classpath = ":".join([f"{libs()}/*", *map(str, JARS)])
    program = str(EXAMPLES / "java" / "ProduceTranscripts.java")
    command = ["java", "-XX:TieredStopAtLevel=1", "-cp", classpath, program]
    run([*command, settings.bootstrap_servers, settings.topic(TRANSCRIPTS), schema_file(tmp_path)])
    check(settings)
