"""`edgewise health`: what it prints for people and for scripts, read from a broker."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from schemas.codec import Codec
from schemas.errors import UsageError
from schemas.records import Alert
from schemas.topics import ALERTS, MONITORING, ROUTING_EVENTS
from streams.cli import main as cli
from streams.cli.commands.health import EXIT_CODES
from streams.cli.health_advice import recommendations
from streams.cli.health_report import as_dict, as_text
from streams.config.settings import Settings
from streams.files.given_labels import GivenLabel
from streams.kafka.client import Cluster
from streams.monitoring.alerting import alert_key
from streams.monitoring.decisions import DecisionColumns
from streams.monitoring.drift import Reference
from streams.monitoring.health import WORDS, Health, assess
from streams.monitoring.health_rules import bounds, load_health_rules
from streams.monitoring.reference_file import reference_text
from streams.monitoring.window import Window
from streams.operate.labels import bring_labels
from streams.operate.topics import create
from streams.system.json_text import json_text
from tests.decisions import EDGE_ANSWER, NOW, cloud_answer
from tests.schema_records import EXAMPLES

GOLDEN = Path(__file__).with_name("health.golden.json")
HOUR_MS = 3_600_000
BOUNDS = bounds(load_health_rules())


def hour(number: int, *, disagreed: int = 10) -> Window:
    """An hour of 100 events; each is quicker than the one before."""
    window = Window(NOW + number * HOUR_MS, NOW + (number + 1) * HOUR_MS, 0)
    sample = [cloud_answer(cloud_label="negative", cloud_confidence=0.8)] * disagreed + [cloud_answer()] * (
        30 - disagreed
    )
    quicker = [replace(EDGE_ANSWER, end_to_end_ms=200.0 - 10 * number, vendor_label="neutral")]
    window.add([*sample, *quicker * 70])
    return window


def health() -> Health:
    windows = [hour(number) for number in range(12)]
    total = Window(NOW, NOW, -1)
    for window in windows:
        total.merge(window)
    return assess(total, windows, BOUNDS)


def decisions(*, events: int = 3_000) -> DecisionColumns:
    """Of the sample the cloud disagrees where the edge's confidence is under 0.7."""
    columns = DecisionColumns()
    recorded = []
    for at in range(events):
        confidence = 0.5 + at / (2 * events)
        when = NOW + at * 1_000
        kept = replace(EDGE_ANSWER, edge_confidence=confidence, recorded_at=when, complexity=0.1)
        label = "negative" if confidence < 0.7 else "neutral"
        seen = cloud_answer(edge_confidence=confidence, recorded_at=when, complexity=0.1, cloud_label=label)
        recorded.append(seen if at % 4 == 0 else kept)
    columns.add_events(recorded)
    return columns


def test_json_is_as_it_was_released() -> None:
    told = json.loads(json_text(as_dict(health(), [], None, None)))
    assert told == json.loads(GOLDEN.read_text("utf-8"))


def test_advice_names_the_setting_and_what_it_would_do() -> None:
    settings = Settings(confidence_threshold=0.5, complexity_threshold=1.0)
    advice, now = recommendations(settings, health(), decisions().decisions())
    assert now is not None
    told = json.loads(json_text(as_dict(health(), [], advice, now)))
    assert told["now"]["confidence_threshold"] == 0.5
    by_figure = {each["figure"]: each for each in told["recommendations"]}
    agreed = by_figure["agreement"]
    assert agreed["setting"] == "EDGEWISE_CONFIDENCE_THRESHOLD"
    assert agreed["then"]["kept_agreement"] > 0.85 > told["now"]["kept_agreement"]
    assert agreed["then"]["edge_share"] < told["now"]["edge_share"]
    text = as_text(health(), [], advice, now)
    assert f"EDGEWISE_CONFIDENCE_THRESHOLD={agreed['then']['confidence_threshold']:g} would" in text
    assert f"{told['now']['usd_per_day']:,.2f}" in text
    assert f"{agreed['then']['usd_per_day']:,.2f}" in text


def test_nothing_is_recommended_where_nothing_is_known() -> None:
    one = DecisionColumns()
    one.add_events([EDGE_ANSWER])
    assert recommendations(Settings(), health(), one.decisions()) == ([], None)
    assert "none: all decisions have the same time" in as_text(health(), [], [], None)


def test_a_line_that_is_well_gets_no_advice() -> None:
    window = Window(NOW, NOW + HOUR_MS, 0)
    window.add([EDGE_ANSWER] * 9 + [cloud_answer(cost_usd=0.0)])
    advice, now = recommendations(Settings(), assess(window, [window], BOUNDS), decisions().decisions())
    assert advice == []
    assert "none: nothing that a threshold moves misses its bound" in as_text(
        assess(window, [window], BOUNDS), [], advice, now
    )


