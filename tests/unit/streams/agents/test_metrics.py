"""What a worker tells Prometheus, scraped from a real worker."""

import os
import platform
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest
from confluent_kafka import Producer
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from schemas.codec import Codec
from schemas.topics import TRANSCRIPTS
from streams.config.settings import Settings
from streams.operate.topics import create
from tests.faults.load import events
from tests.kafka.kafka_server import REPOSITORY
from tests.tiny_artifact import tiny_artifact

EVENTS = 200
POISON = 3


def scrape(port: int) -> Mapping[str, Metric]:
    """Metric families by name; none while the worker does not listen yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
            return {family.name: family for family in text_string_to_metric_families(response.read().decode())}
    except URLError:
        return {}


def status(port: int, path: str) -> int | None:
    """The HTTP status; None while the worker does not listen yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
            found: int = response.status
            return found
    except HTTPError as refused:
        return refused.code
    except URLError:
        return None


def total(families: Mapping[str, Metric], family: str, sample: str, **labels: str) -> float:
    if family not in families:
        return 0
    return sum(s.value for s in families[family].samples if s.name == sample and labels.items() <= s.labels.items())


def test_a_worker_counts_what_it_did(settings: Settings, tmp_path: Path) -> None:
    create(settings)
    codec = Codec(TRANSCRIPTS)
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers})
    for event in islice(events(), EVENTS):
        producer.produce(settings.topic("transcripts"), codec.encode(event), event.conversation_id.encode())
    for _ in range(POISON):
        producer.produce(settings.topic("transcripts"), b"junk", b"c")
    assert producer.flush(30) == 0
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {
        "EDGEWISE_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "EDGEWISE_TOPIC_PREFIX": settings.topic_prefix,
        "EDGEWISE_EDGE_MODEL": str(tiny_artifact(tmp_path)),
        "EDGEWISE_METRICS_PORT": str(port),
        "EDGEWISE_CONFIDENCE_THRESHOLD": "0",
    }
    worker = subprocess.Popen([sys.executable, "-m", "streams.cli", "worker", "edge"], cwd=REPOSITORY, env=environment)
    try:
        deadline, ready = time.monotonic() + 60, False
        while True:
            ready = ready or status(port, "/readyz") == 200
            families = scrape(port)
            if ready and total(families, "edgewise_batch_records", "edgewise_batch_records_sum") == EVENTS + POISON:
                break
            assert worker.poll() is None
            assert time.monotonic() < deadline, "the input was not done in time"
            time.sleep(0.1)
        assert [status(port, path) for path in ("/livez", "/readyz", "/", "/metric")] == [200, 200, 404, 404]
    finally:
        worker.terminate()
        worker.wait(30)

    assert total(families, "edgewise_events", "edgewise_events_total", agent="edge") == EVENTS
    letters = total(families, "edgewise_dead_letters", "edgewise_dead_letters_total", reason="undecodable")
    assert letters == POISON
    completed = total(families, "edgewise_events", "edgewise_events_total", stage="completed")
    assert total(families, "edgewise_latency_seconds", "edgewise_latency_seconds_count", route="edge") == completed > 0
    assert total(families, "edgewise_cost_usd", "edgewise_cost_usd_total") == pytest.approx(0.001 * EVENTS)
    assert total(families, "edgewise_inference_seconds", "edgewise_inference_seconds_count") > 0
    assert total(families, "edgewise_transaction_seconds", "edgewise_transaction_seconds_count") > 0
    assert total(families, "edgewise_transaction_aborts", "edgewise_transaction_aborts_total") == 0
    [build] = families["edgewise_build_info"].samples
    assert build.labels == {"agent": "edge", "version": version("edgewise"), "python": platform.python_version()}
    [model] = families["edgewise_model_info"].samples
    assert model.labels == {"agent": "edge", "model": "edge@1.0.0"}
    lags = families["edgewise_lag_records"].samples
    assert {sample.labels["partition"] for sample in lags} == {"0", "1", "2", "3"}
    assert all(sample.value == 0 for sample in lags)
