"""`edgewise drift freeze` and `compare`, read from a broker."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from schemas.errors import UsageError
from schemas.topics import MONITORING
from streams.cli import main as cli
from streams.config.codecs import codec
from streams.config.settings import Settings
from streams.kafka.client import Cluster
from streams.monitoring.reference_file import DriftReferenceError, read_reference
from streams.monitoring.window import Window
from streams.operate.topics import create
from tests.unit.streams.monitoring.test_drift import HOUR_MS, window

START = 1_764_000_000_000


@pytest.fixture(autouse=True)
def line(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("EDGEWISE_BOOTSTRAP_SERVERS", settings.bootstrap_servers)
    monkeypatch.setenv("EDGEWISE_TOPIC_PREFIX", settings.topic_prefix)
    create(settings)
    return settings


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["drift", *arguments])


def put(settings: Settings, hours: dict[int, Window]) -> None:
    encode, producer = codec(settings, MONITORING).encode, Cluster(settings).producer()
    for hour, each in hours.items():
        each.start = START + hour * HOUR_MS
        each.end = each.start + HOUR_MS
        key = f"{each.start}:0".encode()
        producer.produce(settings.topic(MONITORING), encode(each.to_record(0)), key, timestamp=each.start)
    assert producer.flush(30) == 0


def test_a_reference_is_frozen_and_compared_with(
    line: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = {hour: window(600, hour, 1.0, model="edge@0.9.0") for hour in range(2)}
    put(line, {1: window(100, 50)})  # it is replaced
    put(line, old | {hour: window(600, hour) for hour in range(2, 6)})
    put(line, {hour: window(600, hour, 0.3, edge_label="negative") for hour in range(6, 8)})
    file = tmp_path / "reference.json"
    sixth = "2025-11-24T22:00:00Z"
    frozen = run("freeze", "--since", "2025-11-24T00:00:00Z", "--until", sixth, "-o", str(file))
    assert frozen.exit_code == 0, frozen.output
    reference = read_reference(str(file))
    assert (reference.events, set(reference.models)) == (2_400, {"edge@1.0.0"})
    assert (reference.since_ms, reference.until_ms) == (START + 2 * HOUR_MS, START + 6 * HOUR_MS)
    assert "a reference of 2,400 events from 2025-11-24T18:00:00Z" in frozen.stderr

    monkeypatch.setenv("EDGEWISE_DRIFT_REFERENCE", str(file))
    told = json.loads(run("compare", "--since", sixth, "--json").stdout)
    assert (told["events"], told["not_in_reference"]) == (1_200, [])
    assert told["drift"]["labels"]["interval"][0] > 0.05 > told["drift"]["length"]["distance"]
    assert told["drift"]["labels"]["moved"][0]["name"] in {"negative", "neutral"}
    text = run("compare", "--since", sixth).stdout
    [labels] = [line for line in text.splitlines() if line.startswith("labels")]
    assert "negative" in labels

    earlier = run("compare", "--since", "2025-11-24T00:00:00Z", "--until", "2025-11-24T18:00:00Z").stdout
    assert "no reference fits confidence and labels: edge@0.9.0 answered" in earlier


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no reference: make one with `edgewise drift freeze`"):
        raise run("compare").exception or AssertionError
    with pytest.raises(DriftReferenceError, match="there are 0 in this time"):
        raise run("freeze", "-o", str(tmp_path / "r.json")).exception or AssertionError
    assert not (tmp_path / "r.json").exists()
