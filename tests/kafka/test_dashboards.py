"""Every query of Grafana's dashboards, asked of a real Prometheus that scrapes a real line."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from benchmarks.workers import environment, started
from schemas.topics import TRANSCRIPTS
from streams.agents.topology import AGENT_NAMES
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.operate.topics import create
from streams.system.processes import die_with_parent
from tests import door
from tests.dashboards import Query, queries
from tests.tiny_artifact import tiny_artifact

PROMETHEUS = shutil.which("prometheus")
LONGEST_WAIT_S = 120.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def scraping(folder: Path, targets: dict[str, Sequence[int]]) -> Iterator[str]:
    """A Prometheus that scrapes the ports of each job once a second: its address."""
    folder.mkdir()
    jobs = [
        {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}]}
        for job, ports in targets.items()
    ]
    (folder / "prometheus.yml").write_text(yaml.dump({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}))
    address = f"127.0.0.1:{free_port()}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                PROMETHEUS or "",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent(),  # noqa: PLW1509
        )
        try:
            yield f"http://{address}"
        finally:
            process.kill()
            process.wait()


def values(prometheus: str, query: Query) -> list[float]:
    """The figures that a query gives now, over the last minute where Grafana takes a time from what is shown."""
    expr = query.expr.replace("$__rate_interval", "1m").replace("$__range", "1m")
    try:
        answer = httpx.get(f"{prometheus}/api/v1/query", params={"query": expr}, timeout=30)
    except httpx.TransportError:  # it has not begun to listen
        return []
    if answer.status_code == 503:  # it is starting
        return []
    found: dict[str, Any] = answer.json()
    assert found["status"] == "success", (query, found["error"])
    return [value for each in found["data"]["result"] if isfinite(value := float(each["value"][1]))]


def send(settings: Settings, url: str, number: int) -> None:
    """Some of everything: events that are scored and one that is not, a refusal, a dead letter."""
    turns = [{"text": "my parcel is late again"}, {"text": "thank you so much"}, {"text": "hello", "role": "bot"}]
    body = [
        turn | {"conversation_id": f"c{place}", "event_id": f"{number}-{place}"} for place, turn in enumerate(turns)
    ]
    headers = {"Authorization": f"Bearer {door.TOKEN}"}
    assert httpx.post(f"{url}/v1/events", json=body, headers=headers, timeout=60).status_code == 200
    assert httpx.post(f"{url}/v1/events", json=body, timeout=60).status_code == 401
    producer = Cluster(settings).producer({})
    producer.produce(settings.topic(TRANSCRIPTS), b"no event")
    assert producer.flush(30) == 0


@pytest.mark.kafka
@pytest.mark.timeout(300)
@pytest.mark.skipif(PROMETHEUS is None, reason="needs prometheus (Debian: prometheus)")
def test_every_query_gives_figures(settings: Settings, tmp_path: Path) -> None:
    models = {f"{name}_model": str(tiny_artifact(tmp_path, name)) for name in ("edge", "cloud")}
    port = free_port()
    line = settings.model_copy(
        update={
            **models,
            "confidence_threshold": 0.6,
            "random_cloud_rate": 0.5,
            "dead_letter_limit": 1.0,
            "ingest_port": port,
            "ingest_secrets_folder": str(door.secrets_folder(tmp_path / "secrets")),
        }
    )
    create(line)
    commands = {name: ["worker", name] for name in AGENT_NAMES} | {"ingest": ["ingest"]}
    started_by = {name: [sys.executable, "-m", "streams.cli", *command] for name, command in commands.items()}
    with started(started_by, environment(line)) as processes:
        ports = [processes[name].metrics_port for name in AGENT_NAMES]
        with scraping(tmp_path / "prometheus", {"edgewise": ports, "ingest": [port]}) as prometheus:
            missing, number, deadline = queries(), 0, time.monotonic() + LONGEST_WAIT_S
            while missing and time.monotonic() < deadline:
                for process in processes.values():
                    process.check()
                if is_listening(port):
                    number += 1
                    send(line, f"http://127.0.0.1:{port}", number)
                missing = [query for query in missing if not values(prometheus, query)]
    assert missing == []


def is_listening(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