def test_the_text_has_each_figure_with_its_bound_and_course() -> None:
    text = as_text(health(), [], None, None)
    assert text.startswith(f"health: {health().score} of 100, {health().word}\n1,200 events from 2025-11-24T16:00:00Z")
    [latency] = [line for line in text.splitlines() if line.startswith("latency p95")]
    assert "<= 150" in latency
    assert "improving" in latency
    assert "-9.9" in latency
    cheap = Window(NOW, NOW + HOUR_MS, 0)
    cheap.add([replace(EDGE_ANSWER, cost_usd=0.00002)])
    assert re.search(r"dollars an event +0\.00002 ", as_text(assess(cheap, [cheap], BOUNDS), [], None, None))
    assert "with the cloud, not with people" in text
    assert "the calibration of the models holds" in text
    assert (
        as_text(assess(Window(0, 0, -1), [], BOUNDS), [], None, None)
        == "health: unknown: no event was scored in this time"
    )


def test_every_word_has_an_exit_code_of_its_own() -> None:
    assert set(EXIT_CODES) == {*(word for _, word in WORDS), "unknown"}
    others = [code for code in EXIT_CODES.values() if code]
    assert len(set(others)) == len(others)
    assert not {1, 2} & {*others}


def test_a_time_that_is_none_is_said() -> None:
    with pytest.raises(UsageError, match="--since yesterday: give a time such as"):
        raise run("--since", "yesterday").exception or AssertionError


def test_it_reads_the_windows_the_decisions_and_the_labels_of_a_line(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEWISE_BOOTSTRAP_SERVERS", settings.bootstrap_servers)
    monkeypatch.setenv("EDGEWISE_TOPIC_PREFIX", settings.topic_prefix)
    create(settings)
    since = "2025-11-24T00:00:00Z"
    empty = run("--since", since, "--advise")
    assert (empty.exit_code, empty.output) == (6, "health: unknown: no event was scored in this time\n")

    producer = Cluster(settings).producer()
    encode = Codec(MONITORING).encode
    first = hour(0, disagreed=0)
    for number, window in enumerate([first, *(hour(number) for number in range(12))]):  # one is replaced
        key = f"{window.start}:0".encode()
        producer.produce(settings.topic(MONITORING), encode(window.to_record(number)), key, timestamp=window.start)
    audit = Codec(ROUTING_EVENTS).encode
    for event in (EDGE_ANSWER, cloud_answer(recorded_at=NOW + 1_000, cloud_label="negative")):
        producer.produce(settings.topic(ROUTING_EVENTS), audit(event), b"c1", 0)
    assert producer.flush(30) == 0

    done = run("--since", since, "--json")
    assert done.exit_code == EXIT_CODES[health().word], done.output
    assert json.loads(done.output) == json.loads(GOLDEN.read_text("utf-8"))
    example = EXAMPLES[ALERTS]
    assert isinstance(example, Alert)
    alert = replace(example, rule="latency_high", summary="slow\x1b[2J", silenced=True)
    resolved = replace(alert, rule="no_data", state="resolved")
    of_a_conversation = replace(alert, rule="escalation", subject="c1")
    for each in (alert, resolved, of_a_conversation):
        producer.produce(settings.topic(ALERTS), Codec(ALERTS).encode(each), alert_key(each.rule, each.subject))
    assert producer.flush(30) == 0
    told = json.loads(run("--since", since, "--json").output)["alerts"]
    assert [(each["rule"], each["silenced"]) for each in told] == [("latency_high", True)]
    text = run("--since", since).output
    assert "alert latency_high (warning, silenced) since 2023-11-14T22:13:20Z: slow\ufffd[2J" in text
    later = json.loads(run("--since", "2025-11-24T20:30:00Z", "--json").output)
    assert later["events"] == 700
    advised = json.loads(run("--since", since, "--advise", "--json").output)
    assert {each["figure"] for each in advised["recommendations"]} >= {"agreement"}
    assert advised["now"]["edge_share"] is not None

    label_all(settings)
    file = tmp_path / "reference.json"
    before = Window(NOW, NOW + HOUR_MS, 0)
    before.add([replace(EDGE_ANSWER, router="older@1")] * 1_000)
    file.write_text(reference_text(Reference.of(before)), "utf-8")
    monkeypatch.setenv("EDGEWISE_DRIFT_REFERENCE", str(file))
    labelled = json.loads(run("--since", since, "--json").output)
    assert labelled["figures"]["accuracy"]["counted_on"] == labelled["accuracy_by_people"]["of"] == 2
    assert labelled["accuracy_by_people"]["by_route"]["edge"]["right"] == 1
    assert labelled["not_in_drift_reference"] == ["cloud@1", "default@1"]
    assert labelled["figures"]["drift_roles"]["standing"] == "kept"
    text = run("--since", since).output
    assert "no reference fits confidence and labels: cloud@1, default@1 answered" in text
    assert "role unknown" in text


def label_all(settings: Settings) -> None:
    """People label the two events of the audit trail: they agree with the edge's answer, not with the cloud's."""
    labels = [GivenLabel(event, "c1", "neutral", NOW, None, "") for event in ("e1", "e2")]
    producer = Cluster(settings).producer()
    second = cloud_answer(event_id="e2", recorded_at=NOW + 1_000, cloud_label="negative")
    producer.produce(settings.topic(ROUTING_EVENTS), Codec(ROUTING_EVENTS).encode(second), b"c1", 0)
    producer.produce(settings.topic(ROUTING_EVENTS), Codec(ROUTING_EVENTS).encode(EDGE_ANSWER), b"c1", 0)
    assert producer.flush(30) == 0
    bring_labels(settings, labels)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["health", *arguments])
