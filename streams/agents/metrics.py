"""Prometheus metrics of a worker: one process runs one agent, labelled `agent`."""

import platform
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import Counter, Gauge, Histogram, Info
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

# 1 ms to 30 s; the alert stands at 150 ms (the article's p95), so there is a bound at it.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)

EVENTS = Counter(
    "edgewise_events",
    "Events decided (by edge) or completed (by edge or cloud).",
    ["agent", "stage", "route", "reason"],
)
UNSCORED_EVENTS = Counter(
    "edgewise_unscored_events", "Events that no model was asked about, by role or language.", ["agent", "reason"]
)
LATENCY_SECONDS = Histogram(
    "edgewise_latency_seconds",
    "From Kafka's taking the transcript event to its result.",
    ["agent", "route"],
    buckets=_SECONDS,
)
INFERENCE_SECONDS = Histogram("edgewise_inference_seconds", "Model time of a batch.", ["agent"], buckets=_SECONDS)
BATCH_RECORDS = Histogram("edgewise_batch_records", "Records in a transaction.", ["agent"], buckets=_RECORDS)
TRANSACTION_SECONDS = Histogram(
    "edgewise_transaction_seconds", "From the begin of a transaction to its commit.", ["agent"], buckets=_SECONDS
)
TRANSACTION_ABORTS = Counter(
    "edgewise_transaction_aborts", "Transactions aborted; their input was read again.", ["agent"]
)
DEAD_LETTERS = Counter("edgewise_dead_letters", "Records sent to dead-letters.", ["agent", "reason"])
SKIPPED_RECORDS = Counter(
    "edgewise_skipped_records", "Offsets that retention removed before the worker read them.", ["topic"]
)
REDACTION_FAILURES = Counter(
    "edgewise_redaction_failures", "Events that stay on the edge because their redaction failed.", ["agent"]
)
COST_USD = Counter("edgewise_cost_usd", "Dollars spent, by the prices in force.", ["agent"])
BUDGET_USED = Gauge(
    "edgewise_budget_used_ratio", "Share of a budget that is spent or set aside, as of the last claim.", ["period"]
)
RULE_VALUE = Gauge(
    "edgewise_rule_value",
    "What a rule measures, in its metric's unit; none where that is unknown.",
    ["rule"],
)
ALERTS_FIRING = Gauge("edgewise_alert_firing", "1: the rule's alert is firing.", ["rule", "severity"])
TOKENS = Counter("edgewise_cloud_tokens", "Tokens of a cloud service, by its own count, failed tries among them.")
NOTIFICATIONS = Counter("edgewise_notifications", "Messages to webhooks, by what came of them.", ["webhook", "result"])
NOTIFICATIONS_WAITING = Gauge("edgewise_notifications_waiting", "Messages that a webhook has yet to take.", ["webhook"])

BUILD = Info("edgewise_build", "The version of Edgewise that the worker runs.", ["agent"])
MODEL = Info("edgewise_model", "The model that the worker scores with.", ["agent"])
MODEL_REFUSED = Gauge(
    "edgewise_model_refused",
    "1 while the model that was promoted cannot be used, and the former one goes on.",
    ["agent"],
)


def name_build(agent: str, model: str | None) -> None:
    """Sets `edgewise_build_info` and, for an agent with one, `edgewise_model_info`; `model` is `name@version`."""
    try:
        installed = version("edgewise")
    except PackageNotFoundError:  # run from its sources, without an installation
        installed = "unknown"
    BUILD.labels(agent).info({"version": installed, "python": platform.python_version()})
    if model is not None:
        name_model(agent, model)


def name_model(agent: str, model: str) -> None:
    """Sets `edgewise_model_info` of an agent to `model`, `name@version`."""
    MODEL.labels(agent).info({"model": model})


class LagCollector(Collector):
    """Lag of the agent's partitions (topic and number), computed when it is scraped."""

    def __init__(self, agent: str, lags: Callable[[], Mapping[tuple[str, int], int]]) -> None:
        self._agent = agent
        self._lags = lags

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """One gauge, a sample for each assigned partition."""
        family = GaugeMetricFamily(
            "edgewise_lag_records", "Records not yet processed.", labels=["agent", "topic", "partition"]
        )
        for (topic, partition), lag in self._lags().items():
            family.add_metric([self._agent, topic, str(partition)], lag)
        yield family
