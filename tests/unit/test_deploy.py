"""What is deployed fits the code: variables are settings, files are there, ports and metrics agree."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram, Info

from benchmarks.results import load
from streams.agents import metrics
from streams.agents.metrics import LagCollector
from streams.agents.topology import AGENTS
from streams.config.loading import load_settings
from streams.config.settings import Settings, variable
from streams.monitoring.health_rules import load_health_rules
from streams.monitoring.prometheus_rules import prometheus_rules
from tests.kafka.kafka_server import REPOSITORY

COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
WORKERS = [name for name, service in SERVICES.items() if "build" in service]
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text().replace("\\\n", " ")
PROMETHEUS: dict[str, Any] = yaml.safe_load((REPOSITORY / "deploy" / "prometheus.yml").read_text())
RULES = "".join((REPOSITORY / "deploy" / file).read_text() for file in PROMETHEUS["rule_files"])


def _environment(service: str, given: dict[str, str]) -> dict[str, str]:
    """The service's variables as docker compose hands them over when the caller's environment is `given`."""
    return {
        name: re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: given.get(found[1]) or found[2], value)
        for name, value in SERVICES[service]["environment"].items()
    }


def test_every_agent_is_a_service() -> None:
    assert {tuple(SERVICES[name]["command"]) for name in WORKERS} == {
        ("topics", "create"),
        ("ingest",),
        ("page",),
        *(("worker", agent) for agent in AGENTS),
    }


@pytest.mark.parametrize("service", WORKERS)
def test_the_services_variables_are_settings_that_load(service: str) -> None:
    settings = load_settings(environ=_environment(service, {}))

    assert settings.bootstrap_servers == "kafka:19092"
    assert settings.metrics_port == 9464
    assert settings.router == "default"


@pytest.mark.parametrize("service", WORKERS)
def test_a_variable_that_is_passed_on_keeps_its_name(service: str) -> None:
    passed = {
        name: found[1]
        for name, value in SERVICES[service]["environment"].items()
        if (found := re.match(r"\$\{(\w+)", value)) is not None
    }
    assert passed
    assert all(inside == outside for inside, outside in passed.items())
    assert load_settings(environ=_environment(service, {"EDGEWISE_ROUTER": "article"})).router == "article"


def test_the_partitions_that_a_user_sets_are_those_of_the_topics() -> None:
    partitions = {name: 7 for name in Settings.model_fields if name.endswith("_partitions")}
    given = {variable(name): str(count) for name, count in partitions.items()}
    made = load_settings(environ=_environment("topics", given))
    assert {name: getattr(made, name) for name in partitions} == partitions


def test_every_edgewise_variable_in_the_container_files_is_a_setting() -> None:
    files = [DOCKERFILE, (REPOSITORY / "docker-compose.yml").read_text()]
    assert {name for text in files for name in re.findall(r"EDGEWISE_\w+", text)} <= {
        variable(name) for name in Settings.model_fields
    }


def test_services_wait_for_services_that_are_there_and_can_be_waited_for() -> None:
    for service in SERVICES.values():
        for name, wanted in service.get("depends_on", {}).items():
            if wanted["condition"] == "service_healthy":
                assert "test" in SERVICES[name]["healthcheck"]
            else:
                assert wanted["condition"] == "service_completed_successfully"
                assert SERVICES[name]["restart"] == "on-failure"


def test_kafka_is_advertised_where_the_workers_and_the_host_look_for_it() -> None:
    kafka = SERVICES["kafka"]["environment"]
    advertised = dict(each.split("://") for each in kafka["KAFKA_ADVERTISED_LISTENERS"].split(","))
    listening = dict(each.split("://") for each in kafka["KAFKA_LISTENERS"].split(","))
    protocols = dict(each.split(":") for each in kafka["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))

    assert advertised["INSIDE"] == SERVICES["edge"]["environment"]["EDGEWISE_BOOTSTRAP_SERVERS"]
    assert all(listening[name] == f":{address.split(':')[1]}" for name, address in advertised.items())
    assert listening.keys() == protocols.keys()
    assert SERVICES["kafka"]["ports"] == ["127.0.0.1:9092:9092"]
    assert advertised["OUTSIDE"] == "localhost:9092"


def test_mounted_files_and_named_volumes_exist() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("${"):
                continue  # the user's own
            assert (REPOSITORY / source).exists() if source.startswith("./") else source in COMPOSE["volumes"]


def test_images_are_pinned() -> None:
    assert all(re.search(r":v?\d+\.\d+\.\d+$", service["image"]) for service in SERVICES.values())


def test_the_dockerfile_copies_what_is_there_and_its_context_lets_in() -> None:
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    let_in = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    assert all((REPOSITORY / source.removeprefix("./")).exists() for source in copied)
    assert set(copied) == let_in


def test_the_image_runs_as_nobody_in_particular_and_says_how_it_is() -> None:
    last_stage = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    user = re.search(r"^USER (\d+):(\d+)$", last_stage, re.MULTILINE)
    assert user is not None, "a name: runAsNonRoot refuses it"
    assert int(user[1]) > 0
    assert f"--uid {user[1]}" in last_stage
    assert f"--gid {user[2]}" in last_stage
    assert not any("user" in service for service in SERVICES.values())
    assert re.search(r"^HEALTHCHECK .*EDGEWISE_METRICS_PORT.*/readyz", last_stage, re.MULTILINE)
    assert "EDGEWISE_METRICS_HOST=0.0.0.0" in last_stage, "else Prometheus could not reach it"


def test_the_runtime_lock_is_a_part_of_the_whole_lock() -> None:
    def pins(file: str) -> set[str]:
        return {line for line in (REPOSITORY / file).read_text().splitlines() if re.match(r"[a-z0-9]", line)}

    runtime, everything = pins("requirements-runtime.lock"), pins("requirements.lock")
    assert runtime
    assert runtime < everything
    assert not any(line.startswith(("pytest==", "mypy==", "torch==")) for line in runtime)


def test_prometheus_scrapes_every_worker_at_its_port() -> None:
    door, job = PROMETHEUS["scrape_configs"]
    assert [(each["names"], each["port"]) for each in door["dns_sd_configs"]] == [(["ingest"], Settings().ingest_port)]
    assert SERVICES["ingest"]["ports"] == [f"127.0.0.1:{Settings().ingest_port}:{Settings().ingest_port}"]
    (workers,) = job["dns_sd_configs"]

    assert set(workers["names"]) == set(WORKERS) - {"topics", "ingest", "page"}
    assert str(workers["port"]) == SERVICES["edge"]["environment"]["EDGEWISE_METRICS_PORT"]
    assert f"EXPOSE {workers['port']}" in DOCKERFILE
    assert [file for file in PROMETHEUS["rule_files"] if not (REPOSITORY / "deploy" / file).is_file()] == []


def test_the_page_is_published_at_its_port_on_this_machine_alone() -> None:
    port = Settings().page_port
    assert SERVICES["page"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f":{port}/readyz" in SERVICES["page"]["healthcheck"]["test"][-1]


def _labels_by_metric() -> dict[str, set[str]]:
    """The labels of every metric in streams/agents/metrics.py, by its name without what Prometheus puts behind it."""
    made = [part for part in vars(metrics).values() if isinstance(part, Counter | Gauge | Histogram | Info)]
    found = {next(iter(metric.describe())).name: set(metric._labelnames) for metric in made}
    [lag] = LagCollector("edge", lambda: {("transcripts", 0): 1}).collect()
    return found | {lag.name: set(lag.samples[0].labels)}


def test_the_rules_use_metrics_and_labels_that_a_worker_has() -> None:
    known = _labels_by_metric()
    for rule in _rules():
        for name, matchers in re.findall(r"\b(edgewise_\w+)(\{[^}]*\})?", rule["expr"]):
            metric = re.sub(r"_(total|bucket|count|sum|info)$", "", name)
            assert metric in known, name
            assert set(re.findall(r"(\w+)=", matchers)) <= known[metric], rule
        for labels in re.findall(r"by \(([^)]*)\)", rule["expr"]):
            used = {label.strip() for label in labels.split(",")}
            assert used <= {"le"}.union(*known.values()), rule


def _rules() -> list[dict[str, Any]]:
    files = [yaml.safe_load((REPOSITORY / "deploy" / file).read_text()) for file in PROMETHEUS["rule_files"]]
    return [rule for found in files for group in found["groups"] for rule in group["rules"]]


def test_every_alert_has_its_reason_and_is_played_well_and_unwell() -> None:
    """Seen to fail with an alert that no test plays, and with one without a comment."""
    alerts = [rule["alert"] for rule in _rules() if "alert" in rule]
    assert len(alerts) >= 10
    for alert in alerts:
        assert re.search(rf"- alert: {alert}\n +# \w", RULES), f"why {alert} has its bound"
    well, unwell, _ = yaml.safe_load((REPOSITORY / "deploy" / "prometheus-rules.test.yml").read_text())["tests"]
    assert [test["alertname"] for test in well["alert_rule_test"]] == alerts
    told = [alert for test in well["alert_rule_test"] for alert in test["exp_alerts"]]
    assert {alert["exp_labels"]["severity"] for alert in told} <= {"info"}  # an aim that is missed is no fault
    assert {test["alertname"] for test in unwell["alert_rule_test"] if test["exp_alerts"]} == set(alerts)


PROMTOOL = shutil.which("promtool")


@pytest.mark.skipif(PROMTOOL is None and not os.environ.get("CI"), reason="needs promtool (Debian: prometheus)")
@pytest.mark.parametrize(
    "what", [["check", "rules", *PROMETHEUS["rule_files"]], ["test", "rules", "prometheus-rules.test.yml"]]
)
def test_the_rules_are_sound_and_do_what_they_say(what: list[str]) -> None:
    done = subprocess.run(
        [PROMTOOL or "", *what], cwd=REPOSITORY / "deploy", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_health_rules_are_what_the_command_makes_of_those_that_ship() -> None:
    """`edgewise alerts prometheus-rules -o deploy/prometheus-health-rules.yml`."""
    made = (REPOSITORY / "deploy" / "prometheus-health-rules.yml").read_text()
    assert made == prometheus_rules(load_health_rules())


def test_the_bounds_are_beyond_what_the_benchmarks_measured() -> None:
    """Seen to fail with the article's bound of 150 ms, an aim: this release's own p95 at 200 events/s is 172 ms."""
    [bound] = [
        rule.bound for rule in load_health_rules() if rule.of.name == "latency_p95_ms" and rule.severity != "info"
    ]
    measured_ms = [
        max(figure.samples)
        for figure in load().figures["latency"]
        if figure.where == "kafka" and figure.what.startswith("p95")
    ]
    assert measured_ms
    assert bound > max(measured_ms)


def test_recorded_series_are_recorded_before_they_are_used() -> None:
    recorded: set[str] = set()
    for rule in _rules():
        assert set(re.findall(r"edgewise:\w+(?::\w+)?", rule["expr"])) <= recorded
        recorded |= {rule["record"]} if "record" in rule else set()


def test_nothing_deployed_names_a_path_of_the_machine_that_made_it() -> None:
    files: list[Path] = [*REPOSITORY.glob("requirements*.lock"), REPOSITORY / "docker-compose.yml"]
    assert len(files) == 4
    for file in files:
        assert re.findall(r"https?://(?!127\.0\.0\.1)|file:|/(?:home|root|tmp|work)/", file.read_text()) == [], file
