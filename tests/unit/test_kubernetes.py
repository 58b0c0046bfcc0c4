"""What `kubectl apply -k` would send: it fits Kubernetes' own schemas, the settings, the topology and the image."""

import functools
import os
import shutil
import subprocess
from typing import Any

import kubernetes_validate
import pytest
import yaml

from streams.agents.topology import AGENT_NAMES, AGENTS
from streams.config.loading import load_settings
from tests.kafka.kafka_server import REPOSITORY

FOLDER = REPOSITORY / "deploy" / "kubernetes"
VERSION = "1.33"  # of Kubernetes, whose schemas the manifests are held against

pytestmark = pytest.mark.skipif(
    shutil.which("kubectl") is None and not os.environ.get("CI"),
    reason="kubectl is not there (Debian: kubernetes-client)",
)


@functools.cache
def _objects(overlay: str = "") -> list[dict[str, Any]]:
    command = ["kubectl", "kustomize", str(FOLDER / overlay)]
    rendered = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return list(yaml.safe_load_all(rendered))


def _of_kind(kind: str, overlay: str = "") -> dict[str, dict[str, Any]]:
    return {found["metadata"]["name"]: found for found in _objects(overlay) if found["kind"] == kind}


def _pods() -> dict[str, dict[str, Any]]:
    """The pod of each workload."""
    return {
        found["metadata"]["name"]: found["spec"]["template"]["spec"]
        for found in _objects()
        if "template" in found.get("spec", {})
    }


def _setting_values() -> dict[str, str]:
    (config,) = _of_kind("ConfigMap").values()
    values: dict[str, str] = config["data"]
    return values


def test_every_object_fits_its_schema() -> None:
    objects = _objects()

    for found in objects:
        kubernetes_validate.validate(found, VERSION, strict=True)
    assert len(objects) > 10


def test_a_misspelt_field_would_be_found() -> None:
    (name, stateful), *_ = _of_kind("StatefulSet").items()
    misspelt = stateful | {"spec": stateful["spec"] | {"replica": 2}}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(misspelt, VERSION, strict=True)
    assert name


def test_every_agent_is_a_stateful_set_that_runs_it() -> None:
    commands = {
        name: found["spec"]["template"]["spec"]["containers"][0]["args"]
        for name, found in _of_kind("StatefulSet").items()
    }

    assert commands == {agent: ["worker", agent] for agent in AGENT_NAMES}


def test_every_stateful_set_has_its_service_its_budget_and_its_own_pods() -> None:
    services, budgets = _of_kind("Service"), _of_kind("PodDisruptionBudget")

    for name, found in _of_kind("StatefulSet").items():
        spec = found["spec"]
        mine = {"app.kubernetes.io/name": name}
        assert spec["serviceName"] == name
        assert spec["selector"]["matchLabels"] == mine
        assert mine.items() <= spec["template"]["metadata"]["labels"].items()
        assert spec["template"]["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"] == mine
        assert services[name]["spec"]["selector"] == mine
        assert budgets[name]["spec"]["selector"]["matchLabels"] == mine


def test_the_settings_load() -> None:
    settings = load_settings(environ=_setting_values())

    assert settings.replication_factor == 3
    assert settings.metrics_host == "0.0.0.0"  # noqa: S104 - what a probe from outside the pod can reach


