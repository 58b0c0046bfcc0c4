"""Grafana's dashboards: what they are made of is in Grafana's schema, and what they ask for is in the code."""

import json
import re
from itertools import combinations
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client import Counter, Gauge, Histogram, Info

from streams.agents import metrics as worker_metrics
from streams.agents.metrics import LagCollector
from streams.ingest import metrics as door_metrics
from tests.dashboards import DASHBOARDS, FOLDER, panels, queries
from tests.kafka.kafka_server import REPOSITORY


def read_by_grafana(dashboard: dict[str, Any]) -> dict[str, Any]:
    """What Grafana's own types make of it: what they do not know is left out."""
    register_default_plugins()
    made: dict[str, Any] = json.loads(JSONEncoder().encode(Dashboard.from_json(dashboard)))
    return made


def lost(written: Any, read: Any, place: str = "") -> list[str]:
    """The places of what is written and was not read."""
    if isinstance(written, dict):
        there = read if isinstance(read, dict) else {}
        return [
            each
            for key, value in written.items()
            for each in (lost(value, there[key], f"{place}/{key}") if key in there else [f"{place}/{key}"])
        ]
    if isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        return [
            each
            for number, (one, other) in enumerate(zip(written, read, strict=True))
            for each in lost(one, other, f"{place}/{number}")
        ]
    return [] if written == read else [place]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_grafana_knows_every_key(name: str) -> None:
    assert lost(DASHBOARDS[name], read_by_grafana(DASHBOARDS[name])) == []


@pytest.mark.parametrize("key", ["gridPos", "reduceOptions", "legendFormat", "showPoints", "expr"])
def test_a_misspelt_key_would_be_found(key: str) -> None:
    misspelt = json.loads(json.dumps(DASHBOARDS["line"]).replace(f'"{key}"', f'"{key}s"'))
    assert any(place.endswith(f"/{key}s") for place in lost(misspelt, read_by_grafana(misspelt)))


def known_metrics() -> dict[str, set[str]]:
    """The labels of every metric of workers and door, by its name without what Prometheus puts behind it."""
    made = [
        part
        for module in (worker_metrics, door_metrics)
        for part in vars(module).values()
        if isinstance(part, Counter | Gauge | Histogram | Info)
    ]
    found = {next(iter(metric.describe())).name: set(metric._labelnames) for metric in made}
    [lag] = LagCollector("edge", lambda: {("transcripts", 0): 1}).collect()
    # What an Info says is labels of its sample.
    said = {"edgewise_build": {"version", "python"}, "edgewise_model": {"model"}}
    return {name: labels | said.get(name, set()) for name, labels in found.items()} | {
        lag.name: set(lag.samples[0].labels)
    }


def test_the_queries_use_metrics_and_labels_that_there_are() -> None:
    known = known_metrics()
    assert len(queries()) >= 40
    for query in queries():
        for name, matchers in re.findall(r"\b(edgewise_\w+)(\{[^}]*\})?", query.expr):
            metric = name if name in known else re.sub(r"_(total|bucket|count|sum|info)$", "", name)
            assert metric in known, query
            assert set(re.findall(r"(\w+)=", matchers)) <= known[metric], query
        for labels in re.findall(r"by \(([^)]*)\)", query.expr):
            assert {label.strip() for label in labels.split(",")} <= {"le"}.union(*known.values()), query


def test_a_panel_says_what_it_shows_in_which_unit_and_where_it_gets_it() -> None:
    for name, panel in panels():
        assert panel["description"].endswith("."), (name, panel["title"])
        assert panel["fieldConfig"]["defaults"]["unit"], (name, panel["title"])
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_an_alert_that_is_named_is_there() -> None:
    rules = "".join(file.read_text() for file in (REPOSITORY / "deploy").glob("prometheus-*rules.yml"))
    named = {name for _, panel in panels() for name in re.findall(r"Edgewise[A-Z]\w+", panel["description"])}
    assert len(named) >= 5
    assert named <= set(re.findall(r"- alert: (\w+)", rules))


@pytest.mark.parametrize("name", DASHBOARDS)
def test_no_panel_lies_on_another(name: str) -> None:
    places = [panel["gridPos"] for panel in DASHBOARDS[name]["panels"]]
    assert len({panel["id"] for panel in DASHBOARDS[name]["panels"]}) == len(places)
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above, (one, other)


def test_the_dashboards_lead_to_each_other() -> None:
    addresses = {f"/d/{dashboard['uid']}" for dashboard in DASHBOARDS.values()}
    assert {link["url"] for dashboard in DASHBOARDS.values() for link in dashboard["links"]} == addresses


def test_grafana_of_the_compose_file_finds_dashboards_and_prometheus() -> None:
    compose = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]
    mounted = dict(volume.split(":")[1::-1] for volume in compose["grafana"]["volumes"])
    [provider] = yaml.safe_load((FOLDER / "provisioning/dashboards/edgewise.yml").read_text())["providers"]
    assert mounted[provider["options"]["path"]] == "./deploy/grafana/dashboards"
    assert mounted["/etc/grafana/provisioning"] == "./deploy/grafana/provisioning"
    home = compose["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/line.json"

    [source] = yaml.safe_load((FOLDER / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    scraping = yaml.safe_load((REPOSITORY / "deploy/prometheus.yml").read_text())["global"]
    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in compose
    assert source["jsonData"]["timeInterval"] == scraping["scrape_interval"]
