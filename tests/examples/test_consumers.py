"""The example consumers read `sentiment` exactly once: killed, started again, in every release and either header."""

import json
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]
from fastavro import parse_schema, schemaless_writer

from schemas.registry import registry_client, schema_id
from schemas.released import released_schemas, schema_fingerprint
from schemas.topics import SENTIMENT
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.operate.schema_files import export
from tests.events import RESULT
from tests.faults.registry import schema_registry
from tests.kafka.kafka_server import REPOSITORY, libs

EXAMPLES = REPOSITORY / "examples" / "consumers"
JARS = [Path("/usr/share/java") / name for name in ("avro.jar", "jackson-core-asl.jar", "jackson-mapper-asl.jar")]
EVENTS = 400  # on each of two partitions
DEADLINE_S = 100

Encode = Callable[[str, int], bytes]  # of an event id and a turn


@pytest.fixture
def command(language: str, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What starts the example in `language`; skipped where that is not there, and failed with CI=true."""
    if language == "python":
        return [sys.executable, str(EXAMPLES / "consume_sentiment.py")]
    missing = [str(jar) for jar in JARS if not jar.exists()] if language == "java" else []
    if shutil.which(language) is None or missing:
        reason = f"{language} is not there" if not missing else "avro for Java is not there (Debian: libavro-java)"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    if language == "java":
        classpath = ":".join([f"{libs()}/*", *map(str, JARS)])
        return ["java", "-XX:TieredStopAtLevel=1", "-cp", classpath, str(EXAMPLES / "java" / "ConsumeSentiment.java")]
    folder = tmp_path_factory.mktemp("node")
    for file in (EXAMPLES / "node").iterdir():
        if file.is_file():
            shutil.copy(file, folder)
    npm = shutil.which("npm") or "npm"
    subprocess.run([npm, "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True, timeout=DEADLINE_S)
    return ["node", str(folder / "consume_sentiment.js")]


@pytest.fixture
def registry() -> Iterator[str]:
    """The address of a schema registry."""
    with schema_registry() as url:
        yield url


def _encoders(topic: str, registry: str) -> list[Encode]:
    """Two for each released schema, the oldest first: with its fingerprint, and with its id in the registry."""
    encoders: list[Encode] = []
    client = registry_client(registry, None, None)
    assert client is not None
    for schema in released_schemas(SENTIMENT).values():
        names = [field["name"] for field in schema["fields"]]
        id_ = schema_id(client, f"{topic}-value", schema)
        headers = (b"\xc3\x01" + schema_fingerprint(schema), struct.pack(">bI", 0, id_))
        encoders += [partial(_written, header, parse_schema(schema), names) for header in headers]
    return encoders


def _written(header: bytes, schema: Any, names: list[str], event_id: str, turn: int) -> bytes:
    out = BytesIO()
    out.write(header)
    changed = {"event_id": event_id, "turn": turn, "role": "customer"}
    schemaless_writer(out, schema, {name: changed.get(name, getattr(RESULT, name)) for name in names})
    return out.getvalue()


def _publish(settings: Settings, topic: str, encoders: list[Encode], *, aborted: bool) -> list[list[str]]:
    """Results on two partitions, some of them twice; the event ids in the order of each partition, once."""
    admin = Cluster(settings).admin()
    [future] = admin.create_topics([NewTopic(topic, 2, 1)]).values()
    future.result()
    ids = [[f"p{partition}-{number}" for number in range(EVENTS)] for partition in range(2)]
    # As `edgewise topics create` has the broker keep it: kafkajs knows no other codec.
    gzip = {"compression.type": "gzip"}
    producer = Cluster(settings).producer(gzip, transactional_id=f"{topic}-test" if aborted else None)
    if aborted:
        producer.init_transactions(30)
    for begin in range(0, EVENTS, 100):
        if aborted:
            producer.begin_transaction()
            for partition in range(2):
                producer.produce(topic, encoders[0](f"aborted-{begin}", 0), partition=partition)
            producer.flush(30)
            producer.abort_transaction(30)
            producer.begin_transaction()
        for partition in range(2):
            for number in range(begin, begin + 100):
                producer.produce(
                    topic, encoders[number % len(encoders)](ids[partition][number], number), partition=partition
                )
            producer.produce(topic, encoders[-1](ids[partition][begin], begin), partition=partition)  # once more
        if aborted:
            producer.commit_transaction(30)
    assert producer.flush(30) == 0
    return ids


def _lines(folder: Path, topic: str) -> list[list[dict[str, Any]]]:
    files = [folder / f"{topic}-{partition}.jsonl" for partition in range(2)]
    return [[json.loads(line) for line in file.read_text("utf-8").splitlines()] for file in files]


@pytest.mark.parametrize(
    ("language", "backend"),
    [
        ("python", "embedded"),
        *(pytest.param(language, "kafka", marks=pytest.mark.kafka) for language in ("python", "node", "java")),
    ],
)
def test_an_example_reads_each_result_once_though_it_is_killed(
    command: list[str], registry: str, settings: Settings, backend: str, tmp_path: Path
) -> None:
    topic = settings.topic(SENTIMENT)
    export(tmp_path / "avro")
    ids = _publish(settings, topic, _encoders(topic, registry), aborted=backend == "kafka")
    results = tmp_path / "results"
    arguments = [*command, settings.bootstrap_servers, topic, str(tmp_path / "avro"), str(results), registry]

    with subprocess.Popen(arguments) as killed:
        _wait_for_some(results / f"{topic}-0.jsonl", killed)
        killed.kill()
    with (results / f"{topic}-0.jsonl").open("a") as file:
        file.write('{"offset": 99, "event_id": "' + "x" * 1_000_000)  # as a machine that lost its power leaves it
    subprocess.run([*arguments, "--until-end"], check=True, timeout=DEADLINE_S)
    subprocess.run([*arguments, "--until-end"], check=True, timeout=DEADLINE_S)  # nothing is new

    lines = _lines(results, topic)
    assert [[line["event_id"] for line in of_one] for of_one in lines] == ids
    assert [line["turn"] for line in lines[1]] == list(range(EVENTS))
    assert {(line["label"], line["confidence"], line["route"], line["degraded"]) for line in lines[0]} == {
        (RESULT.label, RESULT.confidence, RESULT.route, RESULT.degraded)
    }
    # Of the first release, which knew no roles, the reader's schema says that it is unknown.
    assert [line["role"] for line in lines[0][:4]] == ["unknown", "unknown", "customer", "customer"]


def _wait_for_some(file: Path, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + DEADLINE_S
    while not (file.exists() and file.stat().st_size):
        assert process.poll() is None, "it ended by itself"
        assert time.monotonic() < end, "nothing was read"
        time.sleep(0.05)