def test_the_probes_ask_the_port_that_the_setting_names() -> None:
    port = load_settings(environ=_setting_values()).metrics_port

    for name in AGENT_NAMES:
        (container,) = _pods()[name]["containers"]
        assert {"name": "metrics", "containerPort": port} in container["ports"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert container[probe]["httpGet"]["port"] == "metrics"


def test_no_pod_has_rights_that_it_does_not_need() -> None:
    pods = _pods()

    assert pods
    for pod in pods.values():
        _has_no_rights(pod)


def _has_no_rights(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert f"USER {pod['securityContext']['runAsUser']}:" in (REPOSITORY / "Dockerfile").read_text()
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"]  # noqa: S108 - the container's


def test_workers_scale_by_the_lag_of_their_own_group_up_to_its_partitions() -> None:
    values = _setting_values()
    settings = load_settings(environ=values)
    for name, scaled in _of_kind("ScaledObject", "operators").items():
        (trigger,) = scaled["spec"]["triggers"]
        assert scaled["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": name}
        assert trigger["metadata"]["consumerGroup"] == settings.group(name)
        assert trigger["metadata"]["topic"] == settings.topic(AGENTS[name].reads)
        assert trigger["metadata"]["bootstrapServers"] == settings.bootstrap_servers
        partitions = getattr(settings, AGENTS[name].reads.replace("-", "_") + "_partitions")
        assert scaled["spec"]["maxReplicaCount"] == partitions
    assert set(_of_kind("ScaledObject", "operators")) == {"edge", "cloud"}


def test_an_apply_does_not_say_how_many_of_what_keda_scales() -> None:
    """It would set them back, under load too."""
    counted = {name for name, found in _of_kind("StatefulSet", "operators").items() if "replicas" in found["spec"]}
    assert counted == set(AGENT_NAMES) - set(_of_kind("ScaledObject", "operators"))


def test_the_job_is_gone_before_the_next_apply() -> None:
    """Kubernetes refuses one that changes the template of a Job that is there."""
    (job,) = _of_kind("Job").values()
    assert job["spec"]["ttlSecondsAfterFinished"] == 300


def test_the_pod_monitor_finds_every_worker() -> None:
    monitor = _of_kind("PodMonitor", "operators")["edgewise"]["spec"]
    rules = (REPOSITORY / "deploy" / "prometheus-rules.yml").read_text()

    for found in _of_kind("StatefulSet").values():
        labels = found["spec"]["template"]["metadata"]["labels"]
        assert monitor["selector"]["matchLabels"].items() <= labels.items()
        assert f'up{{job="{labels[monitor["jobLabel"]]}"}}' in rules
    assert [endpoint["port"] for endpoint in monitor["podMetricsEndpoints"]] == ["metrics"]


def test_a_pod_monitor_finds_the_http_door_and_nothing_else() -> None:
    monitor = _of_kind("PodMonitor", "operators")["ingest"]["spec"]
    (door,) = _of_kind("StatefulSet", "ingest").values()
    (page,) = _of_kind("Deployment", "page").values()
    wanted = monitor["selector"]["matchLabels"].items()
    assert wanted <= door["spec"]["template"]["metadata"]["labels"].items()
    assert not wanted <= page["spec"]["template"]["metadata"]["labels"].items(), "it has such a port, and no metrics"
    (endpoint,) = monitor["podMetricsEndpoints"]
    (container,) = door["spec"]["template"]["spec"]["containers"]
    assert endpoint["port"] in [port["name"] for port in container["ports"]]


def test_a_candidate_is_tried_by_a_stateful_set_of_its_own() -> None:
    objects = _objects("shadow")
    for found in objects:
        kubernetes_validate.validate(found, VERSION, strict=True)
    (stateful,) = _of_kind("StatefulSet", "shadow").values()
    pod = stateful["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (config,) = _of_kind("ConfigMap", "shadow").values()
    settings = load_settings(environ=config["data"])
    folder = settings.shadow_model

    _has_no_rights(pod)
    assert container["args"] == ["worker", "shadow"]
    assert container["ports"] == [{"name": "metrics", "containerPort": settings.metrics_port}]
    assert settings.bootstrap_servers == load_settings(environ=_setting_values()).bootstrap_servers
    (mount,) = [each for each in container["volumeMounts"] if each["name"] == "models"]
    assert folder is not None
    assert folder.startswith(f"{mount['mountPath']}/")
    assert mount["readOnly"] is True
    assert set(_of_kind("Service", "shadow")) == set(_of_kind("PodDisruptionBudget", "shadow")) == {"shadow"}


def test_the_http_door_is_a_stateful_set_of_its_own_whose_secrets_are_files() -> None:
    objects = _objects("ingest")
    for found in objects:
        kubernetes_validate.validate(found, VERSION, strict=True)
    (stateful,) = _of_kind("StatefulSet", "ingest").values()
    pod = stateful["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (config,) = _of_kind("ConfigMap", "ingest").values()
    settings = load_settings(environ=config["data"])

    _has_no_rights(pod)
    assert container["args"] == ["ingest"]
    assert container["ports"] == [{"name": "http", "containerPort": settings.ingest_port}]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] == "http"
    assert settings.ingest_host == "0.0.0.0"  # noqa: S104 - what the Service can reach
    mount = {"name": "secrets", "mountPath": settings.ingest_secrets_folder, "readOnly": True}
    assert mount in container["volumeMounts"]
    assert {"name": "secrets", "secret": {"secretName": "ingest"}} in pod["volumes"]
    (service,) = _of_kind("Service", "ingest").values()
    assert service["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": "http"}]
    assert service["spec"]["selector"].items() <= stateful["spec"]["template"]["metadata"]["labels"].items()


def test_the_page_is_a_deployment_whose_token_is_a_file() -> None:
    objects = _objects("page")
    for found in objects:
        kubernetes_validate.validate(found, VERSION, strict=True)
    (deployment,) = _of_kind("Deployment", "page").values()
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (config,) = _of_kind("ConfigMap", "page").values()
    variables = dict(config["data"])
    token = variables.pop("EDGEWISE_PAGE_TOKEN_FILE")
    settings = load_settings(environ=variables)

    _has_no_rights(pod)
    assert container["args"] == ["page"]
    assert container["ports"] == [{"name": "http", "containerPort": settings.page_port}]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] == "http"
    assert settings.page_host == "0.0.0.0"  # noqa: S104 - what the Service can reach
    folder, _, key = token.rpartition("/")
    assert key == "token"
    assert {"name": "token", "mountPath": folder, "readOnly": True} in container["volumeMounts"]
    assert {"name": "token", "secret": {"secretName": "page"}} in pod["volumes"]
    (service,) = _of_kind("Service", "page").values()
    (policy,) = _of_kind("NetworkPolicy", "page").values()
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()


def test_who_tells_webhooks_is_a_stateful_set_of_its_own_whose_file_is_a_secret() -> None:
    objects = _objects("notify")
    for found in objects:
        kubernetes_validate.validate(found, VERSION, strict=True)
    (stateful,) = _of_kind("StatefulSet", "notify").values()
    pod = stateful["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (config,) = _of_kind("ConfigMap", "notify").values()
    settings = load_settings(environ=config["data"])

    _has_no_rights(pod)
    assert container["args"] == ["worker", "notify"]
    assert {"name": "metrics", "containerPort": settings.metrics_port} in container["ports"]
    assert settings.metrics_host == "0.0.0.0"  # noqa: S104 - what a probe from outside the pod can reach
    (mount,) = [mount for mount in container["volumeMounts"] if mount["name"] == "webhooks"]
    assert settings.webhooks == f"{mount['mountPath']}/webhooks.toml"
    assert {"name": "webhooks", "secret": {"secretName": "notify"}} in pod["volumes"]
    assert AGENTS["notify"].optional, "else it belongs to the base"
